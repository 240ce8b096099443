"""What the scenarios of one deployment share: a provider of each kind, and keys without a chain.

The simulator is the oracle. It refuses what the vendors refuse, so a request that it refused was built wrongly by the
gateway; and the main key refuses every loss, so a reply that came at all carried everything.
"""

import itertools

from harness import flavours
from harness.scene import Key

from .sent import READERS

DIALECTS = ["openai", "responses", "anthropic", "gemini", "bedrock"]
# Others' ways to what a dialect says: addresses, credentials, small differences.
VENDORS = ["azure", "vertex", "vertex-claude"]
# What has no word in a dialect, whoever asks: scenarios that need it are left out, and test_losses.py checks that it is
# said to be lost.
LACKS = {
    "openai": {"top_k", "shown_thoughts"},
    "responses": {"embeddings", "stop", "seed", "presence_penalty", "top_k"},
    "anthropic": {"embeddings", "seed", "presence_penalty"},
    "gemini": {"user", "filename", "parallel_tool_calls"},
    "bedrock": {"user", "image_url", "seed", "presence_penalty"},
}
# Upstream ids: the usual model, one that can be asked to reason, one with room for a very long prompt, one that embeds.
MODELS = {
    "openai": {
        "usual": "gpt-4o", "reasoner": "o3-mini", "roomy": "gpt-4.1", "embedder": "text-embedding-3-small",
    },
    "responses": {"usual": "gpt-4o", "reasoner": "gpt-5", "roomy": "gpt-4.1"},
    "anthropic": {"usual": "claude-sonnet-4-5", "reasoner": "claude-haiku-4-5", "roomy": "claude-roomy"},
    "gemini": {
        "usual": "gemini-2.5-flash", "reasoner": "gemini-2.5-pro", "roomy": "gemini-2.5-pro",
        "embedder": "gemini-embedding-2",
    },
    "bedrock": {
        "usual": flavours.BEDROCK.upstream, "reasoner": flavours.BEDROCK.upstream, "roomy": "claude-roomy",
        "embedder": "cohere.embed-english-v3",
    },
    "azure": {"usual": "gpt-4o", "reasoner": "gpt-5", "embedder": "text-embedding-3-small"},
    "vertex": {"usual": "gemini-2.5-flash", "reasoner": "gemini-2.5-pro", "embedder": "gemini-embedding-001"},
    "vertex-claude": {"usual": flavours.VERTEX_CLAUDE.upstream, "reasoner": flavours.VERTEX_CLAUDE.upstream},
}  # fmt: skip
_NUMBERS = itertools.count(1)


class Side:
    """One kind of upstream: its provider, and what to call its models."""

    def __init__(self, kind, virtual):
        self.kind = kind
        self.dialect = flavours.BY_NAME[kind].dialect
        self.virtual = virtual
        models = {role: f"{virtual.name}/{upstream}" for role, upstream in MODELS[kind].items()}
        self.model, self.reasoner, self.roomy = models["usual"], models["reasoner"], models.get("roomy")
        # Absent where the provider's API has no embeddings.
        self.embedder = models.get("embedder")
        self.served = MODELS[kind]["usual"]
        if self.roomy and self.roomy.endswith("/claude-roomy"):
            virtual.offer("claude-roomy", context_length=1_000_000)

    def lacks(self, feature):
        """Whether this dialect has no word for something."""
        return feature in LACKS[self.dialect]

    @property
    def last(self):
        """The last request that it saw, once answered."""
        return self.virtual.attempts(settled=1)[-1]

    @property
    def sent(self):
        """The body of that request, and how to read it."""
        return READERS[self.dialect](self.last.json)

    @property
    def usage(self):
        """What that request cost, as the ledger should have it: input includes what a cache read."""
        return self.last.consumed

    def check_thinking_came_home(self):
        """The last request carries the proof of what was thought before, as this provider itself had made it."""
        marks = {
            "responses": "encrypted_content",
            "anthropic": '"signature"',
            "gemini": "thoughtSignature",
            "bedrock": '"signature"',
        }
        mark = marks.get(self.dialect)
        assert mark is None or mark in self.last.body, self.last.body
        assert "sluice." not in self.last.body, self.last.body

    def check(self):
        """All that it saw, it accepted."""
        for attempt in self.virtual.attempts():
            assert attempt.refused is None, f"{self.dialect} refused {attempt.body}: {attempt.refused}"
            assert not attempt.leaks, attempt


class House:
    """Providers and keys."""

    def __init__(self, stack):
        self.stack = stack
        self.url = stack.gateway.url
        self.rest = stack.control.rest
        self._sides = {kind: Side(kind, stack.pool.lend(kind)) for kind in [*DIALECTS, *VENDORS]}
        self.strict = self.mint(loss="strict")
        self.lenient = self.mint(loss="report")
        self.narrow = self.mint(models={"allow": ["house-gpt"]})
        self.reader = self.mint(endpoints={"allow": ["models"]})
        # Tries each provider once.
        self.hasty = self.mint(retry={"same_provider": 0})
        self.revoked = self.mint()
        self.rest.call("POST", f"/keys/{self.revoked.id}/revoke", {})
        # A model whose longest reply the catalog knows.
        self.short = "house-short"
        channel = {"provider": self._sides["openai"].virtual.name, "upstream_id": "gpt-4o-mini"}
        self.rest.call("POST", "/models", {"id": self.short, "channels": [channel], "max_output_tokens": 16_384})
        stack.settle()

    def side(self, kind):
        """The provider of a kind."""
        return self._sides[kind]

    def other(self, dialect):
        """The provider of another dialect, as new."""
        side = self._sides["anthropic" if dialect != "anthropic" else "openai"]
        side.virtual.reset()
        return side

    def fresh(self, **members):
        """A key for one test, known everywhere."""
        key = self.mint(**members)
        self.stack.settle()
        return key

    def key_to_see_thoughts(self, side):
        """A strict key, but where the provider cannot be asked to show its thoughts: Chat has no word for that, nor for
        what was thought between calls, so both are losses."""
        return self.lenient if side.lacks("shown_thoughts") else self.strict

    def mint(self, **members):
        """A key."""
        minted = self.rest.call("POST", "/keys", {"name": f"sdk-{next(_NUMBERS)}", **members})
        return Key(None, minted)


class Broken:
    """A provider of one test's own, which has rested from whatever was done to it before."""

    def __init__(self, scene, dialect):
        self.dialect = dialect
        self.virtual = scene.provider(flavours.BY_NAME[dialect])
        self.model = f"{self.virtual.name}/{MODELS[dialect]['usual']}"

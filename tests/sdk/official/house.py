"""What the scenarios of one deployment share: a provider of each dialect, and keys without a chain.

The simulator is the oracle. It refuses what the vendors refuse, so a request that it refused was built wrongly by the
gateway; and the main key refuses every loss, so a reply that came at all carried everything.
"""

import itertools

from harness import dialects
from harness.scene import Key

DIALECTS = ["openai", "anthropic"]
# Upstream ids: the usual model, one that can be asked to reason, one with room for a very long prompt.
MODELS = {
    "openai": {"usual": "gpt-4o", "reasoner": "o3-mini", "roomy": "gpt-4.1"},
    "anthropic": {"usual": "claude-sonnet-4-5", "reasoner": "claude-haiku-4-5", "roomy": "claude-roomy"},
}
_NUMBERS = itertools.count(1)


class Side:
    """One upstream dialect: its provider, and what to call its models."""

    def __init__(self, dialect, virtual):
        self.dialect = dialect
        self.virtual = virtual
        models = {role: f"{virtual.name}/{upstream}" for role, upstream in MODELS[dialect].items()}
        self.model, self.reasoner, self.roomy = models["usual"], models["reasoner"], models["roomy"]
        self.served = MODELS[dialect]["usual"]
        if dialect == "anthropic":
            virtual.offer("claude-roomy", context_length=1_000_000)

    @property
    def last(self):
        """The last request that it saw, once answered."""
        return self.virtual.attempts(settled=1)[-1]

    @property
    def sent(self):
        """The body of that request."""
        return self.last.json

    @property
    def usage(self):
        """What that request cost, as the ledger should have it: input includes what a cache read."""
        return self.last.consumed

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
        self._sides = {dialect: Side(dialect, stack.pool.lend(dialect)) for dialect in DIALECTS}
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

    def side(self, dialect):
        """The provider of a dialect."""
        return self._sides[dialect]

    def other(self, dialect):
        """The provider of the other dialect, as new."""
        (side,) = (side for side in self._sides.values() if side.dialect != dialect)
        side.virtual.reset()
        return side

    def fresh(self, **members):
        """A key for one test, known everywhere."""
        key = self.mint(**members)
        self.stack.settle()
        return key

    def mint(self, **members):
        """A key."""
        minted = self.rest.call("POST", "/keys", {"name": f"sdk-{next(_NUMBERS)}", **members})
        return Key(None, minted)


class Broken:
    """A provider of one test's own, which has rested from whatever was done to it before."""

    def __init__(self, scene, dialect):
        (kind,) = (each for each in dialects.ALL if each.name == dialect)
        self.dialect = dialect
        self.virtual = scene.provider(kind)
        self.model = f"{self.virtual.name}/{MODELS[dialect]['usual']}"

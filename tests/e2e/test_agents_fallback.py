"""Sessions of agents whose provider breaks in the middle: another dialect goes on, and the first takes over again.

The simulator is as strict as the vendors: it refuses thinking that it has not signed and calls without results, so that
a history of two providers is only accepted if everything foreign was taken out of it.
"""

import json

import pytest
from harness import agents, contents, flavours
from test_agents_abroad import LOST, SERVED
from test_agents_home import HOME

# A tool of each agent, and its arguments.
TOOLS = {
    "claude_code": 'Bash {"command":"ls"}',
    "codex": 'exec_command {"cmd":"ls"}',
    "cline_openai": 'list_files {"path":"."}',
    "cline_anthropic": 'list_files {"path":"."}',
    "gemini_cli": 'run_shell_command {"command":"ls"}',
}
# Where what proves thinking stands in each kind of provider's requests.
PROOFS = {"responses": "encrypted_content", "gemini": "thoughtSignature", "bedrock": '"signature"', "anthropic": '"signature"'}
# Where proofs do not come back: the Gemini CLI and Cline show thoughts and forget them, and Claude's and OpenAI's proofs are
# of thoughts. Gemini's are of calls, which nobody forgets.
FORGETFUL = {
    ("gemini_cli", "anthropic"), ("gemini_cli", "bedrock"),
    ("cline_openai", "responses"), ("cline_openai", "anthropic"), ("cline_openai", "bedrock"),
}  # fmt: skip
# The vendor's word for a call that nobody has signed.
PLACEHOLDER = "skip_thought_signature_validator"
GEMINI_3 = "gemini-3.1-pro-preview"
BY_NAME = {agent.name: agent for agent in agents.ALL}


class Session:
    """A session that goes on with what came back."""

    def __init__(self, scene, name, away):
        self.scene = scene
        self.agent = BY_NAME[name]
        self.home = scene.provider(HOME[name])
        self.away = scene.provider(flavours.BY_NAME[away])
        self.here = contents.OF[self.agent.client.name]
        self.request = self.agent.request("first")
        self.body = self.request.json
        upstream = "gpt-4.1" if name == "cline_openai" and away == "responses" else SERVED[away]
        scene.model([(self.home, self.request.model), (self.away, upstream)], id=self.request.model)
        self.key = scene.key(retry={"same_provider": 0})

    def send(self, expected):
        """Sends the next request; what the provider that has to answer it saw."""
        before = {provider: len(provider.attempts()) for provider in (self.home, self.away)}
        reply = self.agent.send(self.scene, self.key, self.request, json.dumps(self.body))
        assert reply.status == 200 and reply.whole, reply
        assert reply.sluice("provider") == expected.name, reply
        assert reply.sluice("fallback-reason") == (None if expected is self.home else "server_error"), reply
        attempt = expected.attempts(settled=before[expected] + 1)[-1]
        assert attempt.refused is None, attempt.refused
        return reply, attempt

    def go_on(self, reply, ask):
        """Takes a reply in, answers its calls and asks for more."""
        thought, _, called = self.here.read(reply, True)
        assert called, reply
        self.body = self.here.continued(self.body, reply, ask)
        return thought


@pytest.mark.parametrize(("name", "away"), [pytest.param(*pair, id="_to_".join(pair)) for pair in LOST if pair[1] != "vertex-claude"])
def test_another_provider_steps_in_and_out(scene, name, away):
    session = Session(scene, name, away)
    asks = [f"[[think:Step {at}.]][[tool:{TOOLS[name]}]]" for at in (2, 3, 4)]

    first, _ = session.send(session.home)
    session.go_on(first, asks[0])
    session.home.always("status", status=529)
    second, attempt = session.send(session.away)
    assert "sluice." not in attempt.body
    session.go_on(second, asks[1])

    session.home.reset()
    third, attempt = session.send(session.home)
    assert "sluice." not in attempt.body, "what the other provider has proved means nothing at home"
    home = HOME[name].dialect
    if home in PROOFS:
        assert PROOFS[home] in attempt.body, "what was thought at home has stayed"
    session.go_on(third, asks[2])

    session.home.always("status", status=529)
    fourth, attempt = session.send(session.away)
    assert "sluice." not in attempt.body
    if away in PROOFS and (name, away) not in FORGETFUL:
        assert PROOFS[away] in attempt.body, "what the other provider has thought came back to it"
    assert session.here.read(fourth, True)[2], fourth
    row = session.key.row(fourth)
    assert row.classes == [(session.home.name, 529, "server_error"), (session.away.name, 200, "ok")]


def test_claude_code_loses_a_flag_where_a_provider_may_not_have_it(scene):
    """The fallback is Claude as well, behind a rule about betas: flags are filtered, what they add to the body goes with
    them, and the rest is the same."""
    agent = agents.CLAUDE_CODE
    request = agent.request("parallel_results")
    first = scene.provider(flavours.ANTHROPIC)
    rule = {"deny": ["prompt-caching-scope-*", "context-management-*"]}
    second = scene.provider(flavours.VERTEX_CLAUDE, anthropic_betas=rule)
    scene.model([(first, request.model), (second, flavours.VERTEX_CLAUDE.upstream)], id=request.model)
    key = scene.key(retry={"same_provider": 0})
    first.always("status", status=529)
    reply = agent.send(scene, key, request)
    assert (reply.status, reply.sluice("provider")) == (200, second.name), reply
    assert reply.sluice("dropped-params") == "context_management"
    (attempt,) = second.attempts(settled=1)
    assert attempt.refused is None
    assert attempt.header("anthropic-beta") == [
        "claude-code-20250219,interleaved-thinking-2025-05-14,thinking-token-count-2026-05-13"
    ]
    sent, given = attempt.json, request.json
    assert sent.pop("anthropic_version") and given.pop("model") and given.pop("context_management")
    assert sent == given


@pytest.mark.parametrize("name", ["claude_code", "codex", "cline_openai", "cline_anthropic", "gemini_cli"])
def test_a_session_goes_on_where_every_call_must_be_proved(scene, name):
    """Gemini 3 refuses a call of its own that comes back without its signature."""
    agent = BY_NAME[name]
    request = agent.request("first")
    here = contents.OF[agent.client.name]
    provider = scene.provider(flavours.GEMINI)
    scene.model([(provider, GEMINI_3)], id=request.model)
    key = scene.key()
    body = request.json
    for at in range(4):
        reply = agent.send(scene, key, request, json.dumps(body))
        assert reply.status == 200 and here.read(reply, True)[2], reply
        attempt = provider.attempts(settled=at + 1)[-1]
        assert attempt.refused is None, attempt.refused
        body = here.continued(body, reply, f"[[think:Step {at}.]][[tool:{TOOLS[name]}]]")
    signed = [part for content in attempt.json["contents"] for part in content["parts"] if "thoughtSignature" in part]
    assert signed and all(part["thoughtSignature"] != PLACEHOLDER for part in signed), signed

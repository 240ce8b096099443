"""Recorded sessions of agents, served by providers of other dialects."""

import re

import pytest
from harness import agents, contents, flavours

# What is lost on the way to each kind of provider, over the whole session, in the client's own words; places in lists left out.
# None of it changes what an agent can do: hints at sampling that a model refuses, who the user is, flags for errors that the
# result's words also tell, schema words that are checked by the agent itself, tools that only the vendor runs.
# An image in a tool's result goes into a message of the user's after it.
MOVED = {"messages[].content[].content[]"}
FAILED = {"messages[].content[].is_error"}
CLAUDE_CODE = {"context_management", "tools[]", "system[].cache_control.ttl"}
CODEX = {"client_metadata", "tools[]"}
# Thinking gives way where another model made the call that is being answered.
CODEX_TO_CLAUDE = CODEX | {
    "reasoning.effort", "reasoning.summary", "text.verbosity", "tools[].format", "prompt_cache_key"}  # fmt: skip
SAMPLING = {"generationConfig.topP", "generationConfig.topK"}
SHOWN = {"generationConfig.thinkingConfig.includeThoughts"}
UNSAMPLED = SAMPLING | {"generationConfig.temperature", "contents[].parts[].functionResponse.response.error"}
LOST = {
    ("claude_code", "openai"): CLAUDE_CODE | MOVED | FAILED | {"thinking"},
    ("claude_code", "responses"): CLAUDE_CODE | FAILED | {"thinking", "max_tokens"},
    ("claude_code", "gemini"): CLAUDE_CODE | {
        "thinking", "metadata.user_id", "tools[].input_schema.properties.url.format",
        "tools[].input_schema.properties.answers.propertyNames"},
    ("claude_code", "bedrock"): CLAUDE_CODE | {"thinking", "metadata.user_id"},
    ("claude_code", "vertex-claude"): set(),
    ("cline_anthropic", "openai"): MOVED,
    ("cline_anthropic", "responses"): set(),
    ("cline_anthropic", "gemini"): set(),
    ("cline_anthropic", "bedrock"): set(),
    ("cline_anthropic", "vertex-claude"): set(),
    ("codex", "openai"): CODEX | {"input[].output[]", "reasoning.summary"},
    ("codex", "anthropic"): CODEX_TO_CLAUDE,
    ("codex", "gemini"): CODEX | {"text.format", "text.verbosity", "prompt_cache_key", "tools[].format"},
    ("codex", "bedrock"): CODEX_TO_CLAUDE,
    ("codex", "vertex-claude"): CODEX_TO_CLAUDE,
    ("cline_openai", "responses"): set(),
    ("cline_openai", "anthropic"): set(),
    ("cline_openai", "gemini"): {"parallel_tool_calls"},
    ("cline_openai", "bedrock"): set(),
    ("cline_openai", "vertex-claude"): set(),
    ("gemini_cli", "openai"): UNSAMPLED | SHOWN,
    ("gemini_cli", "responses"): UNSAMPLED,
    ("gemini_cli", "anthropic"): SAMPLING | SHOWN | {"generationConfig.thinkingConfig"},
    ("gemini_cli", "bedrock"): SAMPLING | SHOWN | {"generationConfig.thinkingConfig"},
    ("gemini_cli", "vertex-claude"): SAMPLING | SHOWN | {"generationConfig.thinkingConfig"},
}  # fmt: skip
# A model of each kind that can do what agents ask; Cline's model of the house does not reason.
SERVED = {
    "openai": "gpt-5",
    "responses": "gpt-5",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-pro",
    "bedrock": flavours.BEDROCK.upstream,
    "vertex-claude": flavours.VERTEX_CLAUDE.upstream,
}
# Vertex has Claude's own models, under names with dates.
ON_VERTEX = {"claude-haiku-4-5": "claude-haiku-4-5@20251001", "claude-opus-4-8": "claude-opus-4-8"}
PAIRS = [pytest.param(agent, flavour, id=f"{agent}_to_{flavour}") for agent, flavour in LOST]
BY_NAME = {agent.name: agent for agent in agents.ALL}


def serve(scene, agent, flavour):
    """A provider of a kind that serves all models that the session names, and a key for it."""
    provider = scene.provider(flavours.BY_NAME[flavour])
    for model in sorted({request.model for request in agent.requests() if request.body is not None}):
        upstream = SERVED[flavour]
        if flavour == "vertex-claude":
            upstream = ON_VERTEX.get(model, upstream)
        if agent is agents.CLINE and flavour == "responses":
            upstream = "gpt-4.1"
        scene.model([(provider, upstream)], id=model)
    return provider, scene.key()


def directives(asked):
    """What the prompt told the simulated model to think, to say and to call."""
    thinks, says = (re.findall(rf"\[\[{name}:(.*?)\]\]", asked) for name in ("think", "say"))
    return "".join(thinks[-1:]), "".join(says[-1:]), re.findall(r"\[\[tool:(\w+)", asked)


def lost(reply):
    """The paths of what a reply says was lost, places left out."""
    paths = reply.sluice("dropped-params") or ""
    return {re.sub(r"\[\d+\]", "[]", path.strip()) for path in paths.split(",") if path}


@pytest.mark.parametrize(("name", "flavour"), PAIRS)
def test_a_session_is_served_by_any_provider(scene, name, flavour):
    agent = BY_NAME[name]
    provider, key = serve(scene, agent, flavour)
    here, there = contents.OF[agent.client.name], contents.OF[flavours.BY_NAME[flavour].dialect]
    dropped = set()
    for request in agent.chats():
        provider.reset()
        reply = agent.send(scene, key, request)
        assert reply.status == 200 and reply.whole, (request.name, reply)
        (attempt,) = provider.attempts(settled=1)
        assert attempt.refused is None, (request.name, attempt.refused)
        assert attempt.outcome == "completed"
        dropped |= lost(reply)
        given, taken = here.held(request.json), there.held(attempt.json)
        # Some vendors want the tools that were called before declared, even if none may be called now.
        assert sorted(taken[0]) == sorted(given[0]) or not given[0], request.name
        assert (len(taken[1]), taken[2]) == (len(given[1]), given[2]), request.name
        assert [call for call, _ in taken[1]] == [call for call, _ in given[1]], request.name
        assert "sluice." not in attempt.body, request.name
        thought, said, called = here.read(reply, request.streams)
        think, say, tools = directives(here.asked(request.json))
        assert [tool for tool, _ in called] == tools, (request.name, called)
        if tools == ["apply_patch"] and flavour != "openai":
            # A tool that takes plain text is one with a single text where there are no such tools.
            assert called == [("apply_patch", "*** Begin Patch\n*** End Patch\n")]
        assert said == say or not say, (request.name, said)
        # The newest models think out of sight unless they are asked to show it, which this agent does not do.
        silent = flavour == "vertex-claude" and request.name == "newest_model"
        # Cline asks its model of the house for no thinking, so these providers are not asked to show any.
        silent |= agent is agents.CLINE and flavour in ("responses", "gemini")
        assert thought == ("" if silent else think) or not think, (request.name, thought)
    assert dropped == LOST[name, flavour]


COUNTERS = [flavour for flavour in SERVED]


@pytest.mark.parametrize("name", ["claude_code", "gemini_cli"])
@pytest.mark.parametrize("flavour", COUNTERS)
def test_tokens_are_counted_anywhere(scene, name, flavour):
    agent = BY_NAME[name]
    provider, key = serve(scene, agent, flavour)
    member = {"claude_code": "input_tokens", "gemini_cli": "totalTokens"}[name]
    for request in agent.counts():
        provider.reset()
        reply = agent.send(scene, key, request)
        assert reply.status == 200, (request.name, reply)
        tokens = reply.json[member]
        # A token is a few letters, and not every vendor counts all that is written.
        assert len(request.body) / 16 < tokens < len(request.body) / 2, (request.name, tokens)
        for attempt in provider.attempts():
            assert attempt.refused is None, (request.name, attempt.refused)
        assert (reply.sluice("usage-source") == "estimated") == (flavour == "openai"), (request.name, reply)

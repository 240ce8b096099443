"""The Vercel AI SDK with its providers for OpenAI (both APIs), Anthropic and Google, whatever the upstream speaks."""

import json

import pytest
from official.answer import ClientError
from official.shared import UNICODE

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@pytest.fixture(params=["generate", "stream"])
def ask(request, node, vercel_client, house, side):
    """Asks in one of the two ways, and gives what came of it."""

    def call(prompt, model=None, key=None, **more):
        arguments = {
            "client": vercel_client,
            "url": house.url,
            "key": (key or house.strict).token,
            "model": model or side.model,
            "arguments": {"prompt": prompt, **more},
        }
        return perform(node, f"vercel_{request.param}", arguments)

    return call


def perform(node, operation, arguments):
    """Does one of the operations of vercel.mjs."""
    done = node.call({"operation": operation, "options": {}, "arguments": arguments})
    if "error" in done:
        raise ClientError(done["error"], done["received"])
    return done["data"]


def count(tokens):
    """A count of tokens, whichever form this SDK's version has."""
    return tokens["total"] if isinstance(tokens, dict) else tokens


def test_text(ask, side):
    """Text, and what it cost."""
    reply = ask(f"{UNICODE} [[unicode]]")
    assert (reply["text"], reply["finishReason"]) == (UNICODE, "stop")
    cost, usage = side.usage, reply["usage"]
    assert count(usage["inputTokens"]) == cost["input"], (usage, cost)
    assert count(usage["outputTokens"]) == cost["output"], (usage, cost)


def test_system(ask, side):
    """The system prompt arrives."""
    assert ask("[[say:ok]]", instructions="Be terse.")["text"] == "ok"
    assert "Be terse." in side.last.body


def test_tools(ask, side):
    """A call is executed by the SDK, answered, and the model goes on."""
    reply = ask('[[tool:get_weather {"city": "Bern"}]]', tools=True, steps=2)
    assert reply["calls"][0] == {"toolName": "get_weather", "input": {"city": "Bern"}}
    assert reply["steps"] == 2
    assert "sunny in Bern" in side.last.body


REASONING = {
    # It knows OpenAI's models that reason by their names, and must be told of others.
    "vercel-openai-chat": {"openai": {"forceReasoning": True, "reasoningEffort": "low"}},
    "vercel-openai": {
        "openai": {"forceReasoning": True, "reasoningEffort": "low", "reasoningSummary": "auto", "store": False,
                   "include": ["reasoning.encrypted_content"]}
    },
    "vercel-anthropic": {"anthropic": {"thinking": {"type": "enabled", "budgetTokens": 2048}}},
    "vercel-google": {"google": {"thinkingConfig": {"includeThoughts": True, "thinkingBudget": 2048}}},
}  # fmt: skip


def test_tools_with_replayed_thinking(ask, vercel_client, house, side):
    """What was thought before a call goes back in the next step, and its home accepts it.

    This SDK's Chat forgets all that OpenAI's own API has no word for; where the vendor wants its thoughts back, it is
    asked to go on without thinking, which is a loss.
    """
    forgets = vercel_client == "vercel-openai-chat" and side.dialect in ("anthropic", "bedrock")
    reply = ask(
        '[[think:Ask the tool.]][[tool:get_weather {"city": "Bern"}]]',
        model=side.reasoner,
        key=house.lenient if forgets else house.key_to_see_thoughts(side),
        tools=True,
        steps=2,
        maxOutputTokens=8_000,
        providerOptions=REASONING[vercel_client],
    )
    assert reply["steps"] == 2
    assert "sunny in Bern" in side.last.body
    if vercel_client != "vercel-openai-chat":
        side.check_thinking_came_home()


def test_structured_output(ask, vercel_client, house, side):
    """An object that fits a schema.

    Of what it does not take for one of Anthropic's newer models this SDK asks for the call of a tool, one at a time.
    """
    ada = json.dumps({"name": "Ada", "age": 36})
    calls = vercel_client == "vercel-anthropic" and "claude" not in side.model
    key = house.lenient if calls and side.lacks("parallel_tool_calls") else house.strict
    reply = ask(f"[[say:{ada}]][[tool:json {ada}]]", schema=SCHEMA, key=key)
    assert reply["output"] == {"name": "Ada", "age": 36}


def test_length(ask):
    """The limit is said to have been met."""
    assert ask("[[words:100]]", maxOutputTokens=16)["finishReason"] == "length"


def test_errors(node, vercel_client, house, broken):
    """Failures are the SDK's own exceptions, with a status."""
    broken.virtual.always("status", status=429)
    arguments = {
        "client": vercel_client,
        "url": house.url,
        "key": house.strict.token,
        "model": broken.model,
        "arguments": {"prompt": "Hi"},
    }
    for operation in ("vercel_generate", "vercel_stream"):
        with pytest.raises(ClientError) as raised:
            perform(node, operation, arguments)
        assert raised.value.status == 429, raised.value


@pytest.mark.needs("embeddings")
@pytest.mark.parametrize("vercel_client", ["vercel-openai", "vercel-google"])
def test_embedding(node, vercel_client, house, side):
    """A vector."""
    arguments = {
        "client": vercel_client,
        "url": house.url,
        "key": house.strict.token,
        "model": side.embedder,
        "arguments": {"value": "one"},
    }
    assert perform(node, "vercel_embed", arguments)["embedding"]

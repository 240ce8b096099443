"""What applications that speak the Anthropic API really send: each must be served, whatever the provider is strict
about."""

import pytest
from official.anthropic_stream import Streamed
from official.shared import CITY_SCHEMA

WEATHER = {"name": "get_weather", "description": "Weather of a city", "input_schema": CITY_SCHEMA}
HI = [{"role": "user", "content": "Hi"}]
MARK = {"cache_control": {"type": "ephemeral"}}


def text(words, **more):
    """A text block."""
    return {"type": "text", "text": words, **more}


def asks(*call_ids):
    """An assistant's turn that calls."""
    call = {"type": "tool_use", "name": "get_weather", "input": {"city": "Bern"}}
    return {"role": "assistant", "content": [{**call, "id": call_id} for call_id in call_ids]}


def results(*call_ids, after=()):
    """The calls' results."""
    content = [{"type": "tool_result", "tool_use_id": call_id, "content": "sun"} for call_id in call_ids]
    return {"role": "user", "content": [*content, *after]}


# What is in a body does not depend on who sent it.
pytestmark = pytest.mark.parametrize("anthropic_client", ["anthropic-py"])

# Nothing may be lost here: the main key refuses every loss.
CARRIED = {
    "defaults_said": {
        "stop_sequences": [],
        "metadata": {},
        "service_tier": "auto",
        "thinking": {"type": "disabled"},
        "system": [],
    },
    "defaults_of_tools_said": {
        "tools": [{**WEATHER, "type": "custom"}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": False},
    },
    "begun_reply": {"messages": [*HI, {"role": "assistant", "content": "The answer is"}]},
    "strict_tool": {
        "tools": [{"name": "find", "strict": True, "input_schema": {
            "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
            "additionalProperties": False,
        }}],
    },  # fmt: skip
    "long_call_id": {
        "messages": [*HI, asks("toolu_" + "x" * 60), results("toolu_" + "x" * 60), *HI],
        "tools": [WEATHER],
    },
    "result_and_question": {
        "messages": [*HI, asks("a", "b"), results("b", "a", after=[text("So?")])],
        "tools": [WEATHER],
    },
    "empty_result": {
        "messages": [*HI, asks("a"), {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a"}]}],
        "tools": [WEATHER],
    },
    "empty_last_reply": {"messages": [*HI, {"role": "assistant", "content": ""}]},
    "calls_after_calls": {
        "messages": [*HI, asks("a", "b"), results("a", "b"), asks("c"), results("c"), *HI],
        "tools": [WEATHER],
    },
    "sampled": {"extra_body": {"temperature": 0.5}},
}

# Something has to give, and that is said; the request is served nevertheless.
LOSSY = {
    "cache_markers": {
        "system": [text("Be terse.", **MARK)],
        "tools": [{**WEATHER, **MARK}],
        "messages": [{"role": "user", "content": [text("Hi", **MARK)]}],
    },
    "many_stop_sequences": {"stop_sequences": ["a1", "b1", "c1", "d1", "e1", "f1"]},
    "server_tool": {"tools": [WEATHER, {"type": "web_search_20250305", "name": "web_search"}]},
    "everything_of_anthropic": {
        "extra_body": {"top_k": 5},
        "service_tier": "standard_only",
        "metadata": {"user_id": "u"},
    },
}

# The same for a model that is asked to reason.
REASONING = {
    "budget": {"thinking": {"type": "enabled", "budget_tokens": 1_024}},
    "budget_and_tools": {"thinking": {"type": "enabled", "budget_tokens": 1_024}, "tools": [WEATHER]},
    "sampled": {"thinking": {"type": "enabled", "budget_tokens": 1_024}, "extra_body": {"temperature": 1}},
    "not_asked": {},
}


def served(client, model, changes):
    """Asks both ways, and gets an answer both ways."""
    arguments = {"model": model, "max_tokens": 4_000, "messages": HI, **changes}
    message = client.message(**arguments).data
    stream = Streamed(client.events(**arguments).data)
    assert stream.stop_reason == message["stop_reason"]
    kinds = [block["type"] for block in message["content"]]
    assert [block["type"] for block in stream.content] == kinds
    assert "text" in kinds or "tool_use" in kinds, message


@pytest.mark.parametrize("corner", CARRIED)
def test_carried(anthropic, side, corner):
    """Without a loss."""
    served(anthropic, side.model, CARRIED[corner])


@pytest.mark.parametrize("corner", LOSSY)
def test_lossy(connect, house, anthropic_client, side, corner):
    """With a loss."""
    served(connect(anthropic_client, house.lenient.token), side.model, LOSSY[corner])


@pytest.mark.parametrize("corner", REASONING)
def test_reasoner(connect, house, anthropic_client, side, corner):
    """By a model that reasons."""
    served(connect(anthropic_client, house.lenient.token), side.reasoner, REASONING[corner])


def test_thinking_by_a_model_that_does_not(connect, house, anthropic_client):
    """Tools of this API always ask for thinking. A model that has none answers without."""
    side = house.side("openai")
    side.virtual.reset()
    client = connect(anthropic_client, house.lenient.token)
    served(client, side.model, {"thinking": {"type": "enabled", "budget_tokens": 1_024}})
    side.check()


@pytest.mark.parametrize("role", ["model", "reasoner"])
def test_coding_agent(connect, house, anthropic_client, side, role):
    """A coding agent's request: everything marked, many tools, betas, thinking as the model likes."""
    client = connect(anthropic_client, house.lenient.token)
    tools = [{**WEATHER, "name": f"tool_{number}"} for number in range(40)]
    tools[-1] = {**tools[-1], **MARK}
    history = [
        {"role": "user", "content": [text("<reminder>Be brief.</reminder>"), text("List the files.", **MARK)]},
        {"role": "assistant", "content": [text("Looking."), *asks("toolu_1", "toolu_2")["content"]]},
        results("toolu_2", "toolu_1", after=[text("Go on.", **MARK)]),
    ]
    arguments = {
        "system": [text("You are an agent."), text("book " * 2_000, **MARK)],
        "metadata": {"user_id": "user_" + "0123456789abcdef" * 8},
        "tools": tools,
        "messages": history,
        "max_tokens": 8_000,
        "thinking": {"type": "enabled", "budget_tokens": 4_000},
    }
    if side.dialect == "anthropic":
        # Without the thoughts of the turn that called, the vendor goes on only if there is to be no thinking.
        arguments["thinking"] = {"type": "disabled"}
    served(client, getattr(side, role), arguments)


def test_limit_above_the_model_s(connect, house, anthropic_client):
    """What the catalog says of a model's longest reply holds, whatever the client asks for."""
    client = connect(anthropic_client, house.lenient.token)
    served(client, house.short, {"max_tokens": 20_000})

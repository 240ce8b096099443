"""What applications that speak the OpenAI API really send: each must be served, whatever the provider is strict
about."""

import pytest
from official.openai_stream import Streamed
from official.shared import CITY_SCHEMA

WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": CITY_SCHEMA}}
STRICT_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
STRICT = {"type": "function", "function": {"name": "find", "parameters": STRICT_SCHEMA, "strict": True}}
HI = [{"role": "user", "content": "Hi"}]


def call(call_id, arguments="{}"):
    """A call in a history."""
    return {"id": call_id, "type": "function", "function": {"name": "get_weather", "arguments": arguments}}


def asks(*calls):
    """An assistant's turn that calls."""
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


def result(call_id, content="sun"):
    """A call's result."""
    return {"role": "tool", "tool_call_id": call_id, "content": content}


# What is in a body does not depend on who sent it.
pytestmark = pytest.mark.parametrize("openai_client", ["openai-py"])

# Nothing may be lost here: the main key refuses every loss.
CARRIED = {
    "defaults_said": {
        "n": 1,
        "frequency_penalty": 0,
        "presence_penalty": 0.0,
        "logit_bias": {},
        "logprobs": False,
        "response_format": {"type": "text"},
        "store": False,
        "service_tier": "auto",
    },
    "nulls_said": {
        "stop": None,
        "max_tokens": None,
        "temperature": None,
        "seed": None,
        "stream_options": None,
        "response_format": None,
        "user": None,
    },
    "defaults_of_tools_said": {"tools": [WEATHER], "tool_choice": "auto", "parallel_tool_calls": True},
    "user_named": {"user": "user-42"},
    "strict_tool": {"tools": [STRICT]},
    "refusal_in_history": {
        "messages": [*HI, {"role": "assistant", "content": None, "refusal": "I cannot."}, *HI],
    },
    "only_instructions": {"messages": [{"role": "system", "content": "Say something."}]},
    "begun_reply": {"messages": [*HI, {"role": "assistant", "content": "The answer is "}]},
    "one_part": {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
    "empty_result": {"messages": [*HI, asks(call("call_1")), result("call_1", "")], "tools": [WEATHER]},
    "history_of_tools_without_tools": {"messages": [*HI, asks(call("call_1")), result("call_1"), *HI]},
    "foreign_call_id": {
        "messages": [*HI, asks(call("functions.get_weather:0")), result("functions.get_weather:0"), *HI],
        "tools": [WEATHER],
    },
    "calls_with_text": {
        "messages": [*HI, {**asks(call("call_1")), "content": "Let me look."}, result("call_1"), *HI],
        "tools": [WEATHER],
    },
    "calls_after_calls": {
        "messages": [*HI, asks(call("a"), call("b")), result("b"), result("a"), asks(call("c")), result("c"), *HI],
        "tools": [WEATHER],
    },
    "same_id_again": {
        "messages": [*HI, asks(call("a")), result("a"), asks(call("a")), result("a"), *HI],
        "tools": [WEATHER],
    },
    "blank_turns": {"messages": [*HI, {"role": "assistant", "content": " \n"}, {"role": "user", "content": "  x"}]},
}

# Something has to give, and that is said; the request is served nevertheless.
LOSSY = {
    "hot": {"temperature": 1.8},
    "two_samplers": {"temperature": 0.5, "top_p": 0.5},
    "json_mode": {
        "messages": [{"role": "user", "content": "Answer in JSON"}],
        "response_format": {"type": "json_object"},
    },
    "everything_of_openai": {
        "seed": 1,
        "logprobs": True,
        "top_logprobs": 2,
        "logit_bias": {"50256": -100},
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "verbosity": "low",
        "metadata": {"a": "b"},
        "store": True,
        "frequency_penalty": 0.5,
    },
    "broken_arguments": {
        "messages": [*HI, asks(call("call_1", '{"city": "Be')), result("call_1"), *HI],
        "tools": [WEATHER],
    },
}

# The same for a model that is asked to reason.
REASONING = {
    "short_limit": {"reasoning_effort": "high", "max_completion_tokens": 500},
    "no_limit": {"reasoning_effort": "medium"},
    "forced_tool": {"reasoning_effort": "low", "tools": [WEATHER], "tool_choice": "required"},
    "minimal": {"reasoning_effort": "minimal"},
}


def served(client, model, changes):
    """Asks both ways, and gets an answer both ways."""
    arguments = {"model": model, "messages": HI, **changes}
    (choice,) = client.chat(**arguments).data["choices"]
    message = choice["message"]
    assert message.get("content") or message.get("tool_calls") or choice["finish_reason"] == "length"
    arguments.pop("stream_options", None)
    stream = Streamed(client.chunks(**arguments).data)
    assert stream.finish == choice["finish_reason"]
    assert stream.text == (message.get("content") or "")


NEEDS = {"user_named": [pytest.mark.needs("user")]}


@pytest.mark.parametrize("corner", [pytest.param(corner, marks=NEEDS.get(corner, [])) for corner in CARRIED])
def test_carried(openai, side, corner):
    """Without a loss."""
    served(openai, side.model, CARRIED[corner])


@pytest.mark.parametrize("corner", LOSSY)
def test_lossy(connect, house, openai_client, side, corner):
    """With a loss."""
    served(connect(openai_client, house.lenient.token), side.model, LOSSY[corner])


@pytest.mark.parametrize("corner", REASONING)
def test_reasoner(connect, house, openai_client, side, corner):
    """By a model that reasons."""
    served(connect(openai_client, house.lenient.token), side.reasoner, REASONING[corner])


def test_reasoner_with_a_temperature(connect, house, openai_client):
    """Claude cannot be sampled while it thinks."""
    side = house.side("anthropic")
    side.virtual.reset()
    served(connect(openai_client, house.lenient.token), side.reasoner, {"reasoning_effort": "low", "temperature": 0.3})
    side.check()

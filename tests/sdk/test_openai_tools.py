"""Tools through the OpenAI clients: which are called, how, and what comes of their results."""

import json

import pytest
from official.openai_stream import Streamed
from official.shared import CITY_EXAMPLE, CITY_SCHEMA

WEATHER = {
    "type": "function",
    "function": {"name": "get_weather", "description": "Weather of a city", "parameters": CITY_SCHEMA},
}
TIME = {"type": "function", "function": {"name": "get_time"}}
TOOLS = [WEATHER, TIME]
TWO_CALLS = '[[tool:get_weather {"city": "Zürich"}]][[tool:get_weather {"city": "Rome", "days": 3}]]'
CITIES = [{"city": "Zürich"}, {"city": "Rome", "days": 3}]


def ask(prompt, side, **more):
    """Arguments of a request with tools."""
    return {"model": side.model, "messages": [{"role": "user", "content": prompt}], "tools": TOOLS, **more}


class Called:
    """What one reply calls, whichever way it came."""

    def __init__(self, calls, finish, text):
        self.ids = [call_id for call_id, _, _ in calls]
        self.names = [name for _, name, _ in calls]
        self.arguments = [json.loads(arguments or "{}") for _, _, arguments in calls]
        self.finish = finish
        self.text = text or ""
        assert len(set(self.ids)) == len(self.ids) and all(self.ids), self.ids


def _of_message(answer):
    (choice,) = answer.data["choices"]
    calls = choice["message"].get("tool_calls") or []
    triples = [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in calls]
    return Called(triples, choice["finish_reason"], choice["message"].get("content"))


def _of_chunks(answer):
    stream = Streamed(answer.data)
    return Called([(call.id, call.name, call.arguments) for call in stream.calls], stream.finish, stream.text)


WAYS = {
    "buffered": lambda client, arguments: _of_message(client.chat(**arguments)),
    "streamed": lambda client, arguments: _of_chunks(client.chunks(**arguments)),
    "helper": lambda client, arguments: _of_message(client.helper(**arguments)),
}


@pytest.fixture(params=WAYS)
def called(request, openai):
    """Asks in each of the ways, and says what was called."""
    return lambda arguments: WAYS[request.param](openai, arguments)


def test_auto(called, side):
    """The model calls a tool when it likes."""
    reply = called(ask('[[tool:get_weather {"city": "Bern"}]]', side, tool_choice="auto"))
    assert (reply.names, reply.arguments) == (["get_weather"], [{"city": "Bern"}])
    assert reply.finish == "tool_calls"


def test_auto_without_a_call(called, side):
    """And does not when it does not."""
    reply = called(ask("Hi", side))
    assert (reply.names, reply.text, reply.finish) == ([], "You said: Hi", "stop")


def test_text_before_a_call(called, side):
    """Text and calls come together."""
    reply = called(ask('[[say:Let me look.]][[tool:get_time {}]]', side))
    assert (reply.text, reply.names, reply.finish) == ("Let me look.", ["get_time"], "tool_calls")


def test_thoughts_and_text_before_calls(openai, side):
    """Thoughts, text and calls in one reply."""
    prompt = f"[[think:Both cities.]][[say:Let me look.]]{TWO_CALLS}"
    arguments = ask(prompt, side, reasoning_effort="low", max_completion_tokens=8_000)
    stream = Streamed(openai.chunks(**{**arguments, "model": side.reasoner}).data)
    assert (stream.reasoning, stream.text, stream.finish) == ("Both cities.", "Let me look.", "tool_calls")
    assert [json.loads(call.arguments) for call in stream.calls] == CITIES


def test_required(called, side):
    """Some tool must be called."""
    reply = called(ask("Hi", side, tool_choice="required"))
    assert (reply.names, reply.arguments) == (["get_weather"], [CITY_EXAMPLE])
    assert reply.finish == "tool_calls"


def test_forced(called, side):
    """This tool must be called."""
    reply = called(ask("Hi", side, tool_choice={"type": "function", "function": {"name": "get_time"}}))
    assert (reply.names, reply.arguments) == (["get_time"], [{}])


def test_none(called, side):
    """No tool may be called."""
    reply = called(ask('[[tool:get_time {}]][[say:no]]', side, tool_choice="none"))
    assert (reply.names, reply.text, reply.finish) == ([], "no", "stop")


def test_parallel(called, side):
    """Several calls come in order, with their own ids and indices."""
    reply = called(ask(TWO_CALLS, side))
    assert (reply.names, reply.arguments) == (["get_weather", "get_weather"], CITIES)
    assert reply.finish == "tool_calls"


@pytest.mark.needs("parallel_tool_calls")
def test_not_parallel(called, side):
    """One at a time, if so asked."""
    reply = called(ask(TWO_CALLS, side, parallel_tool_calls=False))
    assert reply.arguments == CITIES[:1]


def test_no_arguments(called, side):
    """A call without arguments is one with none, not one with broken ones."""
    reply = called(ask('[[tool:get_time ""]]', side))
    assert (reply.names, reply.arguments, reply.finish) == (["get_time"], [{}], "tool_calls")


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_results(openai, side, streamed):
    """Results go back in a second turn, in another order than they were asked for, and the model reads them."""
    messages = ask(TWO_CALLS, side)["messages"]
    if streamed:
        first = openai.helper(model=side.model, messages=messages, tools=TOOLS)
    else:
        first = openai.chat(model=side.model, messages=messages, tools=TOOLS)
    message = first.data["choices"][0]["message"]
    first_id, second_id = (call["id"] for call in message["tool_calls"])
    # Helpers add what they have parsed; applications send back what the API knows.
    message = {name: value for name, value in message.items() if name not in ("parsed",)}
    message["tool_calls"] = [
        {
            "id": call["id"],
            "type": "function",
            "function": {"name": call["function"]["name"], "arguments": call["function"]["arguments"]},
        }
        for call in message["tool_calls"]
    ]
    messages += [
        message,
        {"role": "tool", "tool_call_id": second_id, "content": [{"type": "text", "text": "21 °C in Rome"}]},
        {"role": "tool", "tool_call_id": first_id, "content": "12 °C in Zürich"},
    ]
    if streamed:
        text = Streamed(openai.chunks(model=side.model, messages=messages, tools=TOOLS).data).text
    else:
        text = openai.chat(model=side.model, messages=messages, tools=TOOLS).data["choices"][0]["message"]["content"]
    assert text.startswith("The tool returned: "), text
    assert "12 °C in Zürich" in text and "21 °C in Rome" in text, text


@pytest.mark.parametrize("openai_client", ["openai-node"])
@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_tool_runner(openai, side, streamed):
    """The client's own loop: it answers the calls itself and asks again."""
    answer = openai.run_tools(**ask(TWO_CALLS, side, **({"stream": True} if streamed else {})))
    assert answer.data.startswith("The tool returned: "), answer
    assert [message["role"] for message in answer.events] == ["assistant", "tool", "tool", "assistant"], answer
    assert all(city["city"] in answer.data for city in CITIES), answer


def test_results_then_a_question(openai, side):
    """After the results the conversation goes on; an empty result is a result."""
    messages = [
        {"role": "user", "content": "What time is it?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "get_time", "arguments": ""}}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": ""},
        {"role": "user", "content": "[[say:I do not know]]"},
    ]
    answer = openai.chat(model=side.model, messages=messages, tools=TOOLS)
    assert answer.data["choices"][0]["message"]["content"] == "I do not know"


def test_results_while_reasoning(openai, side):
    """A model that reasons uses tools; who sends its message back as it came sends its thoughts home."""
    arguments = {"model": side.reasoner, "tools": TOOLS, "reasoning_effort": "low", "max_completion_tokens": 8_000}
    messages = [{"role": "user", "content": "[[think:I need the time.]][[tool:get_time {}]]"}]
    first = openai.chat(messages=messages, **arguments).data["choices"][0]["message"]
    assert first["reasoning_content"] == "I need the time."
    messages += [first, {"role": "tool", "tool_call_id": first["tool_calls"][0]["id"], "content": "noon"}]
    second = openai.chat(messages=messages, **arguments).data["choices"][0]["message"]
    assert second["content"] == "The tool returned: noon"
    side.check_thinking_came_home()

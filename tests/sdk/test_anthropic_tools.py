"""Tools through the Anthropic clients: which are called, how, and what comes of their results."""

import pytest
from official.anthropic_stream import Streamed, with_words
from official.shared import CITY_EXAMPLE, CITY_SCHEMA, PNG

WEATHER = {"name": "get_weather", "description": "Weather of a city", "input_schema": CITY_SCHEMA}
TIME = {"name": "get_time", "input_schema": {"type": "object"}}
TOOLS = [WEATHER, TIME]
TWO_CALLS = '[[tool:get_weather {"city": "Zürich"}]][[tool:get_weather {"city": "Rome", "days": 3}]]'
CITIES = [{"city": "Zürich"}, {"city": "Rome", "days": 3}]


def ask(prompt, side, **more):
    """Arguments of a request with tools."""
    messages = [{"role": "user", "content": prompt}]
    return {"model": side.model, "max_tokens": 1024, "messages": messages, "tools": TOOLS, **more}


class Called:
    """What one reply calls, whichever way it came."""

    def __init__(self, content, stop_reason):
        calls = [block for block in content if block["type"] == "tool_use"]
        self.content = content
        self.ids = [call["id"] for call in calls]
        self.names = [call["name"] for call in calls]
        self.inputs = [call["input"] for call in calls]
        self.text = "".join(block["text"] for block in content if block["type"] == "text")
        self.stop_reason = stop_reason
        assert len(set(self.ids)) == len(self.ids) and all(self.ids), self.ids


def _of_message(answer):
    return Called(answer.data["content"], answer.data["stop_reason"])


def _of_events(answer):
    stream = Streamed(answer.data)
    return Called(stream.content, stream.stop_reason)


WAYS = {
    "buffered": lambda client, arguments: _of_message(client.message(**arguments)),
    "streamed": lambda client, arguments: _of_events(client.events(**arguments)),
    "helper": lambda client, arguments: _of_message(client.helper(**arguments)),
}


@pytest.fixture(params=WAYS)
def called(request, anthropic):
    """Asks in each of the ways, and says what was called."""
    return lambda arguments: WAYS[request.param](anthropic, arguments)


def test_auto(called, side):
    """The model calls a tool when it likes."""
    reply = called(ask('[[tool:get_weather {"city": "Bern"}]]', side, tool_choice={"type": "auto"}))
    assert (reply.names, reply.inputs) == (["get_weather"], [{"city": "Bern"}])
    assert reply.stop_reason == "tool_use"


def test_auto_without_a_call(called, side):
    """And does not when it does not."""
    reply = called(ask("Hi", side))
    assert (reply.names, reply.text, reply.stop_reason) == ([], "You said: Hi", "end_turn")


def test_text_before_a_call(called, side):
    """Text and calls come together, in this order."""
    reply = called(ask("[[say:Let me look.]][[tool:get_time {}]]", side))
    assert [block["type"] for block in reply.content] == ["text", "tool_use"]
    assert (reply.text, reply.names, reply.stop_reason) == ("Let me look.", ["get_time"], "tool_use")


def test_thoughts_and_text_before_calls(called, side):
    """All kinds of blocks in one reply, in this order."""
    prompt = f"[[think:Both cities.]][[say:Let me look.]]{TWO_CALLS}"
    arguments = ask(prompt, side, max_tokens=8_000, thinking={"type": "enabled", "budget_tokens": 2_000})
    reply = called({**arguments, "model": side.reasoner})
    content = with_words(reply.content, side)
    assert [block["type"] for block in content] == ["thinking", "text", "tool_use", "tool_use"]
    assert (content[0]["thinking"], reply.text, reply.inputs) == ("Both cities.", "Let me look.", CITIES)
    assert reply.stop_reason == "tool_use"


def test_any(called, side):
    """Some tool must be called."""
    reply = called(ask("Hi", side, tool_choice={"type": "any"}))
    assert (reply.names, reply.inputs) == (["get_weather"], [CITY_EXAMPLE])
    assert reply.stop_reason == "tool_use"


def test_forced(called, side):
    """This tool must be called."""
    reply = called(ask("Hi", side, tool_choice={"type": "tool", "name": "get_time"}))
    assert (reply.names, reply.inputs) == (["get_time"], [{}])


def test_none(called, side):
    """No tool may be called."""
    reply = called(ask("[[tool:get_time {}]][[say:no]]", side, tool_choice={"type": "none"}))
    assert (reply.names, reply.text, reply.stop_reason) == ([], "no", "end_turn")


def test_parallel(called, side):
    """Several calls come in order, with their own ids."""
    reply = called(ask(TWO_CALLS, side))
    assert (reply.names, reply.inputs) == (["get_weather", "get_weather"], CITIES)
    assert reply.stop_reason == "tool_use"


@pytest.mark.needs("parallel_tool_calls")
def test_not_parallel(called, side):
    """One at a time, if so asked."""
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    assert called(ask(TWO_CALLS, side, tool_choice=choice)).inputs == CITIES[:1]


def test_no_arguments(called, side):
    """A call without arguments has an empty input."""
    reply = called(ask('[[tool:get_time ""]]', side))
    assert (reply.names, reply.inputs, reply.stop_reason) == (["get_time"], [{}], "tool_use")


@pytest.mark.parametrize("way", WAYS)
def test_results(anthropic, side, way):
    """Results go back in a second turn, in another order than they were asked for, and the model reads them."""
    arguments = ask(TWO_CALLS, side)
    first = WAYS[way](anthropic, arguments)
    results = [
        {"type": "tool_result", "tool_use_id": first.ids[1], "content": [{"type": "text", "text": "21 °C in Rome"}]},
        {"type": "tool_result", "tool_use_id": first.ids[0], "content": "12 °C in Zürich"},
    ]
    arguments["messages"] += [
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": results},
    ]
    second = WAYS[way](anthropic, arguments)
    assert second.text.startswith("The tool returned: "), second.text
    assert "12 °C in Zürich" in second.text and "21 °C in Rome" in second.text, second.text


def test_tool_runner(anthropic, side):
    """The client's own loop: it answers the calls itself and asks again.

    It would rather have the vendor keep the conversation and send what is new only. Nobody here does, and it has to be
    told in a way that makes it send everything.
    """
    arguments = ask(TWO_CALLS.replace(', "days": 3', ""), side)
    del arguments["tools"]
    first, second = anthropic.run_tools(**arguments).data
    assert [block["type"] for block in first["content"]] == ["tool_use", "tool_use"]
    (block,) = second["content"]
    assert "12 °C in Zürich" in block["text"] and "12 °C in Rome" in block["text"], block
    refused = [attempt for attempt in side.virtual.attempts() if attempt.refused]
    assert [set(attempt.json["thread"]) for attempt in refused] == ([{"type"}] if side.dialect == "anthropic" else [])
    assert len(side.virtual.attempts()) == 2 + len(refused)
    side.virtual.reset()


def test_results_then_a_question(connect, house, anthropic_client, side):
    """Results that are empty or errors (which only this API marks), and text after them in the same turn."""
    anthropic = connect(anthropic_client, house.lenient.token)
    calls = [{"type": "tool_use", "id": f"toolu_{number}", "name": "get_time", "input": {}} for number in (1, 2)]
    content = [
        {"type": "tool_result", "tool_use_id": "toolu_1"},
        {"type": "tool_result", "tool_use_id": "toolu_2", "content": "no clock", "is_error": True},
        {"type": "text", "text": "[[say:I do not know]]"},
    ]
    arguments = ask("What time is it?", side)
    arguments["messages"] += [{"role": "assistant", "content": calls}, {"role": "user", "content": content}]
    reply = _of_message(anthropic.message(**arguments))
    assert reply.text == "I do not know"
    assert "no clock" in side.last.body


def test_result_with_a_picture(connect, house, anthropic_client, side):
    """A picture as a result reaches a provider whose results are texts, if at another place."""
    anthropic = connect(anthropic_client, house.lenient.token)
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Bern"}}
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "See:"}, image]}
    arguments = ask("Look.", side)
    arguments["messages"] += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    _of_message(anthropic.message(**arguments))
    assert PNG in side.last.body


def test_results_while_thinking(connect, house, anthropic_client, side):
    """Thoughts go back with the results, to the provider that thought them; Chat has no place for them."""
    token = house.lenient.token if side.dialect == "openai" else house.strict.token
    anthropic = connect(anthropic_client, token)
    arguments = {
        **ask("[[think:I need the time.]][[tool:get_time {}]]", side, max_tokens=8_000),
        "model": side.reasoner,
        "thinking": {"type": "enabled", "budget_tokens": 2_000},
    }
    first = _of_message(anthropic.message(**arguments))
    assert [block["type"] for block in with_words(first.content, side)] == ["thinking", "tool_use"]
    result = {"type": "tool_result", "tool_use_id": first.ids[0], "content": "noon"}
    arguments["messages"] += [
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result]},
    ]
    assert _of_message(anthropic.message(**arguments)).text == "The tool returned: noon"
    side.check_thinking_came_home()

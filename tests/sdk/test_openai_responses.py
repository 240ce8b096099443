"""Responses through the OpenAI clients, buffered and streamed, whatever the provider speaks."""

import json

import pytest
from official.answer import ClientError
from official.shared import CITY_EXAMPLE, CITY_SCHEMA, LONG, PDF, PNG, UNICODE, Person, check_request_id

WEATHER = {
    "type": "function", "name": "get_weather", "description": "Weather of a city", "parameters": CITY_SCHEMA,
    "strict": False,
}  # fmt: skip
TIME = {"type": "function", "name": "get_time", "parameters": {"type": "object", "properties": {}}, "strict": False}
TWO_CALLS = '[[tool:get_weather {"city": "Zürich"}]][[tool:get_weather {"city": "Rome", "days": 3}]]'
CITIES = [{"city": "Zürich"}, {"city": "Rome", "days": 3}]


def ask(side, prompt, **more):
    """Arguments of a request of one turn."""
    return {"model": side.model, "input": prompt, **more}


def text_of(response):
    """All text of a reply in one piece."""
    messages = [item for item in response["output"] if item["type"] == "message"]
    parts = [part for message in messages for part in message["content"] if part["type"] == "output_text"]
    return "".join(part["text"] for part in parts)


def check_usage(usage, side):
    """The client was told what the provider counted."""
    cost = side.usage
    assert (usage["input_tokens"], usage["output_tokens"]) == (cost["input"], cost["output"]), (usage, cost)
    assert usage["total_tokens"] == cost["input"] + cost["output"], (usage, cost)
    assert usage["input_tokens_details"]["cached_tokens"] == cost["cached"], (usage, cost)
    assert usage["output_tokens_details"]["reasoning_tokens"] == cost["reasoning"], (usage, cost)


class Streamed:
    """A stream, put together and checked: every event has its place."""

    def __init__(self, events):
        self.kinds = [event["type"] for event in events]
        assert [event["sequence_number"] for event in events] == list(range(len(events))), events
        assert self.kinds[:2] == ["response.created", "response.in_progress"], self.kinds
        self.final = events[-1]["response"]
        assert self.kinds[-1] == f"response.{self.final['status']}", self.kinds
        self.text = "".join(e["delta"] for e in events if e["type"] == "response.output_text.delta")
        done = [e for e in events if e["type"] == "response.output_item.done"]
        assert [e["item"] for e in done] == self.final["output"], events
        assert [e["output_index"] for e in done] == list(range(len(done))), events
        opened = set()
        for event in events:
            item = event.get("item", {}).get("id") or event.get("item_id")
            if event["type"] == "response.output_item.added":
                opened.add(item)
            elif item:
                assert item in opened, (event, opened)
            if event["type"] == "response.output_item.done":
                opened.remove(item)
        assert not opened


def responses(client, way, arguments):
    """The whole reply, in each of the ways."""
    if way == "buffered":
        return client.response(**arguments).data
    if way == "helper":
        return client.response_helper(**arguments).data
    return Streamed(client.response_events(**arguments).data).final


@pytest.fixture(params=["buffered", "streamed", "helper"])
def respond(request, openai):
    """Asks in each of the ways."""
    return lambda arguments: responses(openai, request.param, arguments)


def calls_of(response):
    """What a reply calls."""
    calls = [item for item in response["output"] if item["type"] == "function_call"]
    assert len({call["call_id"] for call in calls}) == len(calls)
    return [(call["name"], json.loads(call["arguments"] or "{}")) for call in calls]


def test_text(respond, side):
    """Text, and what it cost."""
    reply = respond(ask(side, "[[say:Hello there]]"))
    assert (text_of(reply), reply["status"], reply["error"]) == ("Hello there", "completed", None)
    assert reply["id"].startswith("resp_") and reply["object"] == "response"
    check_usage(reply["usage"], side)


def test_streamed(openai, side):
    """A reply in events, with its usage at the end."""
    answer = openai.response_events(**ask(side, "[[words:40]]"))
    stream = Streamed(answer.data)
    assert stream.text == text_of(stream.final) == " ".join(f"word{number}" for number in range(1, 41))
    check_usage(stream.final["usage"], side)
    check_request_id(answer)


def test_instructions(respond, side):
    """Instructions arrive as what the provider has for them, and are repeated in the reply."""
    reply = respond(ask(side, "[[say:ok]]", instructions="Be terse."))
    assert (text_of(reply), reply["instructions"]) == ("ok", "Be terse.")
    assert "Be terse." in side.last.body


def test_turns(openai, side):
    """Items in all their forms: short messages, long ones, and a reply that is sent back as it came."""
    first = openai.response(**ask(side, "[[say:Yes.]]", store=False)).data
    items = [
        {"role": "developer", "content": "Answer briefly."},
        {"role": "user", "content": "Are you there?"},
        *first["output"],
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Good. [[say:bye]]"}]},
    ]
    assert text_of(openai.response(**ask(side, items, store=False)).data) == "bye"
    for text in ("Answer briefly.", "Are you there?", "Yes.", "Good. "):
        assert text in side.last.body


# Python's helper raises where a reply did not end as it should.
UNHELPED = pytest.mark.parametrize("respond", ["buffered", "streamed"], indirect=True)


@UNHELPED
def test_length(respond, side):
    """The limit holds, and the reply says that it is not whole."""
    reply = respond(ask(side, "[[words:100]]", max_output_tokens=16))
    assert (reply["status"], reply["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert text_of(reply)


def test_unicode(respond, side):
    """Characters survive, also when the provider's writes are cut inside them."""
    assert text_of(respond(ask(side, f"{UNICODE} [[unicode]]"))) == UNICODE


def test_long_prompt(openai, side):
    """A megabyte arrives whole."""
    reply = openai.response(**{**ask(side, f"{LONG}[[say:read it all]]"), "model": side.roomy})
    assert text_of(reply.data) == "read it all"
    assert json.dumps(LONG)[1:-1] in side.last.body


def test_image(respond, side):
    """A picture arrives as the same bytes."""
    parts = [
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "auto"},
        {"type": "input_text", "text": "What colour is it? [[say:orange]]"},
    ]
    assert text_of(respond(ask(side, [{"role": "user", "content": parts}]))) == "orange"
    assert PNG in side.last.body


@pytest.mark.needs("filename")
def test_document(openai, side):
    """A document arrives as the same bytes."""
    parts = [
        {"type": "input_file", "filename": "paper.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
        {"type": "input_text", "text": "[[say:read]]"},
    ]
    assert text_of(openai.response(**ask(side, [{"role": "user", "content": parts}])).data) == "read"
    assert PDF in side.last.body


def test_calls(respond, side):
    """Two calls, whole, each with its own arguments."""
    reply = respond(ask(side, TWO_CALLS, tools=[WEATHER, TIME]))
    assert calls_of(reply) == [("get_weather", city) for city in CITIES]
    assert [tool["name"] for tool in reply["tools"]] == ["get_weather", "get_time"]


CHOICES = {
    "auto": ("auto", []),
    "required": ("required", ["get_weather"]),
    "none": ("none", []),
    "named": ({"type": "function", "name": "get_time"}, ["get_time"]),
    "allowed": (
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "get_time"}]},
        ["get_time"],
    ),
}


@pytest.mark.parametrize("choice", CHOICES)
def test_choices(openai, side, choice):
    """The model must, may, or must not call, or only some."""
    asked, called = CHOICES[choice]
    reply = openai.response(**ask(side, "Hi", tools=[WEATHER, TIME], tool_choice=asked)).data
    assert [name for name, _ in calls_of(reply)] == called
    assert all(arguments in (CITY_EXAMPLE, {}) for _, arguments in calls_of(reply))


def test_results(openai, side):
    """Calls are answered, and the model goes on."""
    asked = [{"role": "user", "content": TWO_CALLS}]
    first = openai.response(**ask(side, asked, tools=[WEATHER], store=False)).data
    results = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": f"{number}°"}
        for number, item in enumerate(item for item in first["output"] if item["type"] == "function_call")
    ]
    items = [*asked, *first["output"], *results, {"role": "user", "content": "[[say:Warm.]]"}]
    assert text_of(openai.response(**ask(side, items, tools=[WEATHER], store=False)).data) == "Warm."
    assert "0°" in side.last.body and "1°" in side.last.body


REASONING = {"reasoning": {"effort": "low", "summary": "auto"}, "max_output_tokens": 8_000}


@pytest.fixture(params=["buffered", "streamed", "helper"])
def think(request, connect, openai_client, house, side):
    """Asks in each of the ways, to see what is thought."""
    client = connect(openai_client, house.key_to_see_thoughts(side).token)
    return lambda arguments: responses(client, request.param, arguments)


def test_reasoning(think, side):
    """Thoughts come as reasoning items, before the text."""
    arguments = ask(side, "[[think:Let me see.]][[say:Yes.]]", **REASONING)
    reply = think({**arguments, "model": side.reasoner})
    assert text_of(reply) == "Yes."
    thoughts = [item for item in reply["output"] if item["type"] == "reasoning"]
    assert "".join(part["text"] for item in thoughts for part in item["summary"]) == "Let me see."
    assert reply["output"].index(thoughts[0]) < len(reply["output"]) - 1


def test_tools_with_replayed_thinking(think, side):
    """What was thought before a call goes back in the next turn, and its home accepts it."""
    asked = [{"role": "user", "content": '[[think:Ask the tool.]][[tool:get_weather {"city": "Bern"}]]'}]
    more = {
        "model": side.reasoner, "tools": [WEATHER], "store": False, "include": ["reasoning.encrypted_content"],
        **REASONING,
    }  # fmt: skip
    first = think({**ask(side, asked), **more})
    (call,) = (item for item in first["output"] if item["type"] == "function_call")
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "21°"}
    # Helpers add what they have parsed; applications send back what the API knows.
    output = [{name: value for name, value in item.items() if "parsed" not in name} for item in first["output"]]
    items = [*asked, *output, result, {"role": "user", "content": "[[say:Warm.]]"}]
    assert text_of(think({**ask(side, items), **more})) == "Warm."
    side.check_thinking_came_home()


@pytest.mark.parametrize("openai_client", ["openai-py", "openai-py-async"])
def test_structured_output(openai, side):
    """A reply that fits a schema, which the client parses."""
    person = {
        "name": "Ada", "nickname": None, "address": {"city": "London", "zip_code": 1}, "languages": ["en"],
    }  # fmt: skip
    answer = openai.response_parsed(**ask(side, f"[[say:{json.dumps(person)}]]", text_format=Person))
    assert answer.data == Person.model_validate(person)


def test_cache(respond, side):
    """What the provider had in its cache is told as part of the prompt, in this API's way."""
    book = {"type": "input_text", "text": "book " * 4_000}
    if side.dialect in ("anthropic", "bedrock"):
        # Their caches need to be told how far.
        book["prompt_cache_breakpoint"] = {"mode": "explicit"}
    turns = [
        {"role": "user", "content": [book]},
        {"role": "assistant", "content": "Read."},
        {"role": "user", "content": "Again"},
    ]
    reply = respond(ask(side, turns, store=False))
    assert side.usage["cached"] > 4_000, side.usage
    check_usage(reply["usage"], side)


@UNHELPED
def test_refusal(respond, side):
    """A refusal is said as one, or as a reply that a filter ended."""
    reply = respond(ask(side, "[[refuse]]"))
    parts = [part for item in reply["output"] if item["type"] == "message" for part in item["content"]]
    refused = any(part["type"] == "refusal" for part in parts)
    assert refused or reply["incomplete_details"] == {"reason": "content_filter"}, reply


def test_what_only_responses_keeps(openai, side):
    """State works where the provider has it, and is a clear error where not."""
    if side.dialect != "responses":
        with pytest.raises(ClientError) as raised:
            openai.response(**ask(side, "Hi", previous_response_id="resp_0123456789"))
        assert raised.value.status == 400
        assert "previous_response_id" in raised.value.message
        return
    first = openai.response(**ask(side, "[[say:Remember me.]]", store=True)).data
    second = openai.response(**ask(side, "[[say:I do.]]", store=True, previous_response_id=first["id"])).data
    assert text_of(second) == "I do." and second["previous_response_id"] == first["id"]
    assert text_of(openai.stored(first["id"]).data) == "Remember me."
    assert [item["type"] for item in openai.items(first["id"]).data] == ["message"]
    openai.forgotten(first["id"])
    with pytest.raises(ClientError) as raised:
        openai.stored(first["id"])
    assert raised.value.status == 404
    # That the last one asked for nothing is what was wanted.
    side.virtual.reset()


@pytest.mark.parametrize("status", [429, 500])
def test_upstream_errors(openai, broken, status):
    """Failures of the provider are the client's own exceptions."""
    broken.virtual.always("status", status=status)
    with pytest.raises(ClientError) as raised:
        openai.response(model=broken.model, input="Hi")
    assert raised.value.status == (429 if status == 429 else 502)


def test_cut_stream(openai, broken):
    """A stream that breaks off is not presented as whole."""
    broken.virtual.always("cut_after_tokens", tokens=3)
    with pytest.raises(ClientError) as raised:
        openai.response_events(model=broken.model, input="[[words:20]][[delay_ms:30]]")
    assert not any(event["type"] == "response.completed" for event in raised.value.received)


def test_left_stream(openai, side):
    """A client may leave."""
    assert openai.response_left(**ask(side, "[[words:200]][[delay_ms:5]]")).data["delta"]

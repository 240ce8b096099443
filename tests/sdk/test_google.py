"""Gemini's API through Google's client, buffered and streamed, whatever the provider speaks."""

import base64
import json

import pytest
from google.genai import types
from official.answer import ClientError
from official.shared import CITY_EXAMPLE, CITY_SCHEMA, LONG, PNG, UNICODE, Person

WEATHER = types.FunctionDeclaration(
    name="get_weather", description="Weather of a city", parameters_json_schema=CITY_SCHEMA
)
TIME = types.FunctionDeclaration(name="get_time")
TOOLS = [types.Tool(function_declarations=[WEATHER, TIME])]
TWO_CALLS = '[[tool:get_weather {"city": "Zürich"}]][[tool:get_weather {"city": "Rome", "days": 3}]]'
CITIES = [{"city": "Zürich"}, {"city": "Rome", "days": 3}]


def by_hand(**more):
    """A configuration with tools that the client is not to call itself."""
    off = types.AutomaticFunctionCallingConfig(disable=True)
    return types.GenerateContentConfig(tools=TOOLS, automatic_function_calling=off, **more)


def said(chunks):
    """The text of a stream."""
    parts = [part for chunk in chunks for candidate in chunk.candidates or [] for part in parts_of(candidate)]
    return "".join(part.text for part in parts if part.text and not part.thought)


def parts_of(candidate):
    """A candidate's parts; it may have none."""
    return (candidate.content and candidate.content.parts) or []


def thought(reply):
    """What the model thought."""
    parts = parts_of(reply.candidates[0])
    return "".join(part.text for part in parts if part.text and part.thought)


def finish(reply):
    """Why the model stopped."""
    return reply.candidates[0].finish_reason.name


def check_usage(reply, side):
    """The client was told what the provider counted."""
    cost, usage = side.usage, reply.usage_metadata
    assert usage.prompt_token_count == cost["input"], (usage, cost)
    written = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    assert written == cost["output"], (usage, cost)
    assert usage.total_token_count == cost["input"] + cost["output"], (usage, cost)
    assert (usage.cached_content_token_count or 0) == cost["cached"], (usage, cost)


def test_buffered(google, side):
    """A reply in one piece, with its usage."""
    reply = google.generate(model=side.model, contents="[[say:Hello there]]")
    assert (reply.text, finish(reply)) == ("Hello there", "STOP")
    assert reply.response_id and reply.model_version
    check_usage(reply, side)


def test_streamed(google, side):
    """A reply in chunks, with its usage at the end."""
    chunks = google.stream(model=side.model, contents="[[words:40]]")
    assert said(chunks) == " ".join(f"word{number}" for number in range(1, 41))
    assert finish(chunks[-1]) == "STOP"
    assert len(chunks) > 1
    check_usage(chunks[-1], side)


def test_system(google, side):
    """The system instruction arrives as what the provider has for it."""
    config = types.GenerateContentConfig(system_instruction="Be terse.")
    assert google.generate(model=side.model, contents="[[say:ok]]", config=config).text == "ok"
    assert "Be terse." in side.last.body


def test_turns(google, side):
    """A conversation that the client itself keeps."""
    replies = google.chat(["[[say:Yes.]]", "Are you there?", "[[say:bye]]"], model=side.model)
    assert [reply.text for reply in replies] == ["Yes.", "You said: Are you there?", "bye"]
    for text in ("Yes.", "Are you there?"):
        assert text in side.last.body


@pytest.mark.needs("stop")
def test_stop_sequences(google, side):
    """The text ends before the sequence."""
    arguments = {
        "model": side.model,
        "contents": "[[say:one two END three]]",
        "config": types.GenerateContentConfig(stop_sequences=["NEVER", "END"]),
    }
    assert google.generate(**arguments).text == "one two "
    assert said(google.stream(**arguments)) == "one two "


def test_max_tokens(google, side):
    """The limit holds, and the reason is `MAX_TOKENS`."""
    config = types.GenerateContentConfig(max_output_tokens=16)
    arguments = {"model": side.model, "contents": "[[words:100]]", "config": config}
    reply = google.generate(**arguments)
    assert finish(reply) == "MAX_TOKENS"
    chunks = google.stream(**arguments)
    assert (said(chunks), finish(chunks[-1])) == (reply.text, "MAX_TOKENS")


def test_unicode(google, side):
    """Characters survive, also when the provider's writes are cut inside them."""
    arguments = {"model": side.model, "contents": f"{UNICODE} [[unicode]]"}
    assert google.generate(**arguments).text == UNICODE
    assert said(google.stream(**arguments)) == UNICODE


def test_cache(google, side):
    """What the provider had in its cache is told as part of the prompt.

    Claude's waits for markers, and this API has none.
    """
    turns = [
        types.Content(role="user", parts=[types.Part(text="book " * 4_000)]),
        types.Content(role="model", parts=[types.Part(text="Read.")]),
        types.Content(role="user", parts=[types.Part(text="Again")]),
    ]
    reply = google.generate(model=side.model, contents=turns)
    assert (side.usage["cached"] > 4_000) is (side.dialect not in ("anthropic", "bedrock")), side.usage
    check_usage(reply, side)


def test_long_prompt(google, side):
    """A megabyte arrives whole."""
    reply = google.generate(model=side.roomy, contents=f"{LONG}[[say:read it all]]")
    assert reply.text == "read it all"
    assert json.dumps(LONG)[1:-1] in side.last.body


def test_image(google, side):
    """A picture arrives as the same bytes."""
    picture = types.Part.from_bytes(data=base64.b64decode(PNG), mime_type="image/png")
    reply = google.generate(model=side.model, contents=[picture, "What colour is it? [[say:orange]]"])
    assert reply.text == "orange"
    assert PNG in side.last.body


def calls_of(google, way, side, prompt, config):
    """Function calls, in either way."""
    arguments = {"model": side.model, "contents": prompt, "config": config}
    replies = [google.generate(**arguments)] if way == "buffered" else google.stream(**arguments)
    parts = [part for reply in replies for candidate in reply.candidates or [] for part in parts_of(candidate)]
    return [part.function_call for part in parts if part.function_call]


@pytest.fixture(params=["buffered", "streamed"])
def way(request):
    """How a reply is asked for."""
    return request.param


def test_calls(google, side, way):
    """Two calls of one tool, whole, each with its own arguments."""
    calls = calls_of(google, way, side, TWO_CALLS, by_hand())
    assert [(call.name, call.args) for call in calls] == [("get_weather", city) for city in CITIES]


MODES = {"AUTO": [], "ANY": ["get_weather"], "NONE": []}


@pytest.mark.parametrize("mode", MODES)
def test_modes(google, side, way, mode):
    """The model must, may, or must not call."""
    choice = types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode=mode))
    calls = calls_of(google, way, side, "Hi", by_hand(tool_config=choice))
    assert [call.name for call in calls] == MODES[mode]
    assert all(call.args == CITY_EXAMPLE for call in calls)


def test_allowed_names(google, side, way):
    """Only the tools that are named may be called."""
    allowed = types.FunctionCallingConfig(mode="ANY", allowed_function_names=["get_time"])
    calls = calls_of(google, way, side, "Hi", by_hand(tool_config=types.ToolConfig(function_calling_config=allowed)))
    assert [call.name for call in calls] == ["get_time"]


def test_results(google, side):
    """Calls are answered by hand, and the model goes on."""
    asked = types.Content(role="user", parts=[types.Part(text=TWO_CALLS)])
    reply = google.generate(model=side.model, contents=[asked], config=by_hand())
    called = reply.candidates[0].content
    results = [
        types.FunctionResponse(id=call.id, name=call.name, response={"result": f"{number} degrees"})
        for number, call in enumerate(reply.function_calls)
    ]
    parts = [types.Part(function_response=result) for result in results]
    turns = [asked, called, types.Content(role="user", parts=parts)]
    final = google.generate(model=side.model, contents=[*turns, "[[say:Warm.]]"], config=by_hand())
    assert final.text == "Warm."
    assert "0 degrees" in side.last.body and "1 degrees" in side.last.body


@pytest.mark.parametrize("google_client", ["google-py"])
def test_automatic_calls(google, side):
    """The client answers calls itself, and asks again.

    The result has no type here: the client would declare it, which no other dialect has a word for.
    """
    seen = []

    def get_weather(city: str):
        """Weather of a city."""
        seen.append(city)
        return "[[say:Sunny.]]"

    config = types.GenerateContentConfig(tools=[get_weather])
    reply = google.generate(model=side.model, contents='[[tool:get_weather {"city": "Bern"}]]', config=config)
    assert seen == ["Bern"]
    assert reply.text


def test_reasoning(connect_google, house, side, way):
    """Thoughts come as thoughts, text as text."""
    google = connect_google(house.key_to_see_thoughts(side).token)
    thinking = types.ThinkingConfig(include_thoughts=True, thinking_budget=2_048)
    config = types.GenerateContentConfig(thinking_config=thinking, max_output_tokens=8_000)
    arguments = {"model": side.reasoner, "contents": "[[think:Let me see.]][[say:Yes.]]", "config": config}
    if way == "buffered":
        reply = google.generate(**arguments)
        thoughts, text = thought(reply), reply.text
        check_usage(reply, side)
    else:
        chunks = google.stream(**arguments)
        thoughts = "".join(thought(chunk) for chunk in chunks if chunk.candidates)
        text = said(chunks)
        check_usage(chunks[-1], side)
    assert text == "Yes."
    assert thoughts == "Let me see."


def test_tools_with_replayed_thinking(connect_google, house, side):
    """What was thought before a call goes back in the next turn, and its home accepts it."""
    google = connect_google(house.key_to_see_thoughts(side).token)
    thinking = types.ThinkingConfig(include_thoughts=True, thinking_budget=2_048)
    config = by_hand(thinking_config=thinking, max_output_tokens=8_000)
    asked = types.Content(
        role="user", parts=[types.Part(text='[[think:Ask the tool.]][[tool:get_weather {"city": "Bern"}]]')]
    )
    reply = google.generate(model=side.reasoner, contents=[asked], config=config)
    (call,) = reply.function_calls
    result = types.FunctionResponse(id=call.id, name=call.name, response={"result": "21°"})
    answer = types.Content(role="user", parts=[types.Part(function_response=result)])
    turns = [asked, reply.candidates[0].content, answer]
    final = google.generate(model=side.reasoner, contents=[*turns, "[[say:Warm.]]"], config=config)
    assert final.text == "Warm."
    side.check_thinking_came_home()


def test_structured_output(google, side):
    """A reply that fits a schema, which the client parses."""
    person = {
        "name": "Ada", "nickname": None, "address": {"city": "London", "zip_code": 1}, "languages": ["en"],
    }  # fmt: skip
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Person)
    reply = google.generate(model=side.model, contents=f"[[say:{json.dumps(person)}]]", config=config)
    assert reply.parsed == Person.model_validate(person)


def test_count(google, side):
    """A prompt's size, from the provider where it counts, and estimated where not."""
    arguments = {"model": side.model, "contents": "How many tokens are these?"}
    counted = google.count(**arguments)
    counts = len(side.virtual.attempts())
    google.generate(**arguments)
    assert counted.total_tokens == side.usage["input"] or counts == 0 and counted.total_tokens > 0


@pytest.mark.needs("embeddings")
def test_embed(google, side):
    """Vectors, one for each text."""
    one = google.embed(model=side.embedder, contents="one")
    (vector,) = one.embeddings
    assert vector.values and all(isinstance(value, float) for value in vector.values)


def test_models(google):
    """The list, and one of it."""
    names = [model.name for model in google.listed()]
    assert "models/house-gpt" in names
    model = google.get("house-gpt")
    assert model.name == "models/house-gpt"


@pytest.mark.parametrize("status, word", [(429, "RESOURCE_EXHAUSTED"), (500, None), (503, None)])
def test_upstream_errors(google, broken, status, word):
    """Failures of the provider are exceptions with a code."""
    broken.virtual.always("status", status=status)
    with pytest.raises(ClientError) as raised:
        google.generate(model=broken.model, contents="Hi")
    assert raised.value.status == (429 if status == 429 else 502)
    assert word is None or raised.value.code == word
    assert raised.value.kind == ("ClientError" if status == 429 else "ServerError")


def test_bad_key(connect_google):
    """A key that nobody knows."""
    with pytest.raises(ClientError) as raised:
        connect_google("slc-nonsense").generate(model="house-gpt", contents="Hi")
    assert raised.value.status == 401


def test_unknown_model(google):
    """A model that does not exist."""
    with pytest.raises(ClientError) as raised:
        google.generate(model="house-gtp", contents="Hi")
    assert (raised.value.status, raised.value.code) == (404, "NOT_FOUND")
    assert "house-gpt" in raised.value.message


def test_cut_stream(google, broken):
    """A stream that breaks off is not presented as whole."""
    broken.virtual.always("cut_after_tokens", tokens=3)
    with pytest.raises(ClientError):
        google.stream(model=broken.model, contents="[[words:20]][[delay_ms:30]]")


def test_left_stream(google, side):
    """A client may leave."""
    assert google.left(model=side.model, contents="[[words:200]][[delay_ms:5]]").candidates


def test_many_at_once(google, side):
    """Many streams do not mix."""
    requests = [{"model": side.model, "contents": f"[[say:only {number}]]"} for number in range(16)]
    assert [said(chunks) for chunks in google.at_once(requests)] == [f"only {number}" for number in range(16)]

"""Messages through the Anthropic clients, buffered and streamed, whatever the provider speaks."""

import json

import pytest
from official.anthropic_stream import Streamed, with_words
from official.shared import LONG, PDF, PNG, UNICODE, Person, check_request_id


def ask(side, prompt, **more):
    """Arguments of a request of one turn."""
    messages = [{"role": "user", "content": prompt}]
    return {"model": side.model, "max_tokens": 1024, "messages": messages, **more}


def text_of(answer):
    """All text of a reply in one piece."""
    return "".join(block["text"] for block in answer.data["content"] if block["type"] == "text")


def check_usage(usage, side):
    """The client was told what the provider counted, in this API's way: without what a cache held."""
    cost = side.usage
    cached, written = usage.get("cache_read_input_tokens") or 0, usage.get("cache_creation_input_tokens") or 0
    assert usage["input_tokens"] + cached + written == cost["input"], (usage, cost)
    assert cached == cost["cached"], (usage, cost)
    assert usage["output_tokens"] == cost["output"], (usage, cost)


def test_buffered(anthropic, side):
    """A reply in one piece, with its usage."""
    answer = anthropic.message(**ask(side, "[[say:Hello there]]"))
    assert [block["type"] for block in answer.data["content"]] == ["text"]
    assert text_of(answer) == "Hello there"
    assert (answer.data["type"], answer.data["role"]) == ("message", "assistant")
    assert (answer.data["stop_reason"], answer.data["stop_sequence"]) == ("end_turn", None)
    assert answer.data["model"] == side.served
    check_usage(answer.data["usage"], side)
    check_request_id(answer)


def test_streamed(anthropic, side):
    """A reply in events, with its usage at the end."""
    answer = anthropic.events(**ask(side, "[[words:40]]"))
    stream = Streamed(answer.data)
    assert stream.text == " ".join(f"word{number}" for number in range(1, 41))
    assert (stream.stop_reason, stream.stop_sequence) == ("end_turn", None)
    assert sum(event["type"] == "content_block_delta" for event in answer.data) >= 40
    check_usage(stream.usage, side)
    check_request_id(answer)


def test_stream_helper(anthropic, side):
    """The client's own helper puts the stream together."""
    answer = anthropic.helper(**ask(side, "[[say:Hello there, friend]]"))
    assert text_of(answer) == "Hello there, friend"
    assert answer.data["stop_reason"] == "end_turn"
    assert {"text", "content_block_stop", "message_stop"} <= set(answer.events), answer.events
    check_usage(answer.data["usage"], side)
    check_request_id(answer)


def test_text_stream(anthropic, side):
    """The helper's stream of texts."""
    answer = anthropic.text(**ask(side, "[[words:20]]"))
    assert "".join(answer.data) == " ".join(f"word{number}" for number in range(1, 21))
    assert len(answer.data) >= 20


def test_raw_reply(anthropic, side):
    """Headers are readable: the request id, and the gateway's own account of the exchange."""
    answer = anthropic.raw_message(**ask(side, "Hi"))
    assert text_of(answer) == "You said: Hi"
    check_request_id(answer)
    assert answer.headers["request-id"] == answer.request_id
    assert answer.headers["x-sluice-request-id"]
    assert answer.headers["x-sluice-provider"] == side.virtual.name
    assert answer.headers["x-sluice-attempts"] == "1"
    assert "x-sluice-dropped-params" not in answer.headers


@pytest.mark.parametrize("form", ["text", "blocks"])
def test_system(anthropic, side, form):
    """The system prompt arrives as what the provider has for it."""
    system = "Be terse." if form == "text" else [{"type": "text", "text": "Be"}, {"type": "text", "text": " terse."}]
    answer = anthropic.message(**ask(side, "[[say:ok]]", system=system))
    assert text_of(answer) == "ok"
    sent = side.sent
    if side.dialect == "anthropic":
        assert sent.json["system"] == system
    assert "".join(sent.instructions).replace("\n", "") == "Be terse.", sent.json
    assert sent.turns == [("user", ["[[say:ok]]"])], sent.json


def test_turns(anthropic, side):
    """Turns of one role in a row, and blocks instead of texts."""
    messages = [
        {"role": "user", "content": "Hello"},
        {"role": "user", "content": [{"type": "text", "text": "Are you there?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]},
        {"role": "user", "content": [{"type": "text", "text": "Good. "}, {"type": "text", "text": "[[say:bye]]"}]},
    ]
    answer = anthropic.message(model=side.model, max_tokens=100, messages=messages)
    assert text_of(answer) == "bye"
    for text in ("Hello", "Are you there?", "Yes.", "Good. "):
        assert text in side.last.body


@pytest.mark.needs("stop")
def test_stop_sequences(anthropic, side):
    """The text ends before the sequence. Which one it was only Claude tells."""
    arguments = ask(side, "[[say:one two END three]]", stop_sequences=["NEVER", "END"])
    expected = ("stop_sequence", "END") if side.dialect in ("anthropic", "bedrock") else ("end_turn", None)
    answer = anthropic.message(**arguments)
    assert text_of(answer) == "one two "
    assert (answer.data["stop_reason"], answer.data["stop_sequence"]) == expected
    stream = Streamed(anthropic.events(**arguments).data)
    assert (stream.text, stream.stop_reason, stream.stop_sequence) == ("one two ", *expected)


def test_max_tokens(anthropic, side):
    """The limit holds, and the reason is `max_tokens`."""
    arguments = ask(side, "[[words:100]]", max_tokens=16)
    answer = anthropic.message(**arguments)
    assert answer.data["stop_reason"] == "max_tokens"
    assert 0 < len(text_of(answer)) <= 64
    stream = Streamed(anthropic.events(**arguments).data)
    assert (stream.text, stream.stop_reason) == (text_of(answer), "max_tokens")


def test_unicode(anthropic, side):
    """Characters survive, also when the provider's writes are cut inside them."""
    arguments = ask(side, f"{UNICODE} [[unicode]]")
    assert text_of(anthropic.message(**arguments)) == UNICODE
    assert UNICODE in json.dumps(side.sent.json, ensure_ascii=False)
    assert Streamed(anthropic.events(**arguments).data).text == UNICODE
    assert text_of(anthropic.helper(**arguments)) == UNICODE


def test_long_prompt(anthropic, side):
    """A megabyte arrives whole."""
    arguments = {**ask(side, f"{LONG}[[say:read it all]]"), "model": side.roomy}
    assert text_of(anthropic.message(**arguments)) == "read it all"
    assert json.dumps(LONG)[1:-1] in side.last.body
    assert Streamed(anthropic.events(**arguments).data).text == "read it all"


def test_long_reply(anthropic, side):
    """A hundred kilobytes come back whole."""
    # The client insists on streams above about 21,000 tokens.
    arguments = {**ask(side, "[[big:80000]]", max_tokens=21_000), "model": side.roomy}
    answer = anthropic.message(**arguments)
    assert (len(text_of(answer)), answer.data["stop_reason"]) == (80_000, "end_turn")
    assert Streamed(anthropic.events(**arguments).data).text == text_of(answer)


def test_image(anthropic, side):
    """A picture in base64 arrives as the same bytes."""
    parts = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "text", "text": "What colour is it? [[say:orange]]"},
    ]
    assert text_of(anthropic.message(**ask(side, parts))) == "orange"
    if side.dialect == "anthropic":
        assert side.sent.json["messages"][-1]["content"] == parts
    assert side.sent.pictures == [("image/png", PNG)]
    assert Streamed(anthropic.events(**ask(side, parts)).data).text == "orange"


@pytest.mark.needs("image_url")
def test_image_by_address(anthropic, side):
    """A picture that the provider is to fetch is named to it."""
    url = "https://pictures.example/orange.png"
    parts = [
        {"type": "image", "source": {"type": "url", "url": url}},
        {"type": "text", "text": "[[say:orange]]"},
    ]
    assert text_of(anthropic.message(**ask(side, parts))) == "orange"
    assert url in side.last.body


def test_document(anthropic, side):
    """A document arrives as the same bytes."""
    source = {"type": "base64", "media_type": "application/pdf", "data": PDF}
    parts = [{"type": "document", "source": source}, {"type": "text", "text": "[[say:read]]"}]
    assert text_of(anthropic.message(**ask(side, parts))) == "read"
    assert PDF in side.last.body


def test_sampling(anthropic, side):
    """Numbers arrive as they were written."""
    # The client has no arguments for these any more; the API still takes them.
    anthropic.message(**ask(side, "Hi", extra_body={"temperature": 0.25}))
    assert side.sent.parameter("temperature") == 0.25
    anthropic.message(**ask(side, "Hi", extra_body={"top_p": 0.123456789}))
    assert side.sent.parameter("top_p") == 0.123456789


@pytest.mark.needs("user")
def test_metadata(anthropic, side):
    """The user's id is carried."""
    assert text_of(anthropic.message(**ask(side, "Hi", metadata={"user_id": "user-42"}))) == "You said: Hi"
    assert "user-42" in side.last.body


def test_structured_output(anthropic, side):
    """A JSON schema binds the reply."""
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    arguments = ask(side, "Ann is 42.", output_config={"format": {"type": "json_schema", "schema": schema}})
    assert set(json.loads(text_of(anthropic.message(**arguments)))) == {"name", "age"}
    assert set(json.loads(Streamed(anthropic.events(**arguments).data).text)) == {"name", "age"}


def test_parsed_output(anthropic, side):
    """The client makes a schema of a class, and parses the reply into it."""
    person = anthropic.parsed(**ask(side, "Ann, Bern.", output_format=Person)).data
    assert isinstance(person, Person) and person.address.city == "example"


def test_thinking(anthropic, side):
    """What the model thought is shown before what it said."""
    arguments = {
        **ask(side, "[[think:Six times seven.]][[say:42]]", max_tokens=8_000),
        "model": side.reasoner,
        "thinking": {"type": "enabled", "budget_tokens": 2_000},
    }
    answers = [anthropic.message(**arguments).data, anthropic.helper(**arguments).data]
    stream = Streamed(anthropic.events(**arguments).data)
    for content in (*(answer["content"] for answer in answers), stream.content):
        content = with_words(content, side)
        assert [block["type"] for block in content] == ["thinking", "text"], content
        assert content[0]["thinking"] == "Six times seven."
        assert isinstance(content[0]["signature"], str)
        assert content[1]["text"] == "42"
    assert {answer["stop_reason"] for answer in answers} == {"end_turn"}


def test_redacted_thinking(anthropic, house):
    """Sealed thinking passes through, and can be sent back."""
    side = house.side("anthropic")
    side.virtual.reset()
    arguments = ask(side, "[[redacted]][[say:42]]")
    content = anthropic.message(**arguments).data["content"]
    assert [block["type"] for block in content] == ["redacted_thinking", "text"]
    arguments["messages"] += [{"role": "assistant", "content": content}, {"role": "user", "content": "Again"}]
    assert text_of(anthropic.message(**arguments)) == "You said: Again"
    side.check()


def test_cache(anthropic, side):
    """A marked prompt is cached where the provider can, and counted in this API's way."""
    system = [{"type": "text", "text": "book " * 4_000, "cache_control": {"type": "ephemeral"}}]
    answer = anthropic.message(**ask(side, "Hi", system=system))
    assert side.usage["cached"] + side.usage["cache_write"] > 4_000, side.usage
    check_usage(answer.data["usage"], side)
    stream = Streamed(anthropic.events(**ask(side, "Hi", system=system)).data)
    check_usage(stream.usage, side)


def test_refusal(anthropic, side):
    """A provider's refusal is said in the client's words."""
    assert anthropic.message(**ask(side, "[[refuse]]")).data["stop_reason"] == "refusal"
    assert Streamed(anthropic.events(**ask(side, "[[refuse]]")).data).stop_reason == "refusal"


def test_beta(anthropic, side):
    """The beta interface, which has a query and a header of its own."""
    answer = anthropic.beta_message(**ask(side, "[[say:beta]]", betas=["token-efficient-tools-2025-02-19"]))
    assert text_of(answer) == "beta"
    named = side.last.header("anthropic-beta")
    assert named == (["token-efficient-tools-2025-02-19"] if side.dialect == "anthropic" else [])


def test_bearer(connect, house, anthropic_client, side):
    """The key may come as a bearer token, as some tools send it."""
    client = connect(anthropic_client, house.strict.token, credential="auth_token")
    assert text_of(client.message(**ask(side, "[[say:bearer]]"))) == "bearer"


def test_at_once(anthropic, side):
    """Many streams at the same time do not mix."""
    texts = [" ".join([f"stream {number}"] * 30) for number in range(16)]
    requests = [ask(side, f"[[say:{text}]][[delay_ms:1]]") for text in texts]
    assert [Streamed(events).text for events in anthropic.at_once(requests).data] == texts
    assert len(side.virtual.attempts(settled=16)) == 16


def test_left(anthropic, side):
    """Who leaves a stream cancels it at the provider."""
    anthropic.left(**ask(side, "[[words:500]][[delay_ms:20]]"))
    assert side.last.outcome == "client_gone"


@pytest.mark.parametrize("base", ["", "anthropic", "api"])
def test_base_paths(connect, house, anthropic_client, base):
    """The paths that clients are used to lead to the same."""
    side = house.side("anthropic")
    side.virtual.reset()
    client = connect(anthropic_client, base=f"{house.url}/{base}")
    assert text_of(client.message(**ask(side, "[[say:here]]"))) == "here"
    assert "house-claude" in {model["id"] for model in client.models().data}


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_fallback(connect, house, anthropic_client, broken, streamed):
    """A provider that fails is replaced by one of the other dialect, and the client does not notice."""
    other = house.other(broken.dialect)
    chain = [{"targets": [{"provider": other.virtual.name, "model": other.served}]}]
    broken.virtual.always("error_event_first" if streamed else "status", **({} if streamed else {"status": 500}))
    client = connect(anthropic_client, house.fresh(chain=chain, retry={"same_provider": 0}).token)
    arguments = ask(broken, "[[say:still here]]")
    if streamed:
        assert Streamed(client.events(**arguments).data).text == "still here"
    else:
        answer = client.raw_message(**arguments)
        assert text_of(answer) == "still here"
        assert (answer.headers["x-sluice-provider"], answer.headers["x-sluice-attempts"]) == (other.virtual.name, "2")

"""Chat Completions through the OpenAI clients, buffered and streamed, whatever the provider speaks."""

import json

import pytest
from official.openai_stream import Streamed
from official.shared import LONG, PDF, PNG, UNICODE, Person, check_request_id


def user(content):
    """A conversation of one turn."""
    return [{"role": "user", "content": content}]


def said(answer):
    """The one choice's message, and why it ended."""
    (choice,) = answer.data["choices"]
    assert choice["message"]["role"] == "assistant", choice
    return choice["message"], choice["finish_reason"]


def check_usage(usage, side):
    """The client was told what the provider counted."""
    cost = side.usage
    assert usage["prompt_tokens"] == cost["input"], (usage, cost)
    assert usage["completion_tokens"] == cost["output"], (usage, cost)
    assert usage["total_tokens"] == cost["input"] + cost["output"], (usage, cost)


def test_buffered(openai, side):
    """A reply in one piece, with its usage."""
    answer = openai.chat(model=side.model, messages=user("[[say:Hello there]]"))
    message, finish = said(answer)
    assert (message["content"], finish) == ("Hello there", "stop")
    assert answer.data["object"] == "chat.completion"
    assert answer.data["model"] == side.served
    assert answer.data["created"] > 1_700_000_000
    check_usage(answer.data["usage"], side)
    check_request_id(answer)


def test_streamed_without_usage(openai, side):
    """Without `include_usage` no chunk tells any."""
    answer = openai.chunks(model=side.model, messages=user("[[words:40]]"))
    stream = Streamed(answer.data)
    assert stream.text == " ".join(f"word{number}" for number in range(1, 41))
    assert stream.finish == "stop"
    assert all(chunk.get("usage") is None and chunk["choices"] for chunk in answer.data), answer
    assert sum(bool(choice["delta"].get("content")) for chunk in answer.data for choice in chunk["choices"]) >= 40
    check_request_id(answer)


def test_streamed_with_usage(openai, side):
    """With `include_usage` the last chunk tells it, and has no choices."""
    answer = openai.chunks(
        model=side.model, messages=user("[[say:Hello there]]"), stream_options={"include_usage": True}
    )
    stream = Streamed(answer.data)
    assert (stream.text, stream.finish) == ("Hello there", "stop")
    assert answer.data[-1]["choices"] == []
    check_usage(stream.usage, side)


def test_usage_switched_off(openai, side):
    """`include_usage` said to be false is as if it were not said."""
    answer = openai.chunks(
        model=side.model, messages=user("[[say:Hello there]]"), stream_options={"include_usage": False}
    )
    assert Streamed(answer.data).usage is None


def test_stream_helper(openai, side):
    """The client's own helper puts the stream together."""
    answer = openai.helper(model=side.model, messages=user("[[say:Hello there, friend]]"))
    message, finish = said(answer)
    assert (message["content"], finish) == ("Hello there, friend", "stop")
    assert {"content.delta", "content.done"} <= set(answer.events), answer.events


def test_raw_reply(openai, side):
    """Headers are readable: the request id, and the gateway's own account of the exchange."""
    answer = openai.raw_chat(model=side.model, messages=user("Hi"))
    assert said(answer)[0]["content"] == "You said: Hi"
    check_request_id(answer)
    assert answer.headers["x-request-id"] == answer.request_id
    assert answer.headers["x-sluice-request-id"]
    assert answer.headers["x-sluice-provider"] == side.virtual.name
    assert answer.headers["x-sluice-attempts"] == "1"
    assert "x-sluice-dropped-params" not in answer.headers
    assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("role", ["system", "developer"])
def test_instructions(openai, side, role):
    """System and developer prompts arrive as what the provider has for them."""
    messages = [{"role": role, "content": "Be terse."}, *user("[[say:ok]]")]
    answer = openai.chat(model=side.model, messages=messages)
    assert said(answer)[0]["content"] == "ok"
    sent = side.sent
    if side.dialect == "openai":
        assert sent.json["messages"] == messages
    else:
        assert sent.instructions == ["Be terse."], sent.json
        assert sent.turns == [("user", ["[[say:ok]]"])], sent.json


def test_instructions_in_the_middle(openai, side):
    """Instructions between turns, in parts, after an assistant who spoke first."""
    messages = [
        {"role": "system", "content": [{"type": "text", "text": "Speak English."}]},
        {"role": "assistant", "content": "How can I help?"},
        {"role": "user", "content": "Hello"},
        {"role": "user", "content": [{"type": "text", "text": "Are you there?"}]},
        {"role": "assistant", "content": ""},
        {"role": "developer", "content": "From now on speak French."},
        *user("[[say:oui]]"),
    ]
    answer = openai.chat(model=side.model, messages=messages)
    assert said(answer)[0]["content"] == "oui"
    body = side.last.body
    for text in ("Speak English.", "How can I help?", "Hello", "Are you there?", "From now on speak French."):
        assert text in body, (text, body)


@pytest.mark.needs("stop")
@pytest.mark.parametrize("stop", ["END", ["NEVER", "END"]], ids=["one", "list"])
def test_stop_sequences(openai, side, stop):
    """The text ends before the sequence, and the reason is `stop`."""
    answer = openai.chat(model=side.model, messages=user("[[say:one two END three]]"), stop=stop)
    message, finish = said(answer)
    assert (message["content"], finish) == ("one two ", "stop")
    chunks = openai.chunks(model=side.model, messages=user("[[say:one two END three]]"), stop=stop)
    stream = Streamed(chunks.data)
    assert (stream.text, stream.finish) == ("one two ", "stop")


@pytest.mark.parametrize("parameter", ["max_tokens", "max_completion_tokens"])
def test_length(openai, side, parameter):
    """The limit holds, and the reason is `length`."""
    arguments = {"model": side.model, "messages": user("[[words:100]]"), parameter: 16}
    message, finish = said(openai.chat(**arguments))
    assert finish == "length"
    assert 0 < len(message["content"]) <= 64
    stream = Streamed(openai.chunks(**arguments).data)
    assert (stream.text, stream.finish) == (message["content"], "length")
    check_usage(openai.chat(**arguments).data["usage"], side)


def test_unicode(openai, side):
    """Characters survive, also when the provider's writes are cut inside them."""
    prompt = f"{UNICODE} [[unicode]]"
    assert said(openai.chat(model=side.model, messages=user(prompt)))[0]["content"] == UNICODE
    assert UNICODE in json.dumps(side.sent.json, ensure_ascii=False)
    assert Streamed(openai.chunks(model=side.model, messages=user(prompt)).data).text == UNICODE
    assert said(openai.helper(model=side.model, messages=user(prompt)))[0]["content"] == UNICODE


def test_long_prompt(openai, side):
    """A megabyte arrives whole."""
    messages = user(f"{LONG}[[say:read it all]]")
    assert said(openai.chat(model=side.roomy, messages=messages))[0]["content"] == "read it all"
    assert json.dumps(LONG)[1:-1] in side.last.body
    stream = Streamed(openai.chunks(model=side.roomy, messages=messages).data)
    assert stream.text == "read it all"


def test_long_reply(openai, side):
    """A hundred kilobytes come back whole."""
    arguments = {"model": side.roomy, "messages": user("[[big:100000]]"), "max_tokens": 32_000}
    whole, finish = said(openai.chat(**arguments))
    assert (len(whole["content"]), finish) == (100_000, "stop")
    assert Streamed(openai.chunks(**arguments).data).text == whole["content"]


def test_image(openai, side):
    """A picture in base64 arrives as the same bytes."""
    parts = [
        {"type": "text", "text": "What colour is it? [[say:orange]]"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
    ]
    answer = openai.chat(model=side.model, messages=user(parts))
    assert said(answer)[0]["content"] == "orange"
    if side.dialect == "openai":
        assert side.sent.json["messages"][-1]["content"] == parts
    assert side.sent.pictures == [("image/png", PNG)]
    assert Streamed(openai.chunks(model=side.model, messages=user(parts)).data).text == "orange"


@pytest.mark.needs("image_url")
def test_image_by_address(openai, side):
    """A picture that the provider is to fetch is named to it."""
    url = "https://pictures.example/orange.png"
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "[[say:orange]]"}]
    assert said(openai.chat(model=side.model, messages=user(parts)))[0]["content"] == "orange"
    assert url in side.last.body


@pytest.mark.needs("filename")
def test_document(openai, side):
    """A document arrives as the same bytes."""
    file = {"filename": "note.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}
    parts = [{"type": "file", "file": file}, {"type": "text", "text": "[[say:read]]"}]
    assert said(openai.chat(model=side.model, messages=user(parts)))[0]["content"] == "read"
    assert PDF in side.last.body


def test_sampling(openai, side):
    """Numbers arrive as they were written."""
    openai.chat(model=side.model, messages=user("Hi"), temperature=0.25)
    assert side.sent.parameter("temperature") == 0.25
    openai.chat(model=side.model, messages=user("Hi"), top_p=0.123456789)
    assert side.sent.parameter("top_p") == 0.123456789


def test_structured_output(openai, side):
    """A JSON schema binds the reply."""
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema, "strict": True}}
    answer = openai.chat(model=side.model, messages=user("Ann is 42."), response_format=wanted)
    assert set(json.loads(said(answer)[0]["content"])) == {"name", "age"}
    stream = Streamed(openai.chunks(model=side.model, messages=user("Ann is 42."), response_format=wanted).data)
    assert set(json.loads(stream.text)) == {"name", "age"}


@pytest.mark.parametrize("openai_client", ["openai-py", "openai-py-async"])
def test_parsed_output(openai, side):
    """The client makes a strict schema of a class, and parses the reply into it."""
    person = openai.parsed(model=side.model, messages=user("Ann, Bern."), response_format=Person).data
    assert isinstance(person, Person) and person.address.city == "example"


def test_reasoning(openai, side):
    """What the model thought is shown, apart from what it said."""
    arguments = {
        "model": side.reasoner,
        "messages": user("[[think:Six times seven.]][[say:42]]"),
        "reasoning_effort": "low",
        "max_completion_tokens": 8_000,
    }
    message, finish = said(openai.chat(**arguments))
    assert (message["reasoning_content"], message["content"], finish) == ("Six times seven.", "42", "stop")
    stream = Streamed(openai.chunks(**arguments).data)
    assert (stream.reasoning, stream.text, stream.finish) == ("Six times seven.", "42", "stop")


def test_cache(openai, side):
    """What the provider had in its cache is told as part of the prompt, in this API's way."""
    system = {"type": "text", "text": "book " * 4_000}
    if side.dialect in ("anthropic", "bedrock"):
        # An extension that gateways know: OpenAI needs no markers and takes none.
        system["cache_control"] = {"type": "ephemeral"}
    messages = [
        {"role": "system", "content": [system]},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Again"},
    ]
    usage = openai.chat(model=side.model, messages=messages).data["usage"]
    assert side.usage["cached"] + side.usage["cache_write"] > 4_000, side.usage
    check_usage(usage, side)
    assert usage["prompt_tokens_details"]["cached_tokens"] == side.usage["cached"]
    options = {"include_usage": True}
    stream = Streamed(openai.chunks(model=side.model, messages=messages, stream_options=options).data)
    check_usage(stream.usage, side)
    assert stream.usage["prompt_tokens_details"]["cached_tokens"] == side.usage["cached"]


def test_refusal(openai, side):
    """A provider's refusal is said in the client's words."""
    answer = openai.chat(model=side.model, messages=user("[[refuse]]"))
    _, finish = said(answer)
    assert finish == "content_filter"
    assert Streamed(openai.chunks(model=side.model, messages=user("[[refuse]]")).data).finish == "content_filter"


def test_at_once(openai, side):
    """Many streams at the same time do not mix."""
    texts = [" ".join([f"stream {number}"] * 30) for number in range(16)]
    requests = [
        {"model": side.model, "messages": user(f"[[say:{text}]][[delay_ms:1]]"), "max_tokens": 1_000} for text in texts
    ]
    assert [Streamed(chunks).text for chunks in openai.at_once(requests).data] == texts
    assert len(side.virtual.attempts(settled=16)) == 16


def test_left(openai, side):
    """Who leaves a stream cancels it at the provider."""
    openai.left(model=side.model, messages=user("[[words:500]][[delay_ms:20]]"))
    assert side.last.outcome == "client_gone"


@pytest.mark.parametrize("base", ["v1", "api/v1", "oai/v1", "openai/v1"])
def test_base_paths(connect, house, openai_client, base):
    """The paths that clients are used to lead to the same."""
    side = house.side("openai")
    side.virtual.reset()
    client = connect(openai_client, base=f"{house.url}/{base}")
    assert said(client.chat(model=side.model, messages=user("[[say:here]]")))[0]["content"] == "here"
    assert "house-gpt" in {model["id"] for model in client.models().data}


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_fallback(connect, house, openai_client, broken, streamed):
    """A provider that fails is replaced by one of the other dialect, and the client does not notice."""
    other = house.other(broken.dialect)
    chain = [{"targets": [{"provider": other.virtual.name, "model": other.served}]}]
    broken.virtual.always("error_event_first" if streamed else "status", **({} if streamed else {"status": 500}))
    client = connect(openai_client, house.fresh(chain=chain, retry={"same_provider": 0}).token)
    arguments = {"model": broken.model, "messages": user("[[say:still here]]")}
    if streamed:
        assert Streamed(client.chunks(**arguments).data).text == "still here"
    else:
        answer = client.raw_chat(**arguments)
        assert said(answer)[0]["content"] == "still here"
        assert (answer.headers["x-sluice-provider"], answer.headers["x-sluice-attempts"]) == (other.virtual.name, "2")

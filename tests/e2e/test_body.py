"""Request bodies: large ones, and ones that are not what they should be."""

import pytest
from harness.dialects import Anthropic, Openai

MALFORMED = {
    "empty": b"",
    "blank": b"  \n",
    "open": b'{"model":"auto","messages":[',
    "trailing": b'{"model":"auto","messages":[{"role":"user","content":"x"}]}]',
    "two": b'{"model":"auto","messages":[]}{"model":"auto","messages":[]}',
    "list": b'[{"model":"auto"}]',
    "null": b"null",
    "text": b'"auto"',
    "no_model": b'{"messages":[{"role":"user","content":"x"}],"max_tokens":5}',
    "model_is_a_number": b'{"model":5,"messages":[{"role":"user","content":"x"}],"max_tokens":5}',
    "model_is_null": b'{"model":null,"messages":[{"role":"user","content":"x"}],"max_tokens":5}',
    "stream_is_a_text": b'{"model":"auto","stream":"yes","messages":[{"role":"user","content":"x"}],"max_tokens":5}',
    "model_twice": b'{"model":"auto","messages":[{"role":"user","content":"x"}],"model":"auto","max_tokens":5}',
    "model_twice_escaped": b'{"model":"auto","messages":[{"role":"user","content":"x"}],"mod\\u0065l":"a","max_tokens":5}',
    "not_utf8": b'{"model":"auto","messages":[{"role":"user","content":"\xff\xfe"}],"max_tokens":5}',
    "half_a_character": b'{"model":"auto","messages":[{"role":"user","content":"\xe6\x9d"}],"max_tokens":5}',
    "deep_lists": b'{"model":"auto","messages":' + b"[" * 100_000 + b"]" * 100_000 + b',"max_tokens":5}',
    "deep_objects": b'{"model":"auto","x":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b',"max_tokens":5}',
    "deep_and_open": b'{"model":"auto","messages":' + b"[" * 1_000_000,
    "control_character": b'{"model":"auto","messages":[{"role":"user","content":"a\x00b"}],"max_tokens":5}',
    "not_a_number": b'{"model":"auto","temperature":NaN,"messages":[{"role":"user","content":"x"}],"max_tokens":5}',
    "comment": b'{"model":"auto",/* x */"messages":[{"role":"user","content":"x"}],"max_tokens":5}',
}
# What policy does not read is the provider's to judge, in the lane that passes bodies on.
WRONG_TYPES = {
    "messages": {"messages": "x"},
    "message": {"messages": [7]},
    "role": {"messages": [{"role": 7, "content": "x"}]},
    "content": {"messages": [{"role": "user", "content": {"a": 1}}]},
    "temperature": {"temperature": "hot"},
    "tools": {"tools": {"name": "x"}},
}
# What could change a path, or mean something to a shell, a header or a log.
NAMES = [
    "../gpt-4o", "gpt-4o/..", "a/../../b", "a%2fb", "%2e%2e/x", "..", ".", "/gpt-4o", "gpt-4o/", "a//b", "a b",
    "gpt-4o?x=1", "gpt-4o#x", "gpt-4o\n", "a\r\nx-evil: 1", "gpt\u0000", "模型", "x" * 257, "", "a\\b", "${x}",
]  # fmt: skip


# How long 20 MB take is the machine's affair.
PATIENT = {"first_token_deadline_ms": 60_000}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_bodies_are_refused_here(scene, client, name):
    provider = scene.provider(client)
    key = scene.key(provider)
    reply = key.send(client, MALFORMED[name])
    assert reply.status == 400, reply
    _, message = client.check_error(reply)
    assert len(message) < 1_000
    assert not provider.attempts()


def test_refused_bodies_are_recorded(scene, client):
    key = scene.key(scene.provider(client))
    for name in ("empty", "open", "no_model", "not_utf8"):
        key.send(client, MALFORMED[name])
    for row in key.rows(4):
        assert (row.status, row.error, row.attempts) == (400, "invalid_request", [])
        assert (row.provider, row.cost_micro_usd, row.usage_source) == (None, 0, "none")


@pytest.mark.parametrize("name", WRONG_TYPES)
def test_wrong_types_are_a_clear_400(scene, client, upstream, name):
    first, second = scene.provider(upstream), scene.provider(upstream)
    key = scene.key(first, second)
    reply = key.send(client, client.body() | WRONG_TYPES[name])
    assert reply.status == 400, reply
    _, message = client.check_error(reply)
    assert name in message or "message" in message
    # Nobody is asked in translation, and one provider otherwise: trying elsewhere would not help.
    assert len(first.attempts()) == (client is upstream)
    assert not second.attempts()
    row = key.row(reply)
    assert (row.status, row.provider, row.cost_micro_usd) == (400, None, 0)


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_model_names_that_could_mean_something_else(scene, client, name):
    provider = scene.provider(client)
    key = scene.key(provider)
    for model in (name, f"{provider.name}/{name}"):
        reply = key.send(client, client.body(model=model))
        assert reply.status in (400, 404), (model, reply)
        client.check_error(reply)
    assert not provider.attempts()


def test_unknown_models_are_told_with_the_nearest(scene, client):
    provider = scene.provider(client)
    key = scene.key(provider)
    reply = key.send(client, client.body(model="house-gtp"))
    assert reply.status == 404
    assert "house-gpt" in client.check_error(reply)[1]
    assert not provider.attempts()
    assert key.row(reply).error == "model_not_found"


def test_twenty_megabytes_survive_a_failing_provider(scene):
    client = Openai
    first, second = scene.provider(client, **PATIENT), scene.provider(client, **PATIENT)
    for provider in (first, second):
        provider.offer("vast", context_length=10**9)
    key = scene.key((first, "vast"), (second, "vast"), retry={"same_provider": 0})
    first.script("reset_before_headers")
    text = "0123456789abcdef" * (20 << 16)
    assert len(text) == 20 << 20
    reply = key.send(client, client.body(text))
    assert (reply.status, reply.sluice("provider")) == (200, second.name)
    one, other = first.attempts(settled=1)[0], second.attempts(settled=1)[0]
    assert one.body == other.body
    assert other.json["messages"][0]["content"] == text
    row = key.row(reply)
    assert row.classes == [(first.name, 0, "reset"), (second.name, 200, "ok")]
    assert row.usage["input"] == other.consumed["input"] > 5_000_000


def test_twenty_megabytes_are_translated(scene):
    first, second = scene.provider(Openai, **PATIENT), scene.provider(Anthropic, **PATIENT)
    second.offer("vast", context_length=10**9)
    key = scene.key((first, "vast"), (second, "vast"))
    first.script(("status", {"status": 429}))
    text = "0123456789abcdef" * (20 << 16)
    reply = key.send(Openai, Openai.body(text))
    assert (reply.status, reply.sluice("provider")) == (200, second.name)
    assert text in second.attempts(settled=1)[0].body


@pytest.mark.parametrize("chunked", [False, True], ids=["with_length", "chunked"])
def test_a_hundred_megabytes_are_too_large(scene, client, chunked):
    provider = scene.provider(client)
    key = scene.key(provider)
    body = b'{"model":"auto","max_tokens":5,"messages":[{"role":"user","content":"' + b"x" * (100 << 20) + b'"}]}'
    reply = key.send(client, body, chunked=chunked)
    assert reply.status == 413, reply
    code, message = client.check_error(reply)
    assert code == "request_too_large" and "67108864" in message
    assert not provider.attempts()
    row = key.row(reply)
    assert (row.status, row.error, row.cost_micro_usd) == (413, "request_too_large", 0)


def test_a_large_reply_arrives_whole(scene, client, upstream, stream):
    provider = scene.provider(upstream)
    provider.offer("vast", context_length=10**9)
    key = scene.key((provider, "vast"))
    provider.script(("big_reply", {"bytes": 4 << 20}))
    reply = key.send(client, client.body(stream=stream, max_tokens=10**8))
    assert reply.status == 200 and reply.whole
    text = client.stream_text(reply.events) if stream else client.text(reply.json)
    assert len(text) == 4 << 20
    assert key.row(reply).usage["output"] == provider.attempts(settled=1)[0].consumed["output"]

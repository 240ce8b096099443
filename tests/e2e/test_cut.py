"""What breaks after the first token: the client is told, in the stream or by its end, and the record says partial."""

import pytest
from harness.dialects import Anthropic

# A pause before each word: what has been said has then reached the client before the fault comes. A fault that comes
# with the first word is still survived.
TEXT = "[[words:12]] [[delay_ms:20]]"


def heard(client, reply):
    """The part of the answer that arrived."""
    end = reply.body.rfind(b"\n\n")
    reply.body = reply.body[: end + 2] if end >= 0 else b""
    return client.stream_text(reply.events)


def check_record(key, reply, provider, other):
    row = key.row(reply)
    assert row.classes == [(provider.name, 200, "partial")]
    assert (row.status, row.provider, row.usage_source) == (200, provider.name, "partial")
    assert row.usage["output"] > 0 and row.usage["input"] > 0 and row.cost_micro_usd > 0
    assert not other.attempts(), "nothing may be tried once the client has heard something"


@pytest.mark.parametrize("kind", ["cut_after_tokens", "reset_after_tokens"])
def test_a_cut_is_never_a_clean_end(scene, client, upstream, kind):
    provider, other = scene.provider(upstream), scene.provider(upstream)
    key = scene.key(provider, other)
    provider.script((kind, {"tokens": 4}))
    reply = key.send(client, client.body(TEXT, stream=True))
    assert reply.status == 200
    assert not (reply.whole and not client.stream_errors(reply.events)), "it looks complete"
    assert not client.is_complete(reply.events)
    assert "word12" not in heard(client, reply)
    check_record(key, reply, provider, other)


@pytest.mark.parametrize("kind", ["clean_end_after_tokens", "malformed_event", "error_event_after_tokens"])
def test_a_stream_that_ends_wrongly_says_so(scene, client, upstream, kind):
    if kind == "malformed_event" and client is upstream is Anthropic:
        return check_left_to_the_client(scene)
    provider, other = scene.provider(upstream), scene.provider(upstream)
    key = scene.key(provider, other)
    provider.script((kind, {"tokens": 4}))
    reply = key.send(client, client.body(TEXT, stream=True))
    assert reply.status == 200
    (error,) = client.stream_errors(reply.events)
    assert error["message"] and error["type"]
    assert not client.is_complete(reply.events)
    assert "word1" in client.stream_text(reply.events)
    assert "word12" not in client.stream_text(reply.events)
    check_record(key, reply, provider, other)


def check_left_to_the_client(scene):
    """Anthropic's deltas pass unread after the first: the client's own parser is the judge, on the provider's bytes."""
    provider, other = scene.provider(Anthropic), scene.provider(Anthropic)
    key = scene.key(provider, other)
    provider.script(("malformed_event", {"tokens": 4}))
    reply = key.send(Anthropic, Anthropic.body(TEXT, stream=True))
    assert b'{"id": "broken"' in reply.body
    assert [len(provider.attempts()), len(other.attempts())] == [1, 0]


def test_a_missing_end_marker_loses_nothing(scene, client, upstream):
    """Look-alikes leave `[DONE]` or `message_stop` out; the reason to stop has come, so the answer is whole."""
    provider = scene.provider(upstream)
    key = scene.key(provider)
    provider.script("no_done")
    reply = key.send(client, client.body(TEXT, stream=True))
    assert reply.status == 200 and reply.whole and not client.stream_errors(reply.events)
    assert client.stream_text(reply.events).endswith("word12")
    if client is not upstream:
        assert client.is_complete(reply.events)
    row = key.row(reply)
    assert row.classes == [(provider.name, 200, "ok")]
    assert row.usage == provider.attempts(settled=1)[0].consumed


def test_a_fault_that_comes_with_the_first_token(scene, client):
    """What has not left the gateway has not been said: the fault is survived, or told. Which depends on how the bytes
    were cut on their way."""
    provider = scene.provider(client)
    key = scene.key(provider, retry={"backoff_ms": 10})
    provider.script(("error_event_after_tokens", {"tokens": 1}))
    reply = key.send(client, client.body("[[words:3]]", stream=True))
    whole = client.is_complete(reply.events) and not client.stream_errors(reply.events)
    assert whole != bool(client.stream_errors(reply.events))
    assert reply.status == 200
    attempts = [attempt["class"] for attempt in key.row(reply).attempts]
    assert attempts == (["bad_reply", "ok"] if whole else ["partial"])


def test_a_client_that_leaves_mid_stream_is_recorded(scene, client, upstream):
    provider = scene.provider(upstream)
    key = scene.key(provider)
    provider.script(("slow_tokens", {"delay_ms": 50}))
    with key.open(client, client.body("[[words:200]]", stream=True)) as stream:
        assert stream.status == 200
        stream.read_until(b"word3")
    (attempt,) = provider.attempts(settled=1)
    assert attempt.outcome == "client_gone" and attempt.deltas < 100
    (row,) = key.rows(1)
    assert row.classes == [(provider.name, 200, "partial")]
    assert (row.status, row.provider, row.usage_source) == (200, provider.name, "partial")
    assert 0 < row.usage["output"] <= attempt.consumed["output"]
    assert row.usage["input"] > 0 and row.cost_micro_usd > 0
    assert row.ttft_us < row.duration_us

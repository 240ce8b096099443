"""What breaks after the first token: the client is told, in the stream or by its end, and the record says partial."""

import pytest
from harness.dialects import Anthropic, Openai

TEXT = "[[words:12]]"


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


def test_a_missing_end_marker_is_no_clean_end(scene):
    """OpenAI's finish reason ends the answer; Anthropic's `message_stop` does."""
    provider, other = scene.provider(Anthropic), scene.provider(Anthropic)
    key = scene.key(provider, other)
    provider.script("no_done")
    reply = key.send(Anthropic, Anthropic.body(TEXT, stream=True))
    assert not (Anthropic.is_complete(reply.events) and Anthropic.stream_errors(reply.events))
    if not Anthropic.is_complete(reply.events):
        assert Anthropic.stream_errors(reply.events) or not reply.whole


def test_a_missing_done_loses_nothing(scene, client):
    """Look-alikes of OpenAI leave `[DONE]` out; the finish reason has come."""
    provider = scene.provider(Openai)
    key = scene.key(provider)
    provider.script("no_done")
    reply = key.send(client, client.body(TEXT, stream=True))
    assert reply.status == 200 and "word12" in client.stream_text(reply.events)


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

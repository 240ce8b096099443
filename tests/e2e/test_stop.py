"""Failures that are the client's to hear of: another provider would say the same."""

import pytest
from harness.dialects import Anthropic, Openai

LONG = "word " * 2_000


def test_too_long_a_prompt_goes_to_a_larger_window(scene, client, stream):
    small, same, large = scene.provider(client), scene.provider(client), scene.provider(client)
    for provider in (small, same):
        provider.offer("tiny", context_length=1_000)
    tiny = scene.model([(small, "tiny"), (same, "tiny")], context_window=1_000)
    wide = scene.model([(large, client.model)], context_window=128_000)
    key = scene.key((small, tiny), (same, tiny), (large, wide))
    # Named, so that the plan does not leave the small windows out by itself.
    reply = key.send(client, client.body(LONG, stream=stream, model=tiny))
    assert (reply.status, reply.sluice("provider")) == (200, large.name), reply
    assert reply.sluice("fallback-reason") == "context_length"
    assert [len(provider.attempts()) for provider in (small, same, large)] == [1, 0, 1]
    row = key.row(reply)
    assert row.classes == [(small.name, 400, "context_length"), (large.name, 200, "ok")]
    assert (row.requested_model, row.model) == (tiny, wide)


def test_too_long_a_prompt_stops_where_no_window_is_larger(scene, client):
    first, second = scene.provider(client), scene.provider(client)
    for provider in (first, second):
        provider.offer("tiny", context_length=1_000)
    tiny = scene.model([(first, "tiny"), (second, "tiny")], context_window=1_000)
    key = scene.key()
    reply = key.send(client, client.body(LONG, model=tiny))
    assert reply.status == 400
    code, message = client.check_error(reply)
    assert "token" in message
    if client is Openai:
        assert code == "context_length_exceeded"
    assert [len(first.attempts()), len(second.attempts())] == [1, 0]
    row = key.row(reply)
    assert row.classes == [(first.name, 400, "context_length")]
    assert (row.status, row.cost_micro_usd) == (400, 0)


REFUSED = {"status": 400, "code": "content_filter"}


def test_a_refused_prompt_stops(scene, stream):
    first, second = scene.provider(), scene.provider()
    key = scene.key(first, second)
    first.script(("status", REFUSED))
    reply = key.send(Openai, Openai.body(stream=stream))
    assert reply.status == 400
    assert Openai.check_error(reply)[0] == "content_filter"
    assert [len(first.attempts()), len(second.attempts())] == [1, 0]
    row = key.row(reply)
    assert row.classes == [(first.name, 400, "refusal")]
    assert (row.status, row.cost_micro_usd) == (400, 0)


def test_a_refused_answer_stops(scene, client, upstream, stream):
    """A refusal with status 200 is an answer: it is delivered, and paid for."""
    first, second = scene.provider(upstream), scene.provider(upstream)
    key = scene.key(first, second)
    reply = key.send(client, client.body("[[refuse]]", stream=stream))
    assert (reply.status, reply.sluice("provider")) == (200, first.name), reply
    if not stream:
        assert client.finish(reply.json) in {"content_filter", "refusal", "stop"}
    assert [len(first.attempts()), len(second.attempts())] == [1, 0]
    row = key.row(reply)
    assert [attempt["class"] for attempt in row.attempts] in (["refusal"], ["ok"])
    assert row.provider == first.name


def test_a_policy_may_send_refusals_elsewhere(scene):
    first, second = scene.provider(), scene.provider()
    key = scene.key(first, second, retry={"refusal": "next"})
    for script in (("status", REFUSED), "content_filter"):
        first.script(script)
        reply = key.send(Openai)
        assert (reply.status, reply.sluice("provider")) == (200, second.name)
        assert reply.sluice("fallback-reason") == "refusal"
        assert [attempt["class"] for attempt in key.row(reply).attempts] == ["refusal", "ok"]


@pytest.mark.parametrize("status", [400, 405, 409, 413, 415, 422])
def test_other_client_errors_stop_in_the_providers_own_words(scene, client, stream, status):
    first, second = scene.provider(client), scene.provider(client)
    key = scene.key(first, second)
    # Spacing, an unknown member and a large number: the body is passed on, not written anew.
    said = {
        Openai: '{ "error": {"message":"No.","type":"invalid_request_error","param":"x","code":"odd","n":1e3} }',
        Anthropic: '{ "type":"error","error":{"type":"invalid_request_error","message":"No."},"request_id":"r","n":1e3}',
    }[client]
    first.script(("status", {"status": status, "body": said, "headers": {"content-type": "application/json"}}))
    reply = key.send(client, client.body(stream=stream))
    assert (reply.status, reply.body.decode()) == (status, said)
    assert [len(first.attempts()), len(second.attempts())] == [1, 0]
    row = key.row(reply)
    assert row.classes == [(first.name, status, "client_error")]
    assert (row.status, row.cost_micro_usd) == (status, 0)


def test_client_errors_are_translated_with_their_words(scene, client, upstream):
    first, second = scene.provider(upstream), scene.provider(upstream)
    key = scene.key(first, second)
    said = {
        Openai: {"error": {"message": "No such émotion.", "type": "invalid_request_error", "param": None, "code": None}},
        Anthropic: {"type": "error", "error": {"type": "invalid_request_error", "message": "No such émotion."}},
    }[upstream]
    first.script(("status", {"status": 400, "body": said}))
    reply = key.send(client)
    assert reply.status == 400
    assert client.check_error(reply)[1] == "No such émotion."
    assert [len(first.attempts()), len(second.attempts())] == [1, 0]
    assert key.row(reply).classes == [(first.name, 400, "client_error")]

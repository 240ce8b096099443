"""Nothing is left to try: the status tells what it was, in the last provider's words, and nothing is charged."""

import pytest
from harness.dialects import Anthropic, Openai

ONCE = {"same_provider": 0}


def check(scene, key, client, reply, status, code, named):
    assert reply.status == status, reply
    said, message = client.check_error(reply)
    assert said == code
    row = key.row(reply)
    assert [attempt["class"] for attempt in row.attempts] == named
    assert (row.status, row.provider, row.cost_micro_usd, row.usage_source) == (status, None, 0, "none")
    assert row.error
    return message


def test_rate_limited_everywhere(scene, client, stream):
    first, second = scene.provider(client), scene.provider(upstream_of(client))
    key = scene.key(first, second)
    first.script(("status", {"status": 429, "headers": {"retry-after": "7"}}))
    second.script(("status", {"status": 429, "headers": {"retry-after": "9"}}))
    reply = key.send(client, client.body(stream=stream))
    message = check(scene, key, client, reply, 429, "rate_limit_exceeded", ["rate_limit"] * 2)
    assert reply.headers["retry-after"] == "7"
    assert "rate limit" in message.lower()


def upstream_of(client):
    """The other dialect: the last words are then translated."""
    return Anthropic if client is Openai else Openai


@pytest.mark.parametrize("fault", ["status", "error_body_200", "empty_body", "invalid_json"])
def test_failing_everywhere(scene, client, stream, fault):
    first, second = scene.provider(client), scene.provider(upstream_of(client))
    key = scene.key(first, second, retry=ONCE)
    for provider in (first, second):
        provider.script((fault, {"status": 500} if fault == "status" else {}))
    reply = key.send(client, client.body(stream=stream))
    named = "server_error" if fault == "status" else "bad_reply"
    message = check(scene, key, client, reply, 502, "upstream_error", [named] * 2)
    if fault in ("status", "error_body_200"):
        vendor = {Openai: "Internal server error", Anthropic: "The server had an error"}[client]
        assert vendor in message


def test_bad_credentials_everywhere_are_not_the_clients(scene, client):
    first, second = scene.provider(client), scene.provider(upstream_of(client))
    key = scene.key(first, second)
    first.script(("status", {"status": 403}))
    second.script(("status", {"status": 401}))
    reply = key.send(client)
    check(scene, key, client, reply, 502, "upstream_auth", ["credential"] * 2)


def test_no_such_model_anywhere(scene, client):
    provider = scene.provider(client)
    key = scene.key((provider, "no-such-model"))
    reply = key.send(client)
    # The provider's own words, which in Anthropic's case have no finer code.
    code = "model_not_found" if client is Openai else "not_found_error"
    check(scene, key, client, reply, 404, code, ["not_found"])


def test_nothing_reachable(scene, client, stream):
    first, second = scene.provider(client), scene.provider(client)
    key = scene.key(first, second, retry=ONCE)
    first.refuse()
    second.refuse()
    reply = key.send(client, client.body(stream=stream))
    check(scene, key, client, reply, 503, "no_provider_available", ["connect"] * 2)
    assert int(reply.headers["retry-after"]) >= 1


def test_silence_everywhere(scene, client, stream):
    first, second = (scene.provider(client, first_token_deadline_ms=300) for _ in range(2))
    key = scene.key(first, second)
    first.script("silence")
    second.script("pings_then_silence")
    reply = key.send(client, client.body(stream=stream))
    check(scene, key, client, reply, 504, "upstream_timeout", ["silence"] * 2)
    assert [len(first.attempts(1)), len(second.attempts(1))] == [1, 1]


def test_connections_that_break_everywhere(scene, client):
    first, second = scene.provider(client), scene.provider(client)
    key = scene.key(first, second, retry=ONCE)
    for provider in (first, second):
        provider.script("reset_before_headers")
    reply = key.send(client)
    check(scene, key, client, reply, 502, "upstream_error", ["reset"] * 2)


def test_no_provider_is_enabled(scene, client):
    provider = scene.provider(client)
    model = scene.model([(provider, client.model)])
    key = scene.key()
    scene.disable(provider)
    reply = key.send(client, client.body(model=model))
    assert reply.status == 503
    assert client.check_error(reply)[0] == "no_provider_available"
    assert int(reply.headers["retry-after"]) >= 1
    assert not key.row(reply).attempts

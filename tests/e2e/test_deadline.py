"""The first token's deadline: nothing but a token meets it, and who missed it is not asked again."""

import pytest
from harness.dialects import Anthropic, Openai
from harness.waiting import until

DEADLINE_MS = 400
# What a busy machine may add.
SLACK_US = 500_000
SILENT = ["silence", "headers_then_silence", "pings_then_silence"]


@pytest.mark.parametrize("kind", SILENT)
def test_silence_goes_elsewhere_at_the_deadline(scene, client, stream, kind):
    first, second = (scene.provider(client, first_token_deadline_ms=DEADLINE_MS) for _ in range(2))
    key = scene.key(first, second)
    first.script(kind)
    reply = key.send(client, client.body("[[say:here]]", stream=stream))
    assert (reply.status, reply.sluice("provider"), reply.sluice("attempts")) == (200, second.name, "2")
    assert reply.sluice("fallback-reason") == "silence"
    assert (client.stream_text(reply.events) if stream else client.text(reply.json)) == "here"

    (silent,), (spoke,) = first.attempts(settled=1), second.attempts(settled=1)
    waited = spoke.received_us - silent.received_us
    assert DEADLINE_MS * 1_000 - 20_000 <= waited <= DEADLINE_MS * 1_000 + SLACK_US, waited
    # It was hung up on.
    assert silent.outcome == "client_gone"
    row = key.row(reply)
    assert [attempt["class"] for attempt in row.attempts] == ["silence", "ok"]
    assert row.attempts[0]["duration_us"] >= DEADLINE_MS * 1_000 - 20_000
    assert row.ttft_us >= DEADLINE_MS * 1_000 - 20_000


def test_pings_of_a_translated_stream_do_not_extend_it(scene):
    first, second = (scene.provider(Anthropic, first_token_deadline_ms=DEADLINE_MS) for _ in range(2))
    key = scene.key(first, second)
    first.script("pings_then_silence")
    reply = key.send(Openai, Openai.body("[[say:here]]", stream=True))
    assert (reply.sluice("provider"), Openai.stream_text(reply.events)) == (second.name, "here")
    (pinged,), (spoke,) = first.attempts(settled=1), second.attempts(settled=1)
    assert pinged.events > 2, "it pinged, and was heard"
    assert spoke.received_us - pinged.received_us <= DEADLINE_MS * 1_000 + SLACK_US


def test_the_silent_one_is_never_asked_again(scene):
    """Not under another model either."""
    first, second = (scene.provider(first_token_deadline_ms=DEADLINE_MS) for _ in range(2))
    key = scene.key((first, "gpt-4o"), (first, "gpt-4o-mini"), (second, "gpt-4o"), (first, "gpt-4.1"))
    first.always("silence")
    second.script(("status", {"status": 429}))
    reply = key.send(Openai)
    assert reply.status in (429, 504)
    assert [len(first.attempts(1)), len(second.attempts(1))] == [1, 1]
    assert [attempt["class"] for attempt in key.row(reply).attempts] == ["silence", "rate_limit"]


def test_a_provider_without_a_deadline_has_the_fleets(scene):
    first, second = (scene.provider(first_token_deadline_ms=None) for _ in range(2))
    before = scene.rest.call("GET", "/settings")["first_token_deadline_ms"]
    scene.rest.call("PATCH", "/settings", {"first_token_deadline_ms": DEADLINE_MS})
    try:
        key = scene.key(first, second)
        first.script("silence")
        reply = key.send(Openai)
        assert (reply.sluice("provider"), reply.sluice("fallback-reason")) == (second.name, "silence")
    finally:
        scene.rest.call("PATCH", "/settings", {"first_token_deadline_ms": before})
        scene.stack.settle()


def test_slow_tokens_after_the_first_are_not_cut(scene, client, upstream):
    provider = scene.provider(upstream, first_token_deadline_ms=DEADLINE_MS)
    key = scene.key(provider)
    provider.script(("slow_tokens", {"delay_ms": 60}))
    reply = key.send(client, client.body("[[words:15]]", stream=True))
    assert reply.status == 200 and reply.whole and client.is_complete(reply.events)
    assert reply.seconds > 2 * DEADLINE_MS / 1_000
    # They arrived as they were said, not in one piece at the end.
    assert len({round(seconds, 2) for seconds, _ in reply.chunks}) >= 10
    row = key.row(reply)
    assert row.ttft_us < DEADLINE_MS * 1_000 < row.duration_us


def test_a_client_that_leaves_ends_the_attempt(scene):
    provider = scene.provider()
    key = scene.key(provider)
    provider.script("silence")
    connection = scene.gateway.connect()
    body = b'{"model":"auto","messages":[{"role":"user","content":"Hello"}]}'
    connection.request("POST", Openai.path, body, Openai.authorization(key.token))
    provider.wait_for_attempts(1)
    connection.close()
    assert provider.attempts(settled=1)[0].outcome == "client_gone"
    (row,) = key.rows(1)
    assert (row.status, row.provider, row.cost_micro_usd) == (0, None, 0)
    assert row.classes == [(provider.name, 0, "canceled")]
    until("nothing more is tried", lambda: len(provider.attempts()) == 1)

"""The failure table: what the client got, what each provider saw, what the record says.

The chain is a provider of the client's dialect, then one of the other: falling back crosses the lanes as well.
"""

import pytest
from harness.dialects import Anthropic, Openai
from harness.faults import BROKEN, BROKEN_STREAMS, NEXT, SERVER_ERRORS, Fault

# Short pauses: how long they are by default is a test of its own.
BACKOFF_MS = 25
QUICK = {"backoff_ms": BACKOFF_MS}
OTHER = {Openai: Anthropic, Anthropic: Openai}


def named(fault):
    return fault.name


def check_same_then_next(scene, client, stream, fault):
    first, second = scene.provider(client), scene.provider(OTHER[client])
    key = scene.key(first, second, retry=QUICK)
    failure = (first.name, fault.status, fault.named)

    first.script(fault.times(1))
    mended = reply = key.send(client, client.body("[[say:here]]", stream=stream))
    check_answer(client, reply, stream)
    assert (reply.sluice("provider"), reply.sluice("attempts")) == (first.name, "2")
    assert reply.sluice("fallback-reason") is None
    once, again = first.attempts(settled=2)
    assert once.body == again.body
    check_pause(once, again)
    assert not second.attempts()

    first.reset()
    first.script(fault.times(2))
    reply = key.send(client, client.body("[[say:here]]", stream=stream))
    check_answer(client, reply, stream)
    assert (reply.sluice("provider"), reply.sluice("attempts")) == (second.name, "3")
    assert reply.sluice("fallback-reason") == fault.named
    once, again = first.attempts(settled=2)
    check_pause(once, again)
    (other,) = second.attempts(settled=1)
    assert other.refused is None
    assert other.received_us > again.received_us
    row = key.row(reply)
    assert row.classes == [failure, failure, (second.name, 200, "ok")]
    assert (row.status, row.provider, row.error) == (200, second.name, None)
    assert key.row(mended).classes == [failure, (first.name, 200, "ok")]


def check_answer(client, reply, stream):
    assert reply.status == 200 and reply.whole, reply
    text = client.stream_text(reply.events) if stream else client.text(reply.json)
    assert text == "here"
    if stream:
        assert client.is_complete(reply.events) and not client.stream_errors(reply.events)


def check_pause(once, again):
    pause = again.received_us - once.received_us
    assert pause >= BACKOFF_MS * 1_000, f"the provider was asked again after {pause} µs"


@pytest.mark.parametrize("fault", SERVER_ERRORS, ids=named)
def test_server_errors_are_tried_again_then_elsewhere(scene, fault):
    check_same_then_next(scene, Openai, False, fault)


@pytest.mark.parametrize("fault", SERVER_ERRORS[:1] + BROKEN, ids=named)
def test_broken_replies_are_tried_again_then_elsewhere(scene, client, fault):
    check_same_then_next(scene, client, False, fault)


@pytest.mark.parametrize("fault", SERVER_ERRORS[:1] + BROKEN[:5] + BROKEN_STREAMS, ids=named)
def test_broken_streams_are_tried_again_then_elsewhere(scene, client, fault):
    check_same_then_next(scene, client, True, fault)


@pytest.mark.parametrize("fault", BROKEN_STREAMS[:2], ids=named)
def test_broken_streams_of_the_other_dialect(scene, client, fault):
    """The first provider's stream is translated: what it broke off with must not reach the client either."""
    first, second = scene.provider(OTHER[client]), scene.provider(client)
    key = scene.key(first, second, retry=QUICK)
    first.script(fault.times(2))
    reply = key.send(client, client.body("[[say:here]]", stream=True))
    check_answer(client, reply, True)
    assert [len(first.attempts(2)), len(second.attempts(1))] == [2, 1]
    assert key.row(reply).classes[:2] == [(first.name, fault.status, fault.named)] * 2


@pytest.mark.parametrize("fault", NEXT, ids=named)
def test_what_waiting_does_not_mend_goes_elsewhere_at_once(scene, client, stream, fault):
    first, second = scene.provider(client), scene.provider(OTHER[client])
    key = scene.key(first, second)
    first.script(fault.times(1))
    reply = key.send(client, client.body("[[say:here]]", stream=stream))
    check_answer(client, reply, stream)
    assert (reply.sluice("provider"), reply.sluice("attempts")) == (second.name, "2")
    assert reply.sluice("fallback-reason") == fault.named
    assert len(first.attempts(settled=1)) == len(second.attempts(settled=1)) == 1
    assert key.row(reply).classes == [(first.name, fault.status, fault.named), (second.name, 200, "ok")]


@pytest.mark.parametrize("after", [{}, {"retry-after": "1"}], ids=["plain", "with_retry_after"])
def test_used_up_quota_goes_elsewhere(scene, after):
    """A quota does not come back in a second, whatever the header says."""
    first, second = scene.provider(), scene.provider()
    key = scene.key(first, second)
    first.script(("status", {"status": 429, "code": "insufficient_quota", "headers": after}))
    reply = key.send(Openai)
    assert (reply.status, reply.sluice("provider"), reply.sluice("fallback-reason")) == (200, second.name, "quota")
    assert len(first.attempts(settled=1)) == 1
    assert key.row(reply).classes == [(first.name, 429, "quota"), (second.name, 200, "ok")]


def test_refused_connections_go_elsewhere(scene, client, stream):
    first, second = scene.provider(client), scene.provider(OTHER[client])
    key = scene.key(first, second)
    first.refuse()
    reply = key.send(client, client.body("[[say:here]]", stream=stream))
    check_answer(client, reply, stream)
    assert (reply.sluice("provider"), reply.sluice("attempts")) == (second.name, "3")
    assert reply.sluice("fallback-reason") == "connect"
    assert not first.attempts()
    assert key.row(reply).classes == [(first.name, 0, "connect")] * 2 + [(second.name, 200, "ok")]


def test_the_default_pause_is_a_quarter_of_a_second_with_jitter(scene):
    first = scene.provider()
    key = scene.key(first)
    first.script(Fault("500", "status", 500, "server_error", status=500).times(1))
    reply = key.send(Openai)
    assert reply.status == 200
    once, again = first.attempts(settled=2)
    pause_ms = (again.received_us - once.received_us) / 1_000
    # 250 ms and up to a quarter more; the rest is room for a slow machine.
    assert 250 <= pause_ms < 313 + 250
    assert key.row(reply).duration_us >= 250_000


def test_a_policy_may_forbid_or_repeat_the_same_provider(scene):
    first, second = scene.provider(), scene.provider()
    first.always("status", status=503)
    for allowed in (0, 3):
        key = scene.key(first, second, retry={"same_provider": allowed, "backoff_ms": 10})
        before = len(first.attempts())
        reply = key.send(Openai)
        assert (reply.status, reply.sluice("provider")) == (200, second.name)
        assert len(first.attempts()) - before == allowed + 1
        row = key.row(reply)
        assert row.classes == [(first.name, 503, "server_error")] * (allowed + 1) + [(second.name, 200, "ok")]

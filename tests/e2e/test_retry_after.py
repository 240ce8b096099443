"""`Retry-After`: honoured up to the policy's maximum, and a reason to go elsewhere beyond it."""

import email.utils
import time

import pytest
from harness.dialects import Openai


@pytest.mark.parametrize("status", [429, 503, 529])
def test_a_short_wait_is_waited_out(scene, stream, status):
    first, second = scene.provider(), scene.provider()
    key = scene.key(first, second)
    first.script(("status", {"status": status, "headers": {"retry-after": "1"}}))
    reply = key.send(Openai, Openai.body(stream=stream))
    assert (reply.status, reply.sluice("provider"), reply.sluice("attempts")) == (200, first.name, "2")
    once, again = first.attempts(settled=2)
    waited = (again.received_us - once.received_us) / 1e6
    assert 0.99 <= waited < 2.5, waited
    assert not second.attempts()
    named = "rate_limit" if status == 429 else "server_error"
    assert key.row(reply).classes == [(first.name, status, named), (first.name, 200, "ok")]


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "2"},
        {"retry-after-ms": "1001"},
        {"retry-after": email.utils.formatdate(time.time() + 3_600, usegmt=True)},
    ],
    ids=["seconds", "milliseconds", "date"],
)
def test_a_wait_beyond_the_policys_maximum_goes_elsewhere(scene, headers):
    first, second = scene.provider(), scene.provider()
    key = scene.key(first, second, retry={"max_retry_after_ms": 1_000})
    first.script(("status", {"status": 429, "headers": headers}))
    reply = key.send(Openai)
    assert (reply.status, reply.sluice("provider")) == (200, second.name)
    (one,), (other,) = first.attempts(settled=1), second.attempts(settled=1)
    assert other.received_us - one.received_us < 900_000
    assert key.row(reply).classes == [(first.name, 429, "rate_limit"), (second.name, 200, "ok")]


def test_the_wait_is_over_when_the_client_leaves(scene):
    first = scene.provider()
    key = scene.key(first)
    first.script(("status", {"status": 429, "headers": {"retry-after": "1"}}))
    connection = scene.gateway.connect()
    body = b'{"model":"auto","messages":[{"role":"user","content":"Hello"}]}'
    connection.request("POST", Openai.path, body, Openai.authorization(key.token))
    first.attempts(settled=1)
    connection.close()
    (row,) = key.rows(1)
    assert (row.status, row.provider, row.cost_micro_usd) == (0, None, 0)
    assert len(first.attempts()) == 1

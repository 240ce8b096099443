"""Providers that are not there: skipped in milliseconds, ejected when they keep failing, taken back when they recover."""

import pytest
from harness.dialects import Openai
from harness.waiting import until

BOUND_SECONDS = 0.050


@pytest.mark.parametrize("absent", ["unresolvable", "refusing"])
def test_an_absent_provider_costs_less_than_50_ms(scene, absent):
    present = scene.provider()
    key = scene.key((absent, "any"), present)
    replies = [key.send(Openai) for _ in range(8)]
    for reply in replies:
        assert (reply.status, reply.sluice("provider")) == (200, present.name)
        assert reply.sluice("fallback-reason") == "connect"
    # The whole exchange is an upper bound of what the absent one costs; the best of several is the mechanism's and
    # not the machine's.
    best = min(reply.seconds for reply in replies)
    assert best < BOUND_SECONDS, f"{best * 1e3:.1f} ms at best"
    for reply in replies[:2]:
        row = key.row(reply)
        assert row.classes == [(absent, 0, "connect")] * 2 + [(present.name, 200, "ok")]


def test_a_provider_that_keeps_failing_is_ejected_and_taken_back(scene):
    failing, steady = scene.provider(), scene.provider()
    key = scene.key(failing, steady, retry={"same_provider": 0})
    failing.always("status", status=500)

    def is_skipped():
        seen = len(failing.attempts())
        reply = key.send(Openai)
        assert (reply.status, reply.sluice("provider")) == (200, steady.name)
        return reply if len(failing.attempts()) == seen else None

    reply = until("the provider is ejected", is_skipped)
    assert key.row(reply).classes == [(failing.name, 0, "connect"), (steady.name, 200, "ok")]

    failing.reset()
    back = until(
        "the provider is back",
        lambda: (found := key.send(Openai)).sluice("provider") == failing.name and found,
        40.0,
    )
    assert key.row(back).classes == [(failing.name, 200, "ok")]

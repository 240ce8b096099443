"""Every client dialect, streamed and whole, down a chain of providers that each speak another dialect."""

import pytest
from harness import dialects, flavours

CHAIN = [flavours.OPENAI, flavours.ANTHROPIC, flavours.GEMINI, flavours.BEDROCK]


@pytest.fixture(params=dialects.CLIENTS, ids=lambda dialect: dialect.name)
def anyone(request):
    """The client's dialect: each there is."""
    return request.param


@pytest.mark.parametrize("flavour", flavours.ALL, ids=lambda flavour: f"to_{flavour.name}")
def test_anyone_is_served_by_every_kind_of_provider(scene, anyone, flavour, stream):
    provider = scene.provider(flavour)
    key = scene.key((provider, flavour.upstream))
    reply = key.send(anyone, anyone.body(stream=stream))
    assert reply.status == 200 and reply.whole, reply
    said = anyone.stream_text(reply.events) if stream else anyone.text(reply.json)
    assert said, reply
    if stream:
        assert anyone.is_complete(reply.events) and not anyone.stream_errors(reply.events), reply
    (attempt,) = provider.attempts(settled=1)
    assert attempt.refused is None, attempt
    row = key.row(reply)
    assert (row.provider, row.dialect, row.stream) == (provider.name, anyone.name, stream)
    assert row.usage_source == "provider" and row.usage == attempt.consumed, (row, attempt)


def test_a_chain_crosses_all_dialects_in_one_request(scene, anyone, stream):
    providers = [scene.provider(flavour) for flavour in CHAIN]
    for failing in providers[:-1]:
        failing.always("status", status=429)
    key = scene.key(*((provider, flavour.upstream) for provider, flavour in zip(providers, CHAIN, strict=True)))
    reply = key.send(anyone, anyone.body("[[unicode]]", stream=stream))
    assert reply.status == 200 and reply.whole, reply
    assert reply.sluice("provider") == providers[-1].name
    assert (reply.sluice("attempts"), reply.sluice("fallback-reason")) == ("4", "rate_limit")
    if stream:
        assert anyone.is_complete(reply.events) and not anyone.stream_errors(reply.events), reply
        assert anyone.stream_text(reply.events)
    else:
        assert anyone.text(reply.json)
    row = key.row(reply)
    assert [attempt["provider"] for attempt in row.attempts] == [provider.name for provider in providers]
    assert [attempt["class"] for attempt in row.attempts] == ["rate_limit"] * 3 + ["ok"]


def test_a_stream_that_breaks_before_its_first_token_is_tried_in_another_dialect(scene, anyone):
    first, second = scene.provider(flavours.BEDROCK), scene.provider(flavours.GEMINI)
    first.always("error_event_first")
    key = scene.key((first, flavours.BEDROCK.upstream), (second, flavours.GEMINI.upstream))
    reply = key.send(anyone, anyone.body(stream=True))
    assert reply.status == 200 and reply.sluice("provider") == second.name, reply
    assert anyone.is_complete(reply.events) and not anyone.stream_errors(reply.events)


@pytest.mark.parametrize("flavour", CHAIN, ids=lambda flavour: f"from_{flavour.name}")
def test_an_error_keeps_its_status_and_words(scene, anyone, flavour):
    provider = scene.provider(flavour)
    provider.always("status", status=429, headers={"retry-after": "17"})
    key = scene.key((provider, flavour.upstream))
    reply = key.send(anyone)
    assert (reply.status, reply.headers["retry-after"]) == (429, "17"), reply
    _, message = anyone.check_error(reply)
    assert message, reply

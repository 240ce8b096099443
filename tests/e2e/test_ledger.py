"""The ledger: one row for each exchange, with the provider's own counts and the exact price."""

import csv
import io
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from harness.dialects import Anthropic, Openai
from harness.pool import PRICES


def cost(usage):
    """Micro-dollars at the house's prices: dollars per million tokens."""
    price = {name: Decimal(text) for name, text in PRICES.items()}
    total = (
        (usage["input"] - usage["cached"] - usage["cache_write"]) * price["input"]
        + usage["cached"] * price["cached_input"]
        + usage["cache_write"] * price["cache_write"]
        + (usage["output"] - usage["reasoning"]) * price["output"]
        + usage["reasoning"] * price["reasoning"]
    )
    return int(total.to_integral_value(ROUND_HALF_EVEN))


def check_usage(row, attempt):
    assert row.usage == attempt.consumed
    assert row.usage["input"] > 0 and row.usage["output"] > 0
    assert row.usage_source == "provider"
    assert row.cost_micro_usd == cost(row.usage) > 0


def test_tokens_and_cost_are_the_providers(scene, client, upstream, stream):
    provider = scene.provider(upstream)
    key = scene.key(provider, organization="acme")
    reply = key.send(client, client.body("[[words:37]]", stream=stream))
    assert reply.status == 200
    (attempt,) = provider.attempts(settled=1)
    row = key.row(reply)
    check_usage(row, attempt)
    assert row.organization == "acme"
    assert row.finish_reason in {"stop", "end_turn"}
    assert row.ttft_us <= row.duration_us <= reply.seconds * 1e6 + 50_000
    assert row.attempts[0]["model"] == upstream.model
    assert scene.ledger.wait_for(key.id, 1)


def test_cached_tokens_are_counted_and_priced(scene, client, upstream):
    provider = scene.provider(upstream)
    key = scene.key(provider)
    text = "A long story that every request begins with. " * 200
    if client is Openai:
        system = {"role": "system", "content": text}
        body = client.body()
        body["messages"].insert(0, system)
    else:
        block = {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}
        body = client.body(system=[block])
    replies = [key.send(client, body) for _ in range(2)]
    attempts = provider.attempts(settled=2)
    for reply, attempt in zip(replies, attempts, strict=True):
        assert reply.status == 200
        check_usage(key.row(reply), attempt)
        assert client.usage(reply.json)[0] == attempt.consumed["input"]
    if upstream is Openai or client is Anthropic:
        assert attempts[1].consumed["cached"] or attempts[1].consumed["cache_write"]


def test_reasoning_tokens_are_counted(scene, stream):
    provider = scene.provider()
    key = scene.key((provider, "o3-mini"))
    reply = key.send(Openai, Openai.body("[[think:one two three four five]] [[say:six]]", stream=stream))
    assert reply.status == 200
    (attempt,) = provider.attempts(settled=1)
    assert key.row(reply).usage == attempt.consumed
    assert attempt.consumed["reasoning"] > 0


@pytest.mark.parametrize("asked", [None, False, True])
def test_usage_in_streams_is_the_clients_wish_and_always_recorded(scene, upstream, asked):
    provider = scene.provider(upstream)
    key = scene.key(provider)
    options = {} if asked is None else {"stream_options": {"include_usage": asked}}
    reply = key.send(Openai, Openai.body("[[words:9]]", stream=True, **options))
    assert reply.status == 200 and Openai.is_complete(reply.events)
    (attempt,) = provider.attempts(settled=1)
    seen = Openai.stream_usage(reply.events)
    if asked:
        assert seen == (attempt.consumed["input"], attempt.consumed["output"])
    else:
        assert seen is None
        assert all(event.json is None or event.json["choices"] for event in reply.events)
    check_usage(key.row(reply), attempt)


def test_a_provider_that_counts_nothing_is_estimated(scene, client, upstream, stream):
    provider = scene.provider(upstream)
    key = scene.key(provider)
    provider.script("no_usage")
    reply = key.send(client, client.body("[[words:40]]", stream=stream))
    assert reply.status == 200
    row = key.row(reply)
    assert row.usage_source == "estimated"
    words = sum(len(f"word{n}") + 1 for n in range(1, 41))
    assert words / 8 < row.usage["output"] < words / 2 and row.usage["input"] > 0
    assert row.cost_micro_usd == cost(row.usage)


def test_failed_attempts_are_recorded_and_not_charged(scene):
    first, second = scene.provider(), scene.provider(Anthropic)
    key = scene.key(first, second, retry={"backoff_ms": 20})
    first.always("status", status=500)
    reply = key.send(Openai)
    (attempt,) = second.attempts(settled=1)
    row = key.row(reply)
    assert [each["provider"] for each in row.attempts] == [first.name, first.name, second.name]
    check_usage(row, attempt)

    second.always("status", status=500)
    reply = key.send(Openai)
    assert reply.status == 502
    row = key.row(reply)
    assert len(row.attempts) == 4
    assert (row.provider, row.model, row.cost_micro_usd, row.usage_source) == (None, None, 0, "none")


def test_every_exchange_has_one_row(scene):
    provider = scene.provider()
    key = scene.key(provider)
    replies = [key.send(Openai, Openai.body(stream=bool(n % 2))) for n in range(30)]
    rows = key.rows(30)
    assert [row.request_id for row in rows] == [reply.request_id for reply in replies]
    assert len({(row.vm, row.seq) for row in rows}) == 30
    summary = scene.rest.call("GET", "/usage/summary", by="key", key=key.id)["data"]
    assert [(each["group"], each["exchanges"]) for each in summary] == [(key.id, 30)]
    assert summary[0]["cost_micro_usd"] == sum(row.cost_micro_usd for row in rows)


def test_the_export_shows_it(scene):
    provider = scene.provider()
    key = scene.key(provider)
    reply = key.send(Openai, Openai.body("[[words:50]]", stream=True))
    row = key.row(reply)
    text = scene.stack.control.command("usage", "export", "--csv", "--key", key.id)
    (line,) = csv.DictReader(io.StringIO(text))
    assert line["request_id"] == reply.request_id
    assert (line["key"], line["provider"], line["model"]) == (key.id, provider.name, Openai.public)
    assert (line["input_tokens"], line["output_tokens"]) == (str(row.usage["input"]), str(row.usage["output"]))
    assert Decimal(line["cost_usd"]) * 1_000_000 == row.cost_micro_usd
    assert (line["attempts"], line["status"], line["stream"]) == ("1", "200", "true")

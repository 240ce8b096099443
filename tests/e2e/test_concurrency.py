"""Many exchanges at once: each gets its own answer, whatever happens to the others."""

import random
from concurrent.futures import ThreadPoolExecutor

from harness.dialects import ALL, Anthropic, Openai

EXCHANGES = 400


def test_exchanges_do_not_mix(scene):
    """Slots are used again while other exchanges fail, wait, are translated, or are left by their clients."""
    steady, shaky = scene.provider(Openai), scene.provider(Anthropic)
    # Never five failures in a row: the provider must stay in Envoy's rotation.
    faults = [("status", {"status": 500}), "healthy", "error_body_200", "healthy", "empty_body", "healthy"]
    shaky.script(*faults * 40)
    key = scene.key(shaky, steady, retry={"backoff_ms": 5})
    left = []

    def exchange(number):
        dice = random.Random(number)
        client, stream = dice.choice(ALL), dice.random() < 0.6
        body = client.body(f"[[say:this is answer {number} of all]] [[delay_ms:{dice.choice([0, 3])}]]", stream=stream)
        if stream and dice.random() < 0.2:
            with key.open(client, body) as reply:
                if reply.status == 200:
                    reply.read()
            left.append(number)
            return None
        reply = key.send(client, body)
        said = client.stream_text(reply.events) if stream else client.text(reply.json)
        return reply, said == f"this is answer {number} of all"

    with ThreadPoolExecutor(24) as pool:
        done = [each for each in pool.map(exchange, range(EXCHANGES)) if each]
    assert all(reply.status == 200 and right for reply, right in done)
    assert len({reply.request_id for reply, _ in done}) == len(done) == EXCHANGES - len(left)

    rows = key.rows(EXCHANGES)
    assert len({(row.vm, row.seq) for row in rows}) == EXCHANGES
    by_id = {row.request_id: row for row in rows}
    for reply, _ in done:
        row = by_id[reply.request_id]
        assert (row.status, row.usage_source, row.provider) == (200, "provider", reply.sluice("provider"))
        assert len(row.attempts) == int(reply.sluice("attempts"))
        assert row.attempts[-1]["class"] == "ok"


def test_many_streams_at_once(scene):
    provider = scene.provider()
    key = scene.key(provider)

    def stream(number):
        reply = key.send(Openai, Openai.body(f"[[words:20]] [[delay_ms:10]] {number}", stream=True))
        return reply.whole and Openai.is_complete(reply.events) and reply.seconds

    with ThreadPoolExecutor(128) as pool:
        seconds = list(pool.map(stream, range(128)))
    assert all(seconds)
    # Side by side and not one after the other: that would take 25 seconds.
    assert max(seconds) < 10
    assert len(provider.attempts(settled=128)) == 128

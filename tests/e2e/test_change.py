"""Configuration that changes under traffic: it holds at once, and disturbs nobody."""

import threading

from harness.dialects import Openai
from harness.waiting import until


def test_changes_do_not_disturb_a_stream_under_way(private_scene):
    scene = private_scene
    provider, other = scene.provider(), scene.provider()
    key = scene.key(provider)
    body = Openai.body("[[words:40]] [[delay_ms:25]]", stream=True)
    with key.open(Openai, body) as stream:
        stream.read_until(b"word2")
        # Its own provider, its own key, the fleet: what was begun is finished as it was begun.
        scene.stack.pool.change(provider.name, {"first_token_deadline_ms": 200})
        scene.rest.call("PATCH", "/settings", {"first_token_deadline_ms": 30_000})
        scene.model([(other, "gpt-4o")])
        key.change(chain=[{"provider": other.name, "model": "gpt-4o"}])
        scene.disable(provider)
        key.revoke()
        scene.stack.settle()
        reply = stream.rest()
    assert reply.whole and Openai.is_complete(reply.events)
    assert "word40" in Openai.stream_text(reply.events)
    row = key.row(reply)
    assert row.classes == [(provider.name, 200, "ok")]
    assert key.send(Openai).status == 401


def test_a_provider_is_added_and_removed_under_load(private_scene):
    scene = private_scene
    provider = scene.provider()
    key = scene.key(provider)
    spec = scene.rest.call("GET", f"/providers/{provider.name}")
    added = {name: spec[name] for name in ("dialect", "base_url")} | {"name": "added"}
    if spec.get("cluster"):
        added["cluster"] = spec["cluster"]
    statuses, stop = [], threading.Event()

    def load():
        while not stop.is_set():
            statuses.append(key.send(Openai, Openai.body("Hi", stream=len(statuses) % 2 == 0)).status)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            seen = len(statuses)
            scene.rest.call("POST", "/providers", added)
            scene.stack.settle()
            scene.rest.call("DELETE", "/providers/added")
            scene.stack.settle()
            until("the load goes on", lambda seen=seen: len(statuses) > seen + 10)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert set(statuses) == {200}


def test_a_new_limit_for_bodies_holds(private_scene):
    scene = private_scene
    provider = scene.provider()
    key = scene.key(provider)
    before = scene.rest.call("GET", "/settings")["max_body_bytes"]
    body = Openai.body("x" * 300_000)
    assert key.send(Openai, body).status == 200
    scene.rest.call("PATCH", "/settings", {"max_body_bytes": 100_000})
    try:
        scene.stack.settle()
        for chunked in (False, True):
            reply = until(
                "the limit holds",
                lambda chunked=chunked: (found := key.send(Openai, body, chunked=chunked)).status == 413 and found,
            )
            assert Openai.check_error(reply)[0] == "request_too_large"
        assert key.send(Openai).status == 200
    finally:
        scene.rest.call("PATCH", "/settings", {"max_body_bytes": before})
        scene.stack.settle()
    until("the limit is gone", lambda: key.send(Openai, body).status == 200)

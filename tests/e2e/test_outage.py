"""The control plane is gone: what is known goes on, what is not known waits, and all is well when it is back."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.dialects import Openai
from harness.waiting import until


@pytest.fixture
def on_demand(private_scene):
    """Modules learn keys as they meet them."""
    private_scene.rest.call("PATCH", "/settings", {"push_all_keys": False})
    private_scene.stack.settle()
    yield private_scene
    private_scene.rest.call("PATCH", "/settings", {"push_all_keys": True})
    private_scene.stack.settle()


def lookups(scene):
    return scene.stack.control.fleet()["key_lookups"]


def meet(key, times=40):
    """Uses a key so often, on connections of their own, that every worker has met it."""
    with ThreadPoolExecutor(8) as pool:
        return [reply.status for reply in pool.map(lambda _: key.send(Openai), range(times))]


def test_keys_are_learnt_on_demand(on_demand):
    scene = on_demand
    key = scene.key(scene.provider())
    before = lookups(scene)
    assert set(meet(key)) == {200}
    learnt = lookups(scene)
    # Requests that come while the first look-up is under way ask too; after it, nobody does.
    assert before < learnt <= before + 40
    assert set(meet(key)) == {200}
    assert lookups(scene) == learnt


def test_keys_that_were_learnt_are_followed(on_demand):
    scene = on_demand
    key = scene.key(scene.provider())
    assert set(meet(key)) == {200}
    key.revoke()
    until("the key stops", lambda: set(meet(key, 12)) == {401}, 3.0)


def test_forged_keys_are_not_asked_for(on_demand):
    scene = on_demand
    key = scene.key(scene.provider())
    before = lookups(scene)
    key.token = key.token[:-1] + ("0" if key.token[-1] != "0" else "1")
    assert key.send(Openai).status == 401
    assert lookups(scene) == before


def test_known_keys_go_on_and_unknown_ones_wait(on_demand):
    scene = on_demand
    provider = scene.provider()
    known, unknown = scene.key(provider), scene.key(provider)
    assert set(meet(known)) == {200}

    scene.stack.control.kill()
    try:
        assert set(meet(known)) == {200}
        reply = unknown.send(Openai)
        assert reply.status == 503, reply
        assert int(reply.headers["retry-after"]) >= 1
        assert "verified" in Openai.check_error(reply)[1]
        # Forged keys need no control plane to be refused.
        forged = unknown.token[:-1] + ("0" if unknown.token[-1] != "0" else "1")
        reply = scene.gateway.send(Openai.path, Openai.body(), {"x-api-key": forged})
        assert reply.status == 401
    finally:
        scene.stack.control.start()
    scene.stack.settle()
    assert unknown.send(Openai).status == 200
    assert set(meet(known)) == {200}


def test_everything_reconnects(private_scene):
    scene = private_scene
    provider = scene.provider()
    known = scene.key(provider)
    scene.stack.control.kill()
    try:
        assert set(meet(known)) == {200}
    finally:
        scene.stack.control.start()
    scene.stack.settle()
    # Configuration flows again, and so do records.
    fresh = scene.key(provider)
    reply = fresh.send(Openai)
    assert reply.status == 200
    assert fresh.row(reply).classes == [(provider.name, 200, "ok")]
    known.revoke()
    scene.stack.settle()
    assert set(meet(known)) == {401}

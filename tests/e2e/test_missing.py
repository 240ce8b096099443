"""Providers whose cluster Envoy does not have: just removed, or not yet in a host's own configuration."""

import itertools

import pytest
from harness.dialects import Openai
from harness.envoy import GHOST, GUARDED, GUARDED_GHOST
from harness.flavours import OPENAI

_NUMBERS = itertools.count(1)


def nowhere(scene):
    """A provider that Envoy cannot reach by any cluster."""
    name = f"nowhere-{next(_NUMBERS)}"
    spec = {"name": name, "dialect": "openai", "base_url": "http://127.0.0.1:1/v1", "cluster": f"not-there-{name}"}
    scene.rest.call("POST", "/providers", spec)
    return name


def test_a_missing_cluster_is_an_error_in_the_client_s_dialect(scene, client, stream):
    name = nowhere(scene)
    key = scene.key((name, "m"))
    reply = key.send(client, client.body(stream=stream))
    assert reply.status == 503, reply
    client.check_error(reply)
    scene.rest.call("PATCH", f"/keys/{key.id}", {"chain": []})
    scene.rest.call("DELETE", f"/providers/{name}")


# Over discovery the map and the clusters come from one hand; a cluster of another name is the operator's own.
@pytest.mark.only_on("guest")
def test_a_missing_cluster_is_passed_over(scene):
    name = nowhere(scene)
    present = scene.provider()
    key = scene.key((name, "m"), present)
    reply = key.send(Openai)
    assert (reply.status, reply.sluice("provider")) == (200, present.name)
    scene.rest.call("PATCH", f"/keys/{key.id}", {"chain": []})
    scene.rest.call("DELETE", f"/providers/{name}")


def chained(scene, cluster, *others):
    """A key whose chain begins with a provider at a cluster of the host's map."""
    name = f"at-{cluster}"
    spec = {"name": name, "dialect": "openai", "base_url": "http://127.0.0.1:1/v1", "cluster": cluster}
    scene.rest.call("POST", "/providers", spec)
    return name, scene.key((name, "m"), *others)


def removed(scene, name, key):
    scene.rest.call("PATCH", f"/keys/{key.id}", {"chain": []})
    scene.rest.call("DELETE", f"/providers/{name}")


@pytest.mark.only_on("guest")
def test_a_line_of_the_map_without_its_cluster_ends_the_exchange(scene):
    """Envoy's router answers before any filter of an upstream's exists, and retries no answer of its own."""
    present = scene.provider()
    name, key = chained(scene, GHOST, present)
    reply = key.send(Openai)
    assert reply.status == 503, reply
    Openai.check_error(reply)
    assert not present.attempts()
    removed(scene, name, key)


@pytest.mark.only_on("guest")
def test_an_aggregate_cluster_guards_a_line_whose_cluster_may_go(scene):
    present = scene.provider()
    name, key = chained(scene, GUARDED_GHOST, present)
    reply = key.send(Openai)
    assert (reply.status, reply.sluice("provider")) == (200, present.name)
    assert key.row(reply).classes[0] == (name, 0, "connect")
    removed(scene, name, key)


@pytest.mark.only_on("guest")
@pytest.mark.parametrize("stream", [False, True])
def test_a_guarded_cluster_that_is_there_serves(scene, stream):
    guarded = next(iter(scene.stack.pool.upstreams))
    scene.rest.call("PATCH", f"/providers/{guarded}", {"cluster": GUARDED})
    key = scene.key((guarded, OPENAI.upstream))
    reply = key.send(Openai, Openai.body(stream=stream))
    assert (reply.status, reply.sluice("provider"), reply.sluice("attempts")) == (200, guarded, "1")
    key.revoke()
    scene.rest.call("PATCH", f"/providers/{guarded}", {"cluster": guarded})

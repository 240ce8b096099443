"""Providers whose cluster Envoy does not have: just removed, or not yet in a host's own configuration."""

import itertools

import pytest
from harness.dialects import Openai

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

"""The host's own traffic: in a guest deployment Sluice is off where it was not asked for."""

import random
import statistics

import pytest
from harness import envoy as envoys
from harness.dialects import Openai
from harness.envoy import Envoy
from harness.gateway import Gateway
from harness.process import free_port

pytestmark = pytest.mark.only_on("guest")

BODIES = {
    "none": None,
    "json": b'{"model":"auto","messages":[]}',
    "not_json": b"{",
    "bytes": random.Random(7).randbytes(200_000),
}
HEADERS = {
    # Both Envoys are asked under one name.
    "host": "shop.example",
    "x-sluice-retry": "1",
    "x-sluice-request-id": "mine",
    "authorization": "Bearer not-a-key",
    "cookie": "a=b",
    "accept-encoding": "gzip",
    "x-odd": "ü".encode(),
}
# Envoy's own, different in every request.
VARYING = {"x-request-id", "date", "x-envoy-upstream-service-time"}


@pytest.fixture(scope="module")
def host(stack, tmp_path_factory):
    """The same host without Sluice, for comparison."""
    port = free_port()
    config = envoys.host_alone(port, stack.orders.port)
    alone = Envoy(tmp_path_factory.mktemp("host"), "host", config)
    alone.wait_until_live()
    yield Gateway(port)
    alone.stop()


def ask(stack, gateway, path, body, headers=None, method="POST"):
    stack.orders.seen.clear()
    reply = gateway.send(path, body, headers or HEADERS, method=method, check=False)
    (seen,) = stack.orders.seen
    return reply, seen


def steady(pairs):
    return [(name, value) for name, value in pairs if name.lower() not in VARYING]


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("path", ["/orders", "/orders//a/../b?key=slc-x&x=%2f"])
def test_the_hosts_routes_are_untouched(stack, host, name, path):
    method = "GET" if BODIES[name] is None else "POST"
    with_sluice, seen = ask(stack, stack.gateway, path, BODIES[name], method=method)
    alone, expected = ask(stack, host, path, BODIES[name], method=method)

    assert seen[:2] == expected[:2] == (method, path)
    assert steady(seen[2]) == steady(expected[2])
    assert seen[3] == expected[3] == (BODIES[name] or b"")
    assert with_sluice.status == alone.status == 299
    assert with_sluice.body == alone.body
    assert steady(with_sluice.headers.pairs) == steady(alone.headers.pairs)
    assert with_sluice.headers["x-shop"] == "1" and with_sluice.headers["x-sluice-mine"] == "the host's"


def test_the_hosts_requests_are_not_recorded(stack, host):
    before = stack.control.rest.call("GET", "/usage", limit=1)["data"][:1]
    for _ in range(5):
        ask(stack, stack.gateway, "/orders", b"{}")
    # An exchange of Sluice's own marks the moment up to which the log has been read.
    reply = stack.gateway.send("/v1/chat/completions", b"{", {"x-api-key": stack.probe_key})
    probe = stack.control.rest.call("GET", "/keys", name="probe")["data"][0]["id"]
    row = stack.ledger.row(probe, reply.request_id)
    newest = stack.control.rest.call("GET", "/usage", limit=2)["data"]
    assert newest[0]["request_id"] == row.request_id
    assert newest[1:] == before


def test_the_hosts_latency_is_untouched(stack, host):
    seconds = {gateway: [] for gateway in (stack.gateway, host)}
    for _ in range(300):
        for gateway, taken in seconds.items():
            taken.append(ask(stack, gateway, "/orders", b"{}")[0].seconds)
    with_sluice, alone = (statistics.median(taken) for taken in seconds.values())
    assert with_sluice < alone * 1.25 + 0.0002, (with_sluice, alone)


def test_a_provider_that_the_host_has_no_cluster_for_is_skipped(scene):
    served = scene.provider()
    spec = scene.rest.call("GET", f"/providers/{served.name}")
    absent = [f"{served.name}-absent-{at}" for at in range(2)]
    for name in absent:
        members = {member: spec[member] for member in ("dialect", "base_url")}
        scene.rest.call("POST", "/providers", members | {"name": name, "cluster": name})
    targets = [{"provider": name, "model": "gpt-4o"} for name in [*absent, served.name]]
    key = scene.key(served)
    key.change(chain=targets)
    scene.stack.settle()
    reply = key.send(Openai)
    assert reply.status == 200, reply.body
    tried = dict.fromkeys(provider for provider, *_ in key.row(reply).classes)
    assert list(tried) == [*absent, served.name]
    key.revoke()
    for name in absent:
        scene.rest.call("DELETE", f"/providers/{name}")

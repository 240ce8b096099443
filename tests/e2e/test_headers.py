"""What a client may not steer, and what a provider may not see."""

import pytest
from harness.dialects import Anthropic, Openai

# That no provider sees any of these is checked at the end of every test.
SPOOFED = {
    "x-sluice-retry": "1",
    "x-sluice-retry-after": "30",
    "x-sluice-slot": "0",
    "x-sluice-cluster": "sluice-control",
    "x-sluice-provider": "someone",
    "x-sluice-request-id": "forged",
    "x-envoy-max-retries": "50",
    "x-envoy-retry-on": "retriable-4xx,5xx",
    "x-envoy-retriable-status-codes": "400,422",
    "x-envoy-retriable-header-names": "content-type",
    "x-envoy-upstream-rq-timeout-ms": "1",
    "x-envoy-upstream-rq-per-try-timeout-ms": "1",
    "x-envoy-hedge-on-per-try-timeout": "true",
    "x-envoy-upstream-alt-stat-name": "evil",
    "x-envoy-original-path": "/evil",
    "x-envoy-decorator-operation": "evil",
}
PRIVATE = {
    "cookie": "session=1",
    "forwarded": "for=192.0.2.1",
    "x-forwarded-for": "192.0.2.1",
    "x-forwarded-host": "evil.example",
    "x-real-ip": "192.0.2.1",
    "via": "1.1 proxy",
    "origin": "https://evil.example",
    "referer": "https://evil.example/",
    "accept-encoding": "gzip, br",
    "proxy-authorization": "Basic eA==",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "openai-organization": "org-evil",
}


def test_spoofed_headers_change_nothing(scene, client, upstream):
    first, second = scene.provider(upstream), scene.provider(upstream)
    key = scene.key(first, second)
    # A client's own timeout of a millisecond would end this.
    first.script(("delay_ms", {"delay_ms": 150}))
    reply = key.send(client, headers=SPOOFED)
    assert (reply.status, reply.sluice("provider"), reply.sluice("attempts")) == (200, first.name, "1")
    assert reply.request_id != "forged"

    # Its own retry conditions would send this on.
    first.script(("status", {"status": 422}))
    reply = key.send(client, headers=SPOOFED)
    assert reply.status == 422
    assert [len(first.attempts()), len(second.attempts())] == [2, 0]
    assert key.row(reply).classes == [(first.name, 422, "client_error")]


def test_what_the_clients_side_added_stays_here(scene, client, upstream):
    provider = scene.provider(upstream)
    key = scene.key(provider)
    assert key.send(client, headers=PRIVATE).status == 200
    (attempt,) = provider.attempts(settled=1)
    seen = {name for name, _ in attempt.headers}
    assert not seen & set(PRIVATE), seen & set(PRIVATE)
    assert key.token not in str(attempt.headers)
    assert not seen & {"x-request-id", "x-forwarded-proto", "x-envoy-attempt-count"}
    host, port = scene.stack.pool.upstreams[provider.name]
    assert attempt.header("host") == [f"{host}:{port}"]


def test_the_clients_credentials_never_reach_a_provider(scene, client, upstream):
    provider = scene.provider(upstream)
    key = scene.key(provider)
    everywhere = {
        "authorization": f"Bearer {key.token}",
        "x-api-key": key.token,
        "api-key": key.token,
        "x-goog-api-key": key.token,
    }
    assert key.send(client, headers=everywhere, path=f"{client.path}?key={key.token}").status == 200
    (attempt,) = provider.attempts(settled=1)
    assert key.token not in f"{attempt.headers} {attempt.path} {attempt.body}"
    own = "authorization" if upstream is Openai else "x-api-key"
    assert attempt.header(own)[0].endswith(f"sk-{provider.name}")
    assert len(attempt.header(own)) == 1


def test_vendor_headers_pass_in_their_own_dialect(scene):
    provider = scene.provider(Anthropic)
    key = scene.key(provider)
    vendor = {"anthropic-version": "2023-06-01", "anthropic-beta": "some-beta-1", "user-agent": "sdk/1"}
    assert key.send(Anthropic, headers=vendor).status == 200
    (attempt,) = provider.attempts(settled=1)
    for name, value in vendor.items():
        assert attempt.header(name) == [value]


def test_reply_headers_that_are_not_the_clients_business(scene, client):
    provider = scene.provider(client)
    key = scene.key(provider)
    said = {
        "set-cookie": "provider=1",
        "x-sluice-retry": "1",
        "x-envoy-upstream-service-time": "1",
        "strict-transport-security": "max-age=1",
        "alt-svc": 'h3=":443"',
        "x-custom": "kept",
        "request-id": "req_kept",
    }
    provider.script(("delay_ms", {"delay_ms": 1, "headers": said}))
    reply = key.send(client)
    assert (reply.status, reply.sluice("attempts")) == (200, "1")
    assert reply.headers["x-custom"] == "kept" and reply.headers["request-id"] == "req_kept"
    gone = {"set-cookie", "x-sluice-retry", "x-envoy-upstream-service-time", "strict-transport-security", "alt-svc"}
    assert not gone & set(reply.headers)


@pytest.mark.parametrize("value", ["a" * 65, "two words", "ü"])
def test_request_ids_are_not_a_way_in(scene, value):
    key = scene.key(scene.provider())
    reply = key.send(Openai, headers={"x-request-id": value.encode()})
    assert reply.status == 200
    assert reply.request_id and reply.request_id != value
    assert key.row(reply).request_id == reply.request_id

"""What works when nothing fails: every client dialect with every provider dialect, buffered and streamed."""

import pytest
from harness.dialects import Anthropic, Openai


def test_every_client_reaches_every_provider(scene, client, upstream, stream):
    provider = scene.provider(upstream)
    key = scene.key(provider)
    reply = key.send(client, client.body("[[say:Grüße aus 東京]]", stream=stream))

    assert reply.status == 200 and reply.whole
    if stream:
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert client.stream_text(reply.events) == "Grüße aus 東京"
        assert client.is_complete(reply.events)
    else:
        assert client.text(reply.json) == "Grüße aus 東京"
    assert reply.sluice("provider") == provider.name
    assert reply.sluice("model") == upstream.public
    assert reply.sluice("attempts") == "1"
    assert reply.sluice("fallback-reason") is None

    (attempt,) = provider.attempts(settled=1)
    assert attempt.refused is None and attempt.outcome == "completed"
    assert attempt.json["model"] == upstream.model
    assert not attempt.header("accept-encoding")

    row = key.row(reply)
    assert row.classes == [(provider.name, 200, "ok")]
    assert (row.status, row.error, row.stream) == (200, None, stream)
    assert (row.dialect, row.endpoint, row.requested_model) == (client.name, client.endpoint, "auto")
    assert (row.provider, row.model) == (provider.name, upstream.public)


@pytest.mark.parametrize("base", ["", "/api", "/oai", "/openai", "/anthropic"])
@pytest.mark.parametrize("spelling", ["/v1/{}", "//v1//{}", "/{}"])
def test_sdk_base_paths_lead_to_the_same_endpoints(scene, base, spelling):
    if scene.stack.is_guest and not base and spelling != "/v1/{}":
        # The guest's host gave Sluice the prefix /v1/ and these bases: all else is the host's own.
        spelling = "/v1//{}"
    key = scene.key(scene.provider())
    path = base + spelling.format("chat/completions")
    assert key.send(Openai, path=path).status == 200


@pytest.mark.parametrize("header", ["authorization", "x-api-key", "api-key", "x-goog-api-key"])
def test_every_vendors_way_of_sending_a_key(scene, header):
    key = scene.key(scene.provider())
    value = f"Bearer {key.token}" if header == "authorization" else key.token
    reply = scene.gateway.send(Openai.path, Openai.body(), {header: value})
    assert reply.status == 200


def test_key_in_the_query(scene):
    provider = scene.provider()
    key = scene.key(provider)
    reply = scene.gateway.send(f"{Openai.path}?key={key.token}", Openai.body())
    assert reply.status == 200
    assert key.token not in provider.attempts(settled=1)[0].path


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", {"model": "text-embedding-3-small", "input": ["a", "b"]}),
        ("/v1/completions", {"model": "gpt-3.5-turbo-instruct", "prompt": "Say something", "max_tokens": 9}),
    ],
)
def test_endpoints_of_the_patch_lane(scene, path, body):
    provider = scene.provider()
    key = scene.key((provider, body["model"]))
    reply = key.send(Openai, body | {"model": f"{provider.name}/{body['model']}"}, path=path)
    assert reply.status == 200, reply
    (attempt,) = provider.attempts(settled=1)
    assert (attempt.path, attempt.json["model"], attempt.refused) == (path, body["model"], None)
    row = key.row(reply)
    assert row.usage["input"] == attempt.consumed["input"] > 0
    assert row.usage_source == "provider"


def test_defaults_that_a_providers_dialect_demands(scene):
    provider = scene.provider(Anthropic)
    key = scene.key(provider)
    assert key.send(Openai).status == 200
    (attempt,) = provider.attempts(settled=1)
    assert attempt.header("anthropic-version") == ["2023-06-01"]
    assert attempt.json["max_tokens"] > 0
    assert attempt.header("x-api-key") == [f"sk-{provider.name}"]

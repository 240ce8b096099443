"""What a key may ask for, and by whom it may be served."""

import pytest
from harness.dialects import Anthropic, Openai


def forbidden(client, reply, code):
    assert reply.status == 403, reply
    found, message = client.check_error(reply)
    assert found == code and message


def test_endpoints(scene):
    provider = scene.provider()
    key = scene.key(provider, endpoints={"allow": ["chat.completions"]})
    assert key.send(Openai).status == 200
    reply = key.send(Anthropic)
    forbidden(Anthropic, reply, "endpoint_not_allowed")
    assert key.row(reply).error == "endpoint_not_allowed"
    forbidden(Openai, key.get("/v1/models"), "endpoint_not_allowed")
    key.change(endpoints={"allow": [], "deny": ["chat.completions"]})
    forbidden(Openai, key.send(Openai), "endpoint_not_allowed")
    assert key.get("/v1/models").status == 200
    assert len(provider.attempts()) == 1


def test_models(scene, client):
    provider = scene.provider(client)
    cheap = scene.model([(provider, client.model)], id=f"cheap-{client.name}")
    dear = scene.model([(provider, client.model)], id=f"dear-{client.name}")
    key = scene.key((provider, dear), (provider, cheap), models={"allow": ["cheap-*"]})
    reply = key.send(client, client.body(model=dear))
    # The chain holds something that the key may have.
    assert (reply.status, reply.sluice("model")) == (200, cheap)
    key.change(chain=[])
    reply = key.send(client, client.body(model=dear))
    forbidden(client, reply, "model_not_allowed")
    assert key.row(reply).error == "model_not_allowed"
    assert key.send(client, client.body(model=cheap)).status == 200
    # Nor by way of the provider's name.
    forbidden(client, key.send(client, client.body(model=f"{provider.name}/{dear}")), "model_not_allowed")
    # Nor by a name that only the provider knows it by.
    for own in ["cheap-but-not-in-the-catalog", f"models/{dear}"]:
        reply = key.send(client, client.body(model=f"{provider.name}/{own}"))
        forbidden(client, reply, "model_not_allowed")
    listed = [model["id"] for model in key.get("/v1/models").json["data"]]
    assert cheap in listed and dear not in listed
    assert key.get(f"/v1/models/{dear}").status == 404


def test_providers(scene, client):
    barred, allowed = scene.provider(client), scene.provider(client)
    model = scene.model([(barred, client.model), (allowed, client.model)])
    key = scene.key(providers={"deny": [barred.name]})
    reply = key.send(client, client.body(model=model))
    assert (reply.status, reply.sluice("provider")) == (200, allowed.name)
    forbidden(client, key.send(client, client.body(model=f"{barred.name}/{client.model}")), "model_not_allowed")
    key.change(providers={"allow": [barred.name], "deny": []})
    reply = key.send(client, client.body(model=model))
    assert (reply.status, reply.sluice("provider")) == (200, barred.name)
    assert [len(barred.attempts()), len(allowed.attempts())] == [1, 1]


@pytest.mark.parametrize("shape", ["openai", "anthropic"])
def test_models_are_listed_in_the_clients_shape(scene, shape):
    provider = scene.provider()
    model = scene.model([(provider, "gpt-4o")], owner="someone", created=1_700_000_000)
    key = scene.key()
    headers = {"anthropic-version": "2023-06-01"} if shape == "anthropic" else {}
    listed = key.get("/v1/models", headers).json
    (found,) = [entry for entry in listed["data"] if entry["id"] == model]
    if shape == "openai":
        assert listed["object"] == "list"
        assert found == {"id": model, "object": "model", "created": 1_700_000_000, "owned_by": "someone"}
    else:
        assert found["type"] == "model" and found["created_at"].startswith("2023-11-14T")
        assert listed["has_more"] in (True, False)
    one = key.get(f"/v1/models/{model}", headers)
    assert one.status == 200 and one.json == found
    assert not provider.attempts()


@pytest.mark.parametrize("name", ["no-such", "..%2f..%2fadmin", "%2e%2e", "a%00b", "%zz"])
def test_models_that_are_not_there(scene, name):
    reply = scene.key().get(f"/v1/models/{name}")
    assert reply.status == 404
    assert Openai.check_error(reply)[0] == "model_not_found"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/chat/completions"), ("POST", "/v1/models"), ("POST", "/v1/nothing"), ("DELETE", "/v1/messages"),
     ("POST", "/v1/chat/../chat/completions"), ("POST", "/v1/chat%2fcompletions"), ("GET", "/v1/")],
)  # fmt: skip
def test_other_paths_are_not_found(scene, method, path):
    body = b"{}" if method == "POST" else None
    reply = scene.gateway.send(path, body, method=method)
    assert reply.status == 404, reply

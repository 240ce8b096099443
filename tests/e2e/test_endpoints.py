"""What is not a chat: probes, model lists, counts, vectors, and Gemini's streams as arrays."""

import json

import pytest
from harness import flavours
from harness.dialects import Anthropic, Gemini, Openai
from harness.gateway import raw

BASES = ["/v1", "/api", "/api/v1", "/oai", "/openai/v1", "/anthropic", "/anthropic/v1", "/gemini", "/v1beta"]


def exchange(scene, method, path, headers=""):
    """Status line, headers and whatever follows them until the connection closes."""
    request = f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n".encode()
    head, _, rest = raw(scene.gateway.port, request).partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode().lower(), rest


@pytest.mark.parametrize("path", [*(f"{base}/" for base in BASES), "/api/hello", "/anthropic/api/hello"])
def test_a_probe_needs_no_key_and_gets_no_body(scene, path):
    status, head, rest = exchange(scene, "HEAD", path)
    assert (status, rest) == (200, b""), head
    assert "x-sluice-request-id: " in head


@pytest.mark.parametrize("path", ["/v1/models", "/v1beta/models", "/v1/models/house-gpt"])
def test_the_head_of_a_list_is_its_get_without_a_body(scene, path):
    key = scene.key()
    sent = f"authorization: Bearer {key.token}\r\n"
    status, head, rest = exchange(scene, "HEAD", path, sent)
    assert (status, rest) == (200, b"") and "content-type: application/json" in head, head
    status, head, rest = exchange(scene, "HEAD", path)
    assert (status, rest) == (401, b""), head
    assert exchange(scene, "HEAD", "/v1/chat/completions", sent)[::2] == (404, b"")


def test_models_are_listed_in_the_client_s_dialect(scene):
    key = scene.key()
    for path, headers in [
        ("/v1beta/models", {}),
        ("/gemini/v1/models", {}),
        ("/v1/models", {"x-goog-api-key": key.token}),
        (f"/v1/models?key={key.token}", {}),
    ]:
        models = key.get(path, headers).json["models"]
        assert any(model["name"] == "models/house-gpt" for model in models), path
    assert key.get("/v1beta/models/house-gpt").json["name"] == "models/house-gpt"
    assert key.get("/v1/models").json["object"] == "list"
    assert key.get("/v1/models", {"anthropic-version": "2023-06-01"}).json["data"][0]["type"] == "model"
    missing = key.get("/v1beta/models/nobody")
    assert missing.status == 404
    Gemini.check_error(missing)


def test_models_are_listed_in_pages(scene):
    key = scene.key(models={"allow": ["house-*"]})
    anthropic = {"anthropic-version": "2023-06-01"}
    first = key.get("/v1/models?limit=1", anthropic).json
    assert [model["id"] for model in first["data"]] == ["house-claude"] and first["has_more"]
    rest = key.get(f"/v1/models?limit=1&after_id={first['last_id']}", anthropic).json
    assert [model["id"] for model in rest["data"]] == ["house-gpt"] and not rest["has_more"]
    first = key.get("/v1beta/models?pageSize=1").json
    assert [model["name"] for model in first["models"]] == ["models/house-claude"]
    rest = key.get(f"/v1beta/models?pageSize=1&pageToken={first['nextPageToken']}").json
    assert [model["name"] for model in rest["models"]] == ["models/house-gpt"] and "nextPageToken" not in rest
    refused = key.get("/anthropic/v1/models?limit=0")
    assert refused.status == 400
    Anthropic.check_error(refused)


def count(key, client, model):
    """A count, as a client of a dialect asks for it: the reply, and the number in it."""
    if client is Anthropic:
        body, member = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}, "input_tokens"
        path = "/v1/messages/count_tokens?beta=true"
    else:
        body, member = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}, "totalTokens"
        path = f"/v1beta/models/{model}:countTokens"
    reply = key.send(client, body, path=path)
    return reply, reply.json.get(member)


@pytest.mark.parametrize("client", [Anthropic, Gemini], ids=lambda client: client.name)
@pytest.mark.parametrize(
    "flavour",
    [flavours.ANTHROPIC, flavours.GEMINI, flavours.BEDROCK, flavours.VERTEX, flavours.VERTEX_CLAUDE],
    ids=lambda flavour: f"by_{flavour.name}",
)
def test_tokens_are_counted_by_who_serves_the_model(scene, client, flavour):
    provider = scene.provider(flavour)
    model = scene.model([(provider, flavour.upstream)])
    key = scene.key()
    reply, tokens = count(key, client, model)
    assert reply.status == 200 and tokens > 0, reply
    assert reply.sluice("usage-source") is None and reply.sluice("provider") == provider.name
    (attempt,) = provider.attempts(settled=1)
    assert attempt.refused is None, attempt
    row = key.row(reply)
    assert (row.usage_source, row.usage["input"], row.usage["output"]) == ("none", 0, 0), "counting is free"


@pytest.mark.parametrize("client", [Anthropic, Gemini], ids=lambda client: client.name)
def test_a_count_that_nobody_can_make_is_an_estimate(scene, client):
    provider = scene.provider()
    model = scene.model([(provider, "gpt-4o")])
    key = scene.key()
    reply, tokens = count(key, client, model)
    assert (reply.status, reply.sluice("usage-source")) == (200, "estimated"), reply
    assert tokens > 0 and provider.attempts() == []
    row = key.row(reply)
    assert (row.status, row.usage_source, row.attempts) == (200, "none", [])


EMBEDDERS = [
    (flavours.OPENAI, "text-embedding-3-small"),
    (flavours.GEMINI, "gemini-embedding-001"),
    (flavours.BEDROCK, "amazon.titan-embed-text-v2:0"),
    (flavours.BEDROCK, "cohere.embed-english-v3"),
    (flavours.VERTEX, "gemini-embedding-001"),
    (flavours.VERTEX, "text-embedding-005"),
]
# AI Studio's oldest model does not say what it used.
UNCOUNTED = (flavours.GEMINI, "gemini-embedding-001")


@pytest.mark.parametrize(("flavour", "upstream"), EMBEDDERS, ids=lambda value: getattr(value, "name", value))
def test_vectors_cross_dialects(scene, flavour, upstream):
    provider = scene.provider(flavour)
    model = scene.model([(provider, upstream)])
    key = scene.key()
    asked = {"model": model, "input": "Hello"}
    reply = key.send(Openai, asked, path="/v1/embeddings")
    assert reply.status == 200, reply
    (vector,) = reply.json["data"]
    assert len(vector["embedding"]) > 100 and all(isinstance(number, float) for number in vector["embedding"])
    packed = key.send(Openai, asked | {"encoding_format": "base64"}, path="/v1/embeddings")
    assert isinstance(packed.json["data"][0]["embedding"], str), packed
    text = {"content": {"parts": [{"text": "Hello"}]}}
    single = key.send(Gemini, text, path=f"/v1beta/models/{model}:embedContent")
    assert single.status == 200 and len(single.json["embedding"]["values"]) == len(vector["embedding"]), single
    batch = {"requests": [{"model": f"models/{model}", **text}]}
    many = key.send(Gemini, batch, path=f"/v1beta/models/{model}:batchEmbedContents")
    assert [len(one["values"]) for one in many.json["embeddings"]] == [len(vector["embedding"])], many
    assert all(attempt.refused is None for attempt in provider.attempts(settled=4))
    source = "estimated" if (flavour, upstream) == UNCOUNTED else "provider"
    for each in (reply, packed, single, many):
        row = key.row(each)
        assert row.usage_source == source and row.usage["input"] > 0, row


@pytest.mark.parametrize("flavour", [flavours.OPENAI, flavours.GEMINI, flavours.BEDROCK], ids=lambda f: f.name)
def test_a_stream_without_alt_is_one_array(scene, flavour):
    provider = scene.provider(flavour)
    key = scene.key((provider, flavour.upstream))
    path = "/v1beta/models/auto:streamGenerateContent"
    reply = key.send(Gemini, Gemini.body("[[unicode]]"), path=path)
    assert (reply.status, reply.headers["content-type"], reply.whole) == (200, "application/json", True), reply
    events = json.loads(reply.body)
    assert len(events) > 1 and "candidates" in events[0]
    provider.script(("error_event_after_tokens", {"tokens": 3}))
    # A pause before each word: what has been said has then reached the client before the fault comes.
    broken = key.send(Gemini, Gemini.body("[[words:12]] [[delay_ms:20]]"), path=path)
    assert broken.status == 200 and json.loads(broken.body)[-1]["error"]["code"] >= 400, broken


def test_google_s_sdk_in_vertex_mode_finds_the_same_models(scene):
    provider = scene.provider(flavours.GEMINI)
    key = scene.key((provider, flavours.GEMINI.upstream))
    path = "/v1beta1/projects/p/locations/l/publishers/google/models/auto:generateContent"
    reply = key.send(Gemini, Gemini.body(), path=path)
    assert reply.status == 200 and Gemini.text(reply.json), reply

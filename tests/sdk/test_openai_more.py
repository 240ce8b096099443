"""The OpenAI clients' other endpoints: models, embeddings, legacy completions, pictures."""

import base64
import struct

import pytest
from official.answer import ClientError
from official.shared import PNG, check_request_id


def test_models(openai, house):
    """The list has what the key may ask for, in the API's shape."""
    models = openai.models().data
    by_id = {model["id"]: model for model in models}
    assert {"house-gpt", "house-claude"} <= set(by_id), models
    assert all(model["object"] == "model" and isinstance(model["created"], int) for model in models), models
    assert by_id["house-gpt"]["owned_by"] == "house"


def test_models_of_a_narrow_key(connect, house, openai_client):
    """And nothing else."""
    models = connect(openai_client, house.narrow.token).models().data
    assert [model["id"] for model in models] == ["house-gpt"]


def test_model(openai, house):
    """One model is found."""
    model = openai.model("house-claude").data
    assert (model["id"], model["object"], model["owned_by"]) == ("house-claude", "model", "house")


def test_model_unknown(openai):
    """Another is not."""
    with pytest.raises(ClientError) as caught:
        openai.model("house-cloud")
    assert (caught.value.kind, caught.value.status) == ("NotFoundError", 404)
    assert caught.value.code == "model_not_found"
    assert "house-claude" in caught.value.message


@pytest.fixture
def vectors(house):
    """The provider that has embeddings and completions."""
    side = house.side("openai")
    side.virtual.reset()
    yield side
    side.check()


def test_embeddings(openai, vectors):
    """The clients ask for base64 of their own accord, and decode it."""
    model = f"{vectors.virtual.name}/text-embedding-3-small"
    answer = openai.embeddings(model=model, input=["one", "two"])
    assert vectors.sent.json["encoding_format"] == "base64"
    check_request_id(answer)
    floats = openai.embeddings(model=model, input=["one", "two"], encoding_format="float").data
    for left, right in zip(answer.data["data"], floats["data"], strict=True):
        assert len(left["embedding"]) == len(right["embedding"]) == 1536
        assert left["embedding"] == pytest.approx(right["embedding"], rel=1e-6)
        assert left["index"] == right["index"]
    cost = vectors.usage
    assert floats["usage"] == {"prompt_tokens": cost["input"], "total_tokens": cost["input"]}


def test_embeddings_in_base64(openai, vectors):
    """Who asks for base64 gets it."""
    model = f"{vectors.virtual.name}/text-embedding-3-small"
    answer = openai.embeddings(model=model, input="one", encoding_format="base64", dimensions=8)
    (row,) = answer.data["data"]
    vector = struct.unpack("<8f", base64.b64decode(row["embedding"]))
    assert sum(number * number for number in vector) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.needs("embeddings")
def test_embeddings_of_any_provider(openai, side):
    """Vectors, one for each text, whoever makes them; they come as the client asked for them, base64 or not."""
    answer = openai.embeddings(model=side.embedder, input=["one", "two", "three"])
    assert [row["index"] for row in answer.data["data"]] == [0, 1, 2]
    floats = openai.embeddings(model=side.embedder, input=["one", "two", "three"], encoding_format="float").data
    for left, right in zip(answer.data["data"], floats["data"], strict=True):
        assert left["embedding"] == pytest.approx(right["embedding"], rel=1e-6)
    assert floats["data"][0]["embedding"] != floats["data"][1]["embedding"]
    # Cohere's on Bedrock say it in a header of the reply alone.
    told = side.usage["input"]
    assert floats["usage"] == {"prompt_tokens": told, "total_tokens": told}


def test_images(openai, side):
    """Pictures are made and changed, where the provider does that."""
    if side.dialect != "openai":
        with pytest.raises(ClientError) as raised:
            openai.image(model=side.model, prompt="An orange")
        assert raised.value.status == 404 and "images" in raised.value.message
        assert side.virtual.attempts() == []
        return
    model = f"{side.virtual.name}/gpt-image-1"
    made = openai.image(model=model, prompt="An orange")
    assert base64.b64decode(made.data["data"][0]["b64_json"])
    check_request_id(made)
    changed = openai.edited(model=model, prompt="Greener", image=PNG)
    assert base64.b64decode(changed.data["data"][0]["b64_json"])
    assert base64.b64decode(PNG) in base64.b64decode(side.last.body_base64)


def test_completion(openai, vectors):
    """A prompt is continued."""
    model = f"{vectors.virtual.name}/gpt-3.5-turbo-instruct"
    answer = openai.completion(model=model, prompt="[[say:once more]]", max_tokens=50)
    (choice,) = answer.data["choices"]
    assert (choice["text"], choice["finish_reason"]) == ("once more", "stop")
    assert answer.data["object"] == "text_completion"
    assert answer.data["usage"]["completion_tokens"] == vectors.usage["output"]
    check_request_id(answer)


@pytest.mark.parametrize("usage", [False, True], ids=["without_usage", "with_usage"])
def test_completion_streamed(openai, vectors, usage):
    """A prompt is continued piece by piece, with usage for who asks."""
    model = f"{vectors.virtual.name}/gpt-3.5-turbo-instruct"
    more = {"stream_options": {"include_usage": True}} if usage else {}
    chunks = openai.completion_chunks(model=model, prompt="[[words:30]]", max_tokens=200, **more).data
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    assert "".join(choice["text"] for choice in choices) == " ".join(f"word{number}" for number in range(1, 31))
    assert [choice["finish_reason"] for choice in choices if choice["finish_reason"]] == ["stop"]
    told = [chunk["usage"]["completion_tokens"] for chunk in chunks if chunk.get("usage")]
    assert told == ([vectors.usage["output"]] if usage else [])


@pytest.mark.parametrize("operation", ["embeddings", "completion"])
def test_without_a_counterpart(openai, house, operation):
    """What no provider of the model has is refused as such, not sent."""
    side = house.side("anthropic")
    side.virtual.reset()
    text = {"input": "one"} if operation == "embeddings" else {"prompt": "one"}
    with pytest.raises(ClientError) as caught:
        getattr(openai, operation)(model=side.model, **text)
    assert (caught.value.kind, caught.value.code) == ("NotFoundError", "model_not_found"), caught.value
    assert caught.value.request_id and "endpoint" in caught.value.message, caught.value
    assert side.virtual.attempts() == []

"""The Anthropic clients' other endpoint that the edge answers: models."""

import pytest
from official.answer import ClientError


def test_models(anthropic):
    """The list has what the key may ask for, in the API's shape."""
    models = anthropic.models().data
    assert {"house-gpt", "house-claude"} <= {model["id"] for model in models}, models
    assert all(model["type"] == "model" and model["display_name"] for model in models), models


def test_models_of_a_narrow_key(connect, house, anthropic_client):
    """And nothing else."""
    models = connect(anthropic_client, house.narrow.token).models().data
    assert [model["id"] for model in models] == ["house-gpt"]


def test_model(anthropic):
    """One model is found."""
    model = anthropic.model("house-gpt").data
    assert (model["id"], model["type"]) == ("house-gpt", "model")


def test_model_unknown(anthropic):
    """Another is not."""
    with pytest.raises(ClientError) as caught:
        anthropic.model("house-cloud")
    assert (caught.value.kind, caught.value.status, caught.value.type) == ("NotFoundError", 404, "not_found_error")
    assert "house-claude" in caught.value.message and caught.value.request_id

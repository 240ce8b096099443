"""The Anthropic clients' other endpoints: models, and the size of a prompt."""

import pytest
from official.answer import ClientError
from official.shared import CITY_SCHEMA, check_request_id


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


def test_count(anthropic, side):
    """A prompt's size is what its message then costs, as far as the provider tells; else it is estimated."""
    arguments = {
        "model": side.model,
        "system": "Be terse.",
        "messages": [{"role": "user", "content": "How many tokens are these?"}],
        "tools": [{"name": "get_weather", "description": "Weather of a city", "input_schema": CITY_SCHEMA}],
    }
    answer = anthropic.counted(**arguments)
    check_request_id(answer)
    counts = len(side.virtual.attempts())
    anthropic.message(**arguments, max_tokens=100)
    assert counts == (0 if side.dialect == "openai" else 1)
    assert answer.data["input_tokens"] == side.usage["input"] or counts == 0 and answer.data["input_tokens"] > 0

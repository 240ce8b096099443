"""What an upstream's dialect has no word for: a key that may lose it is told what was lost, a strict one is refused."""

import pytest
from official.answer import ClientError
from official.house import DIALECTS, LACKS
from official.shared import CITY_SCHEMA, PDF

URL = "https://pictures.example/orange.png"
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": CITY_SCHEMA}}
FLAT = {"type": "function", "name": "get_weather", "parameters": CITY_SCHEMA, "strict": False}
TOOL = {"name": "get_weather", "input_schema": CITY_SCHEMA}
MARKED = {"type": "text", "text": "Be terse.", "cache_control": {"type": "ephemeral"}}
FILE = {"filename": "note.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}


def user(*parts):
    """A turn of parts."""
    return [{"role": "user", "content": list(parts)}]


# By client: feature -> what asks for it, and what the loss is called in the words of the client's API.
CHAT = {
    "stop": ({"stop": ["END"]}, "stop"),
    "seed": ({"seed": 7}, "seed"),
    "presence_penalty": ({"presence_penalty": 0.5}, "presence_penalty"),
    "user": ({"user": "user-42"}, "user"),
    "filename": ({"messages": user({"type": "file", "file": FILE})}, "messages[0].content[0].file.filename"),
    "image_url": (
        {"messages": user({"type": "image_url", "image_url": {"url": URL}}, {"type": "text", "text": "Hi"})},
        "messages[0].content[0]",
    ),
    "parallel_tool_calls": ({"tools": [WEATHER], "parallel_tool_calls": False}, "parallel_tool_calls"),
}
RESPONSES = {
    "user": ({"safety_identifier": "user-42"}, "safety_identifier"),
    "filename": ({"input": user({"type": "input_file", **FILE})}, "input[0].content[0].filename"),
    "image_url": (
        {"input": user({"type": "input_image", "image_url": URL}, {"type": "input_text", "text": "Hi"})},
        "input[0].content[0]",
    ),
    "parallel_tool_calls": ({"tools": [FLAT], "parallel_tool_calls": False}, "parallel_tool_calls"),
    "shown_thoughts": ({"reasoning": {"summary": "auto"}}, "reasoning.summary"),
}
MESSAGES = {
    "stop": ({"stop_sequences": ["END"]}, "stop_sequences"),
    "top_k": ({"extra_body": {"top_k": 3}}, "top_k"),
    "user": ({"metadata": {"user_id": "user-42"}}, "metadata.user_id"),
    "image_url": (
        {"messages": user({"type": "image", "source": {"type": "url", "url": URL}}, {"type": "text", "text": "Hi"})},
        "messages[0].content[0]",
    ),
    "parallel_tool_calls": (
        {"tools": [TOOL], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        "tool_choice.disable_parallel_tool_use",
    ),
}
GENERATE = {
    "stop": ({"stop_sequences": ["END"]}, "generationConfig.stopSequences"),
    "seed": ({"seed": 7}, "generationConfig.seed"),
    "presence_penalty": ({"presence_penalty": 0.5}, "generationConfig.presencePenalty"),
    "top_k": ({"top_k": 3}, "generationConfig.topK"),
    "shown_thoughts": (
        {"thinking_config": {"include_thoughts": True}}, "generationConfig.thinkingConfig.includeThoughts",
    ),
}  # fmt: skip


def cases(features):
    """All pairs of an upstream and a feature that it lacks."""
    return [
        pytest.param(upstream, feature, id=f"{upstream}-{feature}")
        for upstream in DIALECTS for feature in features if feature in LACKS[upstream]
    ]  # fmt: skip


def check(side, path, ask):
    """`ask(key)` gives the reply's headers, if it is served."""
    dropped = ask("lenient").get("x-sluice-dropped-params", "")
    assert path in dropped.split(","), dropped
    assert len(side.virtual.attempts()) == 1
    side.virtual.reset()
    with pytest.raises(ClientError) as caught:
        ask("strict")
    assert caught.value.status == 400 and path in caught.value.message, caught.value
    assert side.virtual.attempts() == []


@pytest.mark.parametrize("openai_client", ["openai-py"])
@pytest.mark.parametrize("upstream, feature", cases(CHAT))
def test_losses_of_completions(connect, house, openai_client, side, feature):
    """Of a Chat Completion."""
    more, path = CHAT[feature]
    arguments = {"model": side.model, "messages": [{"role": "user", "content": "Hi"}], **more}
    check(side, path, lambda key: connect(openai_client, getattr(house, key).token).raw_chat(**arguments).headers)


@pytest.mark.parametrize("openai_client", ["openai-py"])
@pytest.mark.parametrize("upstream, feature", cases(RESPONSES))
def test_losses_of_responses(connect, house, openai_client, side, feature):
    """Of a Response."""
    more, path = RESPONSES[feature]
    arguments = {"model": side.model, "input": "Hi", **more}
    check(side, path, lambda key: connect(openai_client, getattr(house, key).token).raw_response(**arguments).headers)


@pytest.mark.parametrize("anthropic_client", ["anthropic-py"])
@pytest.mark.parametrize("upstream, feature", cases(MESSAGES))
def test_losses_of_messages(connect, house, anthropic_client, side, feature):
    """Of a message."""
    more, path = MESSAGES[feature]
    arguments = {"model": side.model, "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}], **more}
    check(side, path, lambda key: connect(anthropic_client, getattr(house, key).token).raw_message(**arguments).headers)


@pytest.mark.parametrize("google_client", ["google-py"])
@pytest.mark.parametrize("upstream, feature", cases(GENERATE))
def test_losses_of_contents(connect_google, google_client, house, side, feature):
    """Of generated content."""
    config, path = GENERATE[feature]

    def ask(key):
        reply = connect_google(getattr(house, key).token).generate(model=side.model, contents="Hi", config=config)
        return {name.lower(): value for name, value in reply.sdk_http_response.headers.items()}

    check(side, path, ask)


@pytest.mark.parametrize("anthropic_client", ["anthropic-py"])
def test_a_marker_where_caches_need_none_is_no_loss(connect, house, anthropic_client, side):
    """It changes neither the answer nor what can be asked."""
    messages = [{"role": "user", "content": "Hi"}]
    client = connect(anthropic_client, house.strict.token)
    answer = client.raw_message(model=side.model, max_tokens=100, system=[MARKED], messages=messages)
    assert "x-sluice-dropped-params" not in answer.headers


@pytest.mark.parametrize("google_client", ["google-py"])
def test_what_a_function_returns_is_no_loss(connect_google, google_client, house, side):
    """Google's own client describes it, and no model has to obey it."""
    weather = {
        "name": "get_weather", "parameters_json_schema": CITY_SCHEMA, "response_json_schema": {"type": "string"},
    }  # fmt: skip
    config = {"tools": [{"function_declarations": [weather]}]}
    reply = connect_google(house.strict.token).generate(model=side.model, contents="Hi", config=config)
    assert "x-sluice-dropped-params" not in {name.lower() for name in reply.sdk_http_response.headers}

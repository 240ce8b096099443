"""Vendors that have another's dialect behind addresses and credentials of their own: Azure, and Vertex for Gemini and
Claude. What is said in a dialect is what other tests are about; here the vendors are reached, by clients of two APIs.
"""

import json

import pytest
from official.anthropic_stream import Streamed as Events
from official.anthropic_stream import with_words
from official.shared import CITY_SCHEMA, PNG, UNICODE

CALL = '[[tool:get_weather {"city": "Bern"}]]'
BERN = {"city": "Bern"}


class Chat:
    """Chat Completions, as the OpenAI client speaks them."""

    TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": CITY_SCHEMA}}]

    def __init__(self, client):
        self._client = client

    def ask(self, streamed, model, prompt, **more):
        """Text, thoughts, and arguments of calls."""
        arguments = {"model": model, "messages": [{"role": "user", "content": prompt}], **more}
        # Azure begins its streams with a chunk that is none by the client's own types; the client's helper knows that.
        way = self._client.helper if streamed else self._client.chat
        message = way(**arguments).data["choices"][0]["message"]
        calls = [json.loads(call["function"]["arguments"]) for call in message.get("tool_calls") or []]
        return message.get("content") or "", message.get("reasoning_content") or "", calls

    REASONING = {"reasoning_effort": "low", "max_completion_tokens": 8_000}

    @staticmethod
    def picture(text):
        """A prompt with a picture."""
        url = f"data:image/png;base64,{PNG}"
        return [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": text}]


class Messages:
    """Messages, as the Anthropic client speaks them."""

    TOOLS = [{"name": "get_weather", "input_schema": CITY_SCHEMA}]

    def __init__(self, client, side):
        self._client = client
        self._side = side

    def ask(self, streamed, model, prompt, **more):
        """Text, thoughts, and arguments of calls."""
        messages = [{"role": "user", "content": prompt}]
        arguments = {"model": model, "max_tokens": 1_024, "messages": messages, **more}
        if streamed:
            content = Events(self._client.events(**arguments).data).content
        else:
            content = self._client.message(**arguments).data["content"]
        content = with_words(content, self._side)
        text, thoughts, calls = (
            [block[member] for block in content if block["type"] == kind]
            for kind, member in [("text", "text"), ("thinking", "thinking"), ("tool_use", "input")]
        )
        return "".join(text), "".join(thoughts), calls

    REASONING = {"thinking": {"type": "enabled", "budget_tokens": 2_000}, "max_tokens": 8_000}

    @staticmethod
    def picture(text):
        """A prompt with a picture."""
        source = {"type": "base64", "media_type": "image/png", "data": PNG}
        return [{"type": "image", "source": source}, {"type": "text", "text": text}]


@pytest.fixture(params=["openai-py", "anthropic-py"])
def vendor_client(request):
    """The name of a client: each."""
    return request.param


@pytest.fixture
def client(vendor_client, connect, vendor):
    """A client whose key refuses every loss."""
    connected = connect(vendor_client)
    return Chat(connected) if vendor_client == "openai-py" else Messages(connected, vendor)


@pytest.fixture(params=[False, True], ids=["buffered", "streamed"])
def streamed(request):
    """How a reply is asked for."""
    return request.param


def test_text(client, vendor, streamed):
    """Text, whatever its characters."""
    assert client.ask(streamed, vendor.model, f"{UNICODE} [[unicode]]") == (UNICODE, "", [])


def test_tools(client, vendor, streamed):
    """Calls."""
    assert client.ask(streamed, vendor.model, f"[[say:Wait.]]{CALL}", tools=client.TOOLS) == ("Wait.", "", [BERN])


def test_reasoning(client, vendor, streamed):
    """Thoughts beside text."""
    reply = client.ask(streamed, vendor.reasoner, "[[think:Six times seven.]][[say:42]]", **client.REASONING)
    assert reply == ("42", "Six times seven.", [])


def test_image(client, vendor, streamed):
    """A picture arrives as the same bytes."""
    assert client.ask(streamed, vendor.model, client.picture("[[say:orange]]")) == ("orange", "", [])
    assert vendor.sent.pictures == [("image/png", PNG)]


@pytest.mark.parametrize("vendor", ["azure", "vertex"], indirect=True)
@pytest.mark.parametrize("vendor_client", ["openai-py"])
def test_embeddings(connect, vendor_client, vendor):
    """A vector."""
    (row,) = connect(vendor_client).embeddings(model=vendor.embedder, input="one").data["data"]
    assert row["embedding"] and all(isinstance(number, float) for number in row["embedding"])

"""LangChain's models of OpenAI (both APIs) and Anthropic, whatever the provider speaks."""

import asyncio
import json

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from official.shared import PNG, UNICODE, Person


@tool
def get_weather(city: str) -> str:
    """Weather of a city."""
    return f"sunny in {city}"


def chat(kind, house, model, key=None, **more):
    """A model of a kind; its key refuses every loss unless another is given."""
    common = {"model": model, "api_key": (key or house.strict).token, "timeout": 20, "max_retries": 0, **more}
    if kind == "langchain-anthropic":
        common.setdefault("max_tokens", 1024)
        return ChatAnthropic(base_url=house.url, **common)
    responses = {"use_responses_api": True, "output_version": "responses/v1"} if kind.endswith("responses") else {}
    return ChatOpenAI(base_url=f"{house.url}/v1", **common, **responses)


@pytest.fixture
def ask(langchain_client, house, side):
    """Makes a model that talks to the side's."""
    return lambda model=None, **more: chat(langchain_client, house, model or side.model, **more)


def check_usage(message, side):
    """LangChain was told what the provider counted."""
    cost, usage = side.usage, message.usage_metadata
    assert usage["input_tokens"] == cost["input"], (usage, cost)
    assert usage["output_tokens"] == cost["output"], (usage, cost)


def test_invoke(ask, side):
    """A reply in one piece."""
    reply = ask().invoke([SystemMessage("Be kind."), HumanMessage("[[say:Hello there]]")])
    assert reply.text == "Hello there"
    assert "Be kind." in side.last.body
    check_usage(reply, side)


def test_stream(ask, side):
    """A reply in chunks that add up."""
    more = {} if "anthropic" in type(ask()).__name__.lower() else {"stream_usage": True}
    total = None
    count = 0
    for chunk in ask(**more).stream(f"{UNICODE} [[unicode]]"):
        total = chunk if total is None else total + chunk
        count += 1
    assert total.text == UNICODE
    assert count > 2
    check_usage(total, side)


@pytest.fixture(scope="module")
def runner():
    """The one event loop: LangChain keeps its connections for as long as it lives."""
    with asyncio.Runner() as running:
        yield running


def test_async(ask, side, runner):
    """The same without blocking, several at once."""

    async def many():
        return await asyncio.gather(*(ask().ainvoke(f"[[say:only {number}]]") for number in range(8)))

    assert [reply.text for reply in runner.run(many())] == [f"only {number}" for number in range(8)]
    assert len(side.virtual.attempts()) == 8


def test_image(ask, side):
    """A picture in LangChain's own form."""
    parts = [
        {"type": "image", "base64": PNG, "mime_type": "image/png"},
        {"type": "text", "text": "What colour is it? [[say:orange]]"},
    ]
    assert ask().invoke([HumanMessage(content=parts)]).text == "orange"
    assert PNG in side.last.body


def test_tools(ask, side):
    """Tools are called, answered, and the conversation goes on."""
    model = ask().bind_tools([get_weather])
    calls = '[[tool:get_weather {"city": "Bern"}]][[tool:get_weather {"city": "Rome"}]]'
    asked = HumanMessage(f"[[say:Let me look.]]{calls}")
    reply = model.invoke([asked])
    assert [(call["name"], call["args"]["city"]) for call in reply.tool_calls] == [
        ("get_weather", "Bern"),
        ("get_weather", "Rome"),
    ]
    results = [get_weather.invoke(call) for call in reply.tool_calls]
    assert all(isinstance(result, ToolMessage) for result in results)
    final = model.invoke([asked, reply, *results, HumanMessage("[[say:Sunny in both.]]")])
    assert final.text == "Sunny in both."
    assert "sunny in Rome" in side.last.body


def test_streamed_tools(ask):
    """Calls in pieces add up to the same."""
    total = None
    for chunk in ask().bind_tools([get_weather]).stream('[[tool:get_weather {"city": "Zürich"}]]'):
        total = chunk if total is None else total + chunk
    assert [(call["name"], call["args"]) for call in total.tool_calls] == [("get_weather", {"city": "Zürich"})]


@pytest.mark.parametrize("choice", ["any", "get_weather"])
def test_forced_tool(ask, choice):
    """A tool must be called."""
    reply = ask().bind_tools([get_weather], tool_choice=choice).invoke("Hi")
    assert [call["name"] for call in reply.tool_calls] == ["get_weather"]


def test_structured_output(ask):
    """A reply that fits a schema, which LangChain parses."""
    person = {
        "name": "Ada", "nickname": None, "address": {"city": "London", "zip_code": 1}, "languages": ["en"],
    }  # fmt: skip
    parser = ask().with_structured_output(Person, method="json_schema")
    assert parser.invoke(f"[[say:{json.dumps(person)}]]") == Person.model_validate(person)


def test_tools_with_replayed_thinking(ask, langchain_client, house, side):
    """What was thought before a call goes back in the next turn, and its home accepts it.

    LangChain's Chat forgets all that OpenAI's own API has no word for; where the vendor wants its thoughts back, it is
    asked to go on without thinking, which is a loss.
    """
    reasoning = {
        "langchain-openai": {"reasoning_effort": "low"},
        "langchain-openai-responses": {
            "reasoning": {"effort": "low", "summary": "auto"},
            "include": ["reasoning.encrypted_content"],
            "store": False,
        },
        "langchain-anthropic": {"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 8000},
    }[langchain_client]
    forgets = langchain_client == "langchain-openai" and side.dialect in ("anthropic", "bedrock")
    key = house.lenient if forgets else house.key_to_see_thoughts(side)
    model = ask(side.reasoner, key=key, **reasoning).bind_tools([get_weather])
    asked = HumanMessage('[[think:Ask the tool.]][[tool:get_weather {"city": "Bern"}]]')
    reply = model.invoke([asked])
    assert isinstance(reply, AIMessage)
    (call,) = reply.tool_calls
    final = model.invoke([asked, reply, get_weather.invoke(call), HumanMessage("[[say:Sunny.]]")])
    assert final.text == "Sunny."
    if langchain_client != "langchain-openai":
        side.check_thinking_came_home()


def test_errors(langchain_client, house, broken):
    """Failures are the client's own exceptions."""
    broken.virtual.always("status", status=429)
    with pytest.raises(Exception) as raised:
        chat(langchain_client, house, broken.model).invoke("Hi")
    assert type(raised.value).__name__ in ("RateLimitError", "OpenAIRateLimitError", "AnthropicRateLimitError")
    assert raised.value.status_code == 429


@pytest.mark.needs("embeddings")
@pytest.mark.parametrize("langchain_client", ["langchain-openai"])
def test_embeddings(house, langchain_client, side):
    """Vectors, one for each text."""
    model = OpenAIEmbeddings(
        base_url=f"{house.url}/v1", api_key=house.strict.token, model=side.embedder, check_embedding_ctx_length=False
    )
    vector = model.embed_query("one")
    assert vector and all(isinstance(value, float) for value in vector)

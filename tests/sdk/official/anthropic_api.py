"""The Anthropic API through its official clients: Python, asynchronous Python."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import anthropic
import httpx2

from .answer import Answer, ClientError, described, plain

# What a client raises; while a stream is read, also what its HTTP library raises.
FAILURES = (anthropic.AnthropicError, httpx2.TransportError)


def get_weather(city: str) -> str:
    """Weather of a city.

    Args:
        city: Its name.
    """
    return f"12 °C in {city}"


class _Common:
    """What both have in common: one method for each operation that scenarios use."""

    # What the client raises when it has waited too long.
    timeout_kind = "APITimeoutError"

    def message(self, **arguments):
        """A message."""
        return self.perform("message", arguments)

    def raw_message(self, **arguments):
        """A message, with the reply's headers."""
        return self.perform("raw_message", arguments)

    def events(self, **arguments):
        """A streamed message: its events."""
        return self.perform("events", arguments)

    def beta_message(self, **arguments):
        """A message of the client's beta interface."""
        return self.perform("beta_message", arguments)

    def left(self, **arguments):
        """A streamed message that is left after its first piece of text."""
        return self.perform("left", arguments)

    def at_once(self, requests):
        """Many streamed messages at the same time: the events of each."""
        return self.perform("at_once", {"requests": requests})

    def helper(self, **arguments):
        """A streamed message through the client's own helper: what it has put together."""
        return self.perform("helper", arguments)

    def text(self, **arguments):
        """A streamed message through the client's own helper: the pieces of its text."""
        return self.perform("text", arguments)

    def parsed(self, **arguments):
        """A message whose text the client parses into `output_format`, a class."""
        return self.perform("parsed", arguments)

    def run_tools(self, **arguments):
        """A message whose calls the client itself answers, until there are no more."""
        return self.perform("run_tools", arguments)

    def counted(self, **arguments):
        """The size of a prompt."""
        return self.perform("counted", arguments)

    def models(self):
        """All models."""
        return self.perform("models", {})

    def model(self, model):
        """One model."""
        return self.perform("model", {"model_id": model})


class Python(_Common):
    """`anthropic.Anthropic`."""

    name = "anthropic-py"

    def __init__(self, base_url, key, timeout=20.0, credential="api_key"):
        self._client = anthropic.Anthropic(
            base_url=base_url, max_retries=0, timeout=timeout, **{credential: key}
        )

    def perform(self, operation, arguments):
        """Does one of the operations."""
        received = []
        try:
            return getattr(self, f"_{operation}")(arguments, received)
        except FAILURES as error:
            raise ClientError(described(error), received) from error

    def _message(self, arguments, _):
        message = self._client.messages.create(**arguments)
        return Answer(plain(message), message._request_id)

    def _raw_message(self, arguments, _):
        raw = self._client.messages.with_raw_response.create(**arguments)
        message = raw.parse()
        return Answer(plain(message), message._request_id, raw.headers)

    def _events(self, arguments, received):
        with self._client.messages.create(stream=True, **arguments) as stream:
            received.extend(plain(event) for event in stream)
        return Answer(received, stream.response.headers.get("request-id"), stream.response.headers)

    def _beta_message(self, arguments, _):
        message = self._client.beta.messages.create(**arguments)
        return Answer(plain(message), message._request_id)

    def _left(self, arguments, _):
        with self._client.messages.stream(**arguments) as stream:
            return Answer(next(iter(stream.text_stream)))

    def _at_once(self, arguments, _):
        requests = arguments["requests"]
        with ThreadPoolExecutor(len(requests)) as pool:
            answers = pool.map(lambda request: self._events(request, []), requests)
            return Answer([answer.data for answer in answers])

    def _helper(self, arguments, received):
        with self._client.messages.stream(**arguments) as stream:
            received.extend(event.type for event in stream)
            return Answer(plain(stream.get_final_message()), stream.request_id, events=received)

    def _text(self, arguments, received):
        with self._client.messages.stream(**arguments) as stream:
            received.extend(stream.text_stream)
            return Answer(received, stream.request_id)

    def _parsed(self, arguments, _):
        return Answer(self._client.messages.parse(**arguments).parsed_output)

    def _run_tools(self, arguments, _):
        runner = self._client.beta.messages.tool_runner(tools=[anthropic.beta_tool(get_weather)], **arguments)
        return Answer([plain(message) for message in runner])

    def _counted(self, arguments, _):
        count = self._client.messages.count_tokens(**arguments)
        return Answer(plain(count), count._request_id)

    def _models(self, _, __):
        return Answer([plain(model) for model in self._client.models.list()])

    def _model(self, arguments, _):
        return Answer(plain(self._client.models.retrieve(**arguments)))

    def close(self):
        """Closes its connections."""
        self._client.close()


class AsyncPython(_Common):
    """`anthropic.AsyncAnthropic`, on an event loop of its own."""

    name = "anthropic-py-async"

    def __init__(self, base_url, key, timeout=20.0, credential="api_key"):
        self._loop = asyncio.new_event_loop()
        self._client = anthropic.AsyncAnthropic(
            base_url=base_url, max_retries=0, timeout=timeout, **{credential: key}
        )

    def perform(self, operation, arguments):
        """Does one of the operations."""
        received = []
        try:
            return self._loop.run_until_complete(getattr(self, f"_{operation}")(arguments, received))
        except FAILURES as error:
            raise ClientError(described(error), received) from error

    async def _message(self, arguments, _):
        message = await self._client.messages.create(**arguments)
        return Answer(plain(message), message._request_id)

    async def _raw_message(self, arguments, _):
        raw = await self._client.messages.with_raw_response.create(**arguments)
        message = await raw.parse()
        return Answer(plain(message), message._request_id, raw.headers)

    async def _events(self, arguments, received):
        async with await self._client.messages.create(stream=True, **arguments) as stream:
            async for event in stream:
                received.append(plain(event))
        return Answer(received, stream.response.headers.get("request-id"), stream.response.headers)

    async def _beta_message(self, arguments, _):
        message = await self._client.beta.messages.create(**arguments)
        return Answer(plain(message), message._request_id)

    async def _left(self, arguments, _):
        async with self._client.messages.stream(**arguments) as stream:
            return Answer(await anext(aiter(stream.text_stream)))

    async def _at_once(self, arguments, _):
        answers = await asyncio.gather(*(self._events(request, []) for request in arguments["requests"]))
        return Answer([answer.data for answer in answers])

    async def _helper(self, arguments, received):
        async with self._client.messages.stream(**arguments) as stream:
            async for event in stream:
                received.append(event.type)
            return Answer(plain(await stream.get_final_message()), stream.request_id, events=received)

    async def _text(self, arguments, received):
        async with self._client.messages.stream(**arguments) as stream:
            async for piece in stream.text_stream:
                received.append(piece)
            return Answer(received, stream.request_id)

    async def _parsed(self, arguments, _):
        return Answer((await self._client.messages.parse(**arguments)).parsed_output)

    async def _run_tools(self, arguments, _):
        async def weather(city: str) -> str:
            return get_weather(city)

        tool = anthropic.beta_async_tool(weather, name="get_weather", description=get_weather.__doc__)
        runner = self._client.beta.messages.tool_runner(tools=[tool], **arguments)
        return Answer([plain(message) async for message in runner])

    async def _counted(self, arguments, _):
        count = await self._client.messages.count_tokens(**arguments)
        return Answer(plain(count), count._request_id)

    async def _models(self, _, __):
        return Answer([plain(model) async for model in self._client.models.list()])

    async def _model(self, arguments, _):
        return Answer(plain(await self._client.models.retrieve(**arguments)))

    def close(self):
        """Closes its connections and its loop."""
        self._loop.run_until_complete(self._client.close())
        self._loop.close()

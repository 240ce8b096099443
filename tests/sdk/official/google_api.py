"""The Gemini API through its official client: `google-genai`, synchronous and asynchronous."""

import asyncio

import httpx2
from google import genai
from google.genai import errors, types

from .answer import ClientError

FAILURES = (errors.APIError, httpx2.TransportError, genai.errors.UnknownApiResponseError)


def _options(base_url, timeout):
    # Its own retries would hide failures.
    return types.HttpOptions(
        base_url=base_url, timeout=int(timeout * 1000), retry_options=types.HttpRetryOptions(attempts=1)
    )


def _facts(error):
    """The facts of an exception."""
    response = getattr(error, "response", None)
    return {
        "kinds": [each.__name__ for each in type(error).__mro__],
        "status": getattr(error, "code", None),
        "code": getattr(error, "status", None),
        "message": getattr(error, "message", None) or str(error),
        "headers": dict(getattr(response, "headers", None) or {}),
    }


class Python:
    """`genai.Client`."""

    name = "google-py"

    def __init__(self, base_url, key, timeout=20.0):
        self._client = genai.Client(api_key=key, http_options=_options(base_url, timeout))
        self.models = self._client.models

    def generate(self, **arguments):
        """A reply in one piece."""
        return self._do(lambda: self.models.generate_content(**arguments))

    def stream(self, **arguments):
        """A reply in chunks."""
        received = []
        return self._do(lambda: received.extend(self.models.generate_content_stream(**arguments)) or received, received)

    def left(self, **arguments):
        """A stream that is left after its first chunk."""

        def leave():
            stream = self.models.generate_content_stream(**arguments)
            first = next(stream)
            stream.close()
            return first

        return self._do(leave)

    def at_once(self, requests):
        """Many streams, one after the other: this client is not made for threads."""
        return [self.stream(**request) for request in requests]

    def chat(self, messages, **arguments):
        """A conversation as the client itself keeps it: the reply to each message."""
        chat = self._client.chats.create(**arguments)
        return self._do(lambda: [chat.send_message(message) for message in messages])

    def count(self, **arguments):
        """The size of a prompt."""
        return self._do(lambda: self.models.count_tokens(**arguments))

    def embed(self, **arguments):
        """Vectors."""
        return self._do(lambda: self.models.embed_content(**arguments))

    def listed(self):
        """All models."""
        return self._do(lambda: list(self.models.list()))

    def get(self, model):
        """One model."""
        return self._do(lambda: self.models.get(model=model))

    @staticmethod
    def _do(work, received=()):
        try:
            return work()
        except FAILURES as error:
            raise ClientError(_facts(error), received) from error

    def close(self):
        """Closes its connections."""
        self._client.close()


class AsyncPython:
    """`genai.Client().aio`, on an event loop of its own."""

    name = "google-py-async"

    def __init__(self, base_url, key, timeout=20.0):
        self._loop = asyncio.new_event_loop()
        self._client = genai.Client(api_key=key, http_options=_options(base_url, timeout)).aio
        self.models = self._client.models

    def _do(self, work, received=()):
        try:
            return self._loop.run_until_complete(work)
        except FAILURES as error:
            raise ClientError(_facts(error), received) from error

    def generate(self, **arguments):
        """A reply in one piece."""
        return self._do(self.models.generate_content(**arguments))

    async def _stream(self, received, arguments):
        async for chunk in await self.models.generate_content_stream(**arguments):
            received.append(chunk)
        return received

    def stream(self, **arguments):
        """A reply in chunks."""
        received = []
        return self._do(self._stream(received, arguments), received)

    def left(self, **arguments):
        """A stream that is left after its first chunk."""

        async def leave():
            stream = await self.models.generate_content_stream(**arguments)
            first = await anext(stream)
            await stream.aclose()
            return first

        return self._do(leave())

    def at_once(self, requests):
        """Many streams at the same time."""

        async def all_of_them():
            return await asyncio.gather(*(self._stream([], request) for request in requests))

        return self._do(all_of_them())

    def chat(self, messages, **arguments):
        """A conversation as the client itself keeps it: the reply to each message."""

        async def talk():
            chat = self._client.chats.create(**arguments)
            return [await chat.send_message(message) for message in messages]

        return self._do(talk())

    def count(self, **arguments):
        """The size of a prompt."""
        return self._do(self.models.count_tokens(**arguments))

    def embed(self, **arguments):
        """Vectors."""
        return self._do(self.models.embed_content(**arguments))

    def listed(self):
        """All models."""

        async def read():
            return [model async for model in await self.models.list()]

        return self._do(read())

    def get(self, model):
        """One model."""
        return self._do(self.models.get(model=model))

    def close(self):
        """Closes its connections and its loop."""
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()

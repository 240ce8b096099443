"""The OpenAI API through its official clients: Python, asynchronous Python, Node."""

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor

import openai
import httpx2

from .answer import Answer, ClientError, described, plain

# What a client raises; while a stream is read, also what its HTTP library raises.
FAILURES = (openai.OpenAIError, httpx2.TransportError)


def _with_file(arguments):
    return {**arguments, "image": ("picture.png", base64.b64decode(arguments["image"]), "image/png")}


class _Common:
    """What the three have in common: one method for each operation that scenarios use."""

    # What the client raises when it has waited too long.
    timeout_kind = "APITimeoutError"

    def chat(self, **arguments):
        """A Chat Completion."""
        return self.perform("chat", arguments)

    def raw_chat(self, **arguments):
        """A Chat Completion, with the reply's headers."""
        return self.perform("raw_chat", arguments)

    def chunks(self, **arguments):
        """A streamed Chat Completion: its chunks."""
        return self.perform("chunks", arguments)

    def left(self, **arguments):
        """A streamed Chat Completion that is left after its first chunk."""
        return self.perform("left", arguments)

    def at_once(self, requests):
        """Many streamed Chat Completions at the same time: the chunks of each."""
        return self.perform("at_once", {"requests": requests})

    def helper(self, **arguments):
        """A streamed Chat Completion through the client's own helper: what it has put together."""
        return self.perform("helper", arguments)

    def parsed(self, **arguments):
        """A Chat Completion whose text the client parses into `response_format`, a class. Python only."""
        return self.perform("parsed", arguments)

    def run_tools(self, **arguments):
        """A Chat Completion whose calls the client itself answers, until there are no more. Node only."""
        return self.perform("run_tools", arguments)

    def completion(self, **arguments):
        """A legacy completion."""
        return self.perform("completion", arguments)

    def completion_chunks(self, **arguments):
        """A streamed legacy completion: its chunks."""
        return self.perform("completion_chunks", arguments)

    def embeddings(self, **arguments):
        """Embeddings."""
        return self.perform("embeddings", arguments)

    def response(self, **arguments):
        """A Response."""
        return self.perform("response", arguments)

    def raw_response(self, **arguments):
        """A Response, with the reply's headers."""
        return self.perform("raw_response", arguments)

    def response_events(self, **arguments):
        """A streamed Response: its events."""
        return self.perform("response_events", arguments)

    def response_helper(self, **arguments):
        """A streamed Response through the client's own helper: what it has put together."""
        return self.perform("response_helper", arguments)

    def response_left(self, **arguments):
        """A streamed Response that is left at its first delta."""
        return self.perform("response_left", arguments)

    def response_parsed(self, **arguments):
        """A Response whose text the client parses into `text_format`, a class. Python only."""
        return self.perform("response_parsed", arguments)

    def stored(self, response_id):
        """A Response that the provider keeps."""
        return self.perform("stored", {"id": response_id})

    def items(self, response_id):
        """What a kept Response answered."""
        return self.perform("items", {"id": response_id})

    def forgotten(self, response_id):
        """Removes a kept Response."""
        return self.perform("forgotten", {"id": response_id})

    def image(self, **arguments):
        """A picture that is made."""
        return self.perform("image", arguments)

    def edited(self, **arguments):
        """A picture (`image`, base64 of a PNG) that is changed."""
        return self.perform("edited", arguments)

    def models(self):
        """All models."""
        return self.perform("models", {})

    def model(self, model):
        """One model."""
        return self.perform("model", {"model": model})


class Python(_Common):
    """`openai.OpenAI`."""

    name = "openai-py"

    def __init__(self, base_url, key, timeout=20.0):
        self._client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=timeout)

    def perform(self, operation, arguments):
        """Does one of the operations."""
        received = []
        try:
            return getattr(self, f"_{operation}")(arguments, received)
        except FAILURES as error:
            raise ClientError(described(error), received) from error

    def _chat(self, arguments, _):
        completion = self._client.chat.completions.create(**arguments)
        return Answer(plain(completion), completion._request_id)

    def _raw_chat(self, arguments, _):
        raw = self._client.chat.completions.with_raw_response.create(**arguments)
        return Answer(plain(raw.parse()), raw.request_id, raw.headers)

    def _chunks(self, arguments, received):
        with self._client.chat.completions.create(stream=True, **arguments) as stream:
            received.extend(plain(chunk) for chunk in stream)
        return Answer(received, stream.response.headers.get("x-request-id"), stream.response.headers)

    def _left(self, arguments, _):
        with self._client.chat.completions.create(stream=True, **arguments) as stream:
            return Answer(plain(next(iter(stream))))

    def _at_once(self, arguments, _):
        requests = arguments["requests"]
        with ThreadPoolExecutor(len(requests)) as pool:
            answers = pool.map(lambda request: self._chunks(request, []), requests)
            return Answer([answer.data for answer in answers])

    def _helper(self, arguments, received):
        with self._client.chat.completions.stream(**arguments) as stream:
            received.extend(event.type for event in stream)
            return Answer(plain(stream.get_final_completion()), events=received)

    def _parsed(self, arguments, _):
        completion = self._client.chat.completions.parse(**arguments)
        return Answer(completion.choices[0].message.parsed, completion._request_id)

    def _completion(self, arguments, _):
        completion = self._client.completions.create(**arguments)
        return Answer(plain(completion), completion._request_id)

    def _completion_chunks(self, arguments, received):
        with self._client.completions.create(stream=True, **arguments) as stream:
            # Not checked: the client's type has no chunks, and OpenAI's own are not what it says.
            received.extend(chunk.to_dict(mode="json") for chunk in stream)
        return Answer(received)

    def _embeddings(self, arguments, _):
        reply = self._client.embeddings.create(**arguments)
        # The type says floats, and base64 comes as it is.
        return Answer(reply.to_dict(mode="json", warnings=False), reply._request_id)

    def _response(self, arguments, _):
        response = self._client.responses.create(**arguments)
        return Answer(plain(response), response._request_id)

    def _raw_response(self, arguments, _):
        raw = self._client.responses.with_raw_response.create(**arguments)
        return Answer(plain(raw.parse()), raw.request_id, raw.headers)

    def _response_events(self, arguments, received):
        with self._client.responses.create(stream=True, **arguments) as stream:
            received.extend(plain(event) for event in stream)
        return Answer(received, stream.response.headers.get("x-request-id"), stream.response.headers)

    def _response_helper(self, arguments, received):
        with self._client.responses.stream(**arguments) as stream:
            received.extend(event.type for event in stream)
            return Answer(plain(stream.get_final_response()), events=received)

    def _response_left(self, arguments, _):
        with self._client.responses.create(stream=True, **arguments) as stream:
            return Answer(next(plain(event) for event in stream if event.type.endswith(".delta")))

    def _response_parsed(self, arguments, _):
        response = self._client.responses.parse(**arguments)
        return Answer(response.output_parsed, response._request_id)

    def _stored(self, arguments, _):
        response = self._client.responses.retrieve(arguments["id"])
        return Answer(plain(response), response._request_id)

    def _items(self, arguments, _):
        return Answer([plain(item) for item in self._client.responses.input_items.list(arguments["id"])])

    def _forgotten(self, arguments, _):
        return Answer(self._client.responses.delete(arguments["id"]))

    def _image(self, arguments, _):
        images = self._client.images.generate(**arguments)
        return Answer(plain(images), images._request_id)

    def _edited(self, arguments, _):
        images = self._client.images.edit(**_with_file(arguments))
        return Answer(plain(images), images._request_id)

    def _models(self, _, __):
        return Answer([plain(model) for model in self._client.models.list()])

    def _model(self, arguments, _):
        return Answer(plain(self._client.models.retrieve(**arguments)))

    def close(self):
        """Closes its connections."""
        self._client.close()


class AsyncPython(_Common):
    """`openai.AsyncOpenAI`, on an event loop of its own."""

    name = "openai-py-async"

    def __init__(self, base_url, key, timeout=20.0):
        self._loop = asyncio.new_event_loop()
        self._client = openai.AsyncOpenAI(
            base_url=base_url, api_key=key, max_retries=0, timeout=timeout
        )

    def perform(self, operation, arguments):
        """Does one of the operations."""
        received = []
        try:
            return self._loop.run_until_complete(getattr(self, f"_{operation}")(arguments, received))
        except FAILURES as error:
            raise ClientError(described(error), received) from error

    async def _chat(self, arguments, _):
        completion = await self._client.chat.completions.create(**arguments)
        return Answer(plain(completion), completion._request_id)

    async def _raw_chat(self, arguments, _):
        raw = await self._client.chat.completions.with_raw_response.create(**arguments)
        return Answer(plain(raw.parse()), raw.request_id, raw.headers)

    async def _chunks(self, arguments, received):
        async with await self._client.chat.completions.create(stream=True, **arguments) as stream:
            async for chunk in stream:
                received.append(plain(chunk))
        return Answer(received, stream.response.headers.get("x-request-id"), stream.response.headers)

    async def _left(self, arguments, _):
        async with await self._client.chat.completions.create(stream=True, **arguments) as stream:
            return Answer(plain(await anext(aiter(stream))))

    async def _at_once(self, arguments, _):
        answers = await asyncio.gather(*(self._chunks(request, []) for request in arguments["requests"]))
        return Answer([answer.data for answer in answers])

    async def _helper(self, arguments, received):
        async with self._client.chat.completions.stream(**arguments) as stream:
            async for event in stream:
                received.append(event.type)
            return Answer(plain(await stream.get_final_completion()), events=received)

    async def _parsed(self, arguments, _):
        completion = await self._client.chat.completions.parse(**arguments)
        return Answer(completion.choices[0].message.parsed, completion._request_id)

    async def _completion(self, arguments, _):
        completion = await self._client.completions.create(**arguments)
        return Answer(plain(completion), completion._request_id)

    async def _completion_chunks(self, arguments, received):
        async with await self._client.completions.create(stream=True, **arguments) as stream:
            async for chunk in stream:
                # Not checked: the client's type has no chunks, and OpenAI's own are not what it says.
                received.append(chunk.to_dict(mode="json"))
        return Answer(received)

    async def _embeddings(self, arguments, _):
        reply = await self._client.embeddings.create(**arguments)
        # The type says floats, and base64 comes as it is.
        return Answer(reply.to_dict(mode="json", warnings=False), reply._request_id)

    async def _response(self, arguments, _):
        response = await self._client.responses.create(**arguments)
        return Answer(plain(response), response._request_id)

    async def _raw_response(self, arguments, _):
        raw = await self._client.responses.with_raw_response.create(**arguments)
        return Answer(plain(raw.parse()), raw.request_id, raw.headers)

    async def _response_events(self, arguments, received):
        async with await self._client.responses.create(stream=True, **arguments) as stream:
            async for event in stream:
                received.append(plain(event))
        return Answer(received, stream.response.headers.get("x-request-id"), stream.response.headers)

    async def _response_helper(self, arguments, received):
        async with self._client.responses.stream(**arguments) as stream:
            async for event in stream:
                received.append(event.type)
            return Answer(plain(await stream.get_final_response()), events=received)

    async def _response_left(self, arguments, _):
        async with await self._client.responses.create(stream=True, **arguments) as stream:
            async for event in stream:
                if event.type.endswith(".delta"):
                    return Answer(plain(event))
        raise AssertionError("a stream without a delta")

    async def _response_parsed(self, arguments, _):
        response = await self._client.responses.parse(**arguments)
        return Answer(response.output_parsed, response._request_id)

    async def _stored(self, arguments, _):
        response = await self._client.responses.retrieve(arguments["id"])
        return Answer(plain(response), response._request_id)

    async def _items(self, arguments, _):
        return Answer([plain(item) async for item in self._client.responses.input_items.list(arguments["id"])])

    async def _forgotten(self, arguments, _):
        return Answer(await self._client.responses.delete(arguments["id"]))

    async def _image(self, arguments, _):
        images = await self._client.images.generate(**arguments)
        return Answer(plain(images), images._request_id)

    async def _edited(self, arguments, _):
        images = await self._client.images.edit(**_with_file(arguments))
        return Answer(plain(images), images._request_id)

    async def _models(self, _, __):
        return Answer([plain(model) async for model in self._client.models.list()])

    async def _model(self, arguments, _):
        return Answer(plain(await self._client.models.retrieve(**arguments)))

    def close(self):
        """Closes its connections and its loop."""
        self._loop.run_until_complete(self._client.close())
        self._loop.close()


class Node(_Common):
    """The npm package `openai`, in the one Node process that all its clients share."""

    name = "openai-node"
    timeout_kind = "APIConnectionTimeoutError"

    def __init__(self, process, base_url, key, timeout=20.0):
        self._process = process
        self._options = {"baseURL": base_url, "apiKey": key, "timeout": int(timeout * 1000)}

    def perform(self, operation, arguments):
        """Does one of the operations."""
        message = {"operation": operation, "options": self._options, "arguments": arguments}
        done = self._process.call(message)
        if "error" in done:
            raise ClientError(done["error"], done["received"])
        return Answer(done["data"], done.get("requestId"), done.get("headers"), done.get("events", ()))

    def close(self):
        """Nothing: the process outlives it."""

"""What clients of each dialect send, and how they read what comes back."""


class Openai:
    """OpenAI Chat Completions."""

    name = "openai"
    endpoint = "chat.completions"
    path = "/v1/chat/completions"
    model = "gpt-4o"
    public = "house-gpt"

    @staticmethod
    def body(text="Hello", stream=False, model="auto", **more):
        """A request."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        return body | {"stream": True} if stream else body

    @staticmethod
    def authorization(token):
        """How an SDK sends the key."""
        return {"authorization": f"Bearer {token}"}

    @staticmethod
    def text(document):
        """What the model said, in a whole reply."""
        return document["choices"][0]["message"]["content"]

    @staticmethod
    def finish(document):
        """Why it stopped."""
        return document["choices"][0]["finish_reason"]

    @staticmethod
    def stream_text(events):
        """What the model said, in a stream."""
        choices = [choice for event in events if event.json for choice in event.json.get("choices", [])]
        return "".join(choice["delta"].get("content") or "" for choice in choices)

    @staticmethod
    def is_complete(events):
        """Whether a stream says that it is whole."""
        return bool(events) and events[-1].data == "[DONE]"

    @staticmethod
    def stream_errors(events):
        """Errors said within a stream."""
        return [event.json["error"] for event in events if event.json and "error" in event.json]

    @staticmethod
    def usage(document):
        """Tokens as this dialect reports them: what was read, what was written."""
        usage = document["usage"]
        return usage["prompt_tokens"], usage["completion_tokens"]

    @staticmethod
    def stream_usage(events):
        """The usage that a stream reports; `None` if it reports none."""
        found = [event.json["usage"] for event in events if event.json and event.json.get("usage")]
        return (found[-1]["prompt_tokens"], found[-1]["completion_tokens"]) if found else None

    @staticmethod
    def check_error(reply):
        """The shape of an error, and its code and message."""
        document = reply.json
        assert set(document) == {"error"}, document
        error = document["error"]
        assert set(error) >= {"message", "type", "param", "code"}, error
        assert isinstance(error["message"], str) and error["message"], error
        assert isinstance(error["type"], str) and error["type"], error
        return error["code"], error["message"]


class Anthropic:
    """Anthropic Messages."""

    name = "anthropic"
    endpoint = "messages"
    path = "/v1/messages"
    model = "claude-sonnet-4-5"
    public = "house-claude"

    @staticmethod
    def body(text="Hello", stream=False, model="auto", **more):
        """A request."""
        body = {"model": model, "max_tokens": 1024, "messages": [{"role": "user", "content": text}], **more}
        return body | {"stream": True} if stream else body

    @staticmethod
    def authorization(token):
        """How an SDK sends the key."""
        return {"x-api-key": token, "anthropic-version": "2023-06-01"}

    @staticmethod
    def text(document):
        """What the model said, in a whole reply."""
        return "".join(block["text"] for block in document["content"] if block["type"] == "text")

    @staticmethod
    def finish(document):
        """Why it stopped."""
        return document["stop_reason"]

    @staticmethod
    def stream_text(events):
        """What the model said, in a stream."""
        deltas = [event.json["delta"] for event in events if event.name == "content_block_delta"]
        return "".join(delta.get("text", "") for delta in deltas)

    @staticmethod
    def is_complete(events):
        """Whether a stream says that it is whole."""
        return bool(events) and events[-1].name == "message_stop"

    @staticmethod
    def stream_errors(events):
        """Errors said within a stream."""
        return [event.json["error"] for event in events if event.name == "error"]

    @staticmethod
    def usage(document):
        """Tokens as this dialect reports them: what was read, what was written."""
        usage = document["usage"]
        cached = (usage.get("cache_read_input_tokens") or 0) + (usage.get("cache_creation_input_tokens") or 0)
        return usage["input_tokens"] + cached, usage["output_tokens"]

    @staticmethod
    def stream_usage(events):
        """The usage that a stream reports; `None` if it reports none."""
        found = {}
        for event in events:
            document = event.json or {}
            found |= document.get("usage") or document.get("message", {}).get("usage") or {}
        return Anthropic.usage({"usage": found}) if found else None

    @staticmethod
    def check_error(reply):
        """The shape of an error, and its code (the type, where there is nothing finer) and message."""
        document = reply.json
        assert document["type"] == "error", document
        error = document["error"]
        assert isinstance(error["type"], str) and error["type"].endswith("_error") or error["type"] in TOO_LARGE, error
        assert isinstance(error["message"], str) and error["message"], error
        details = error.get("details") or {}
        return details.get("error_code", error["type"]), error["message"]


class Responses:
    """OpenAI Responses."""

    name = "responses"
    endpoint = "responses"
    path = "/v1/responses"
    model = "gpt-4o"
    public = "house-gpt"
    authorization = Openai.authorization
    check_error = Openai.check_error

    @staticmethod
    def body(text="Hello", stream=False, model="auto", **more):
        """A request."""
        body = {"model": model, "input": text, **more}
        return body | {"stream": True} if stream else body

    @staticmethod
    def text(document):
        """What the model said, in a whole reply."""
        messages = [item for item in document["output"] if item["type"] == "message"]
        parts = [part for message in messages for part in message["content"]]
        return "".join(part["text"] for part in parts if part["type"] == "output_text")

    @staticmethod
    def finish(document):
        """Why it stopped."""
        return (document.get("incomplete_details") or {}).get("reason") or document["status"]

    @staticmethod
    def stream_text(events):
        """What the model said, in a stream."""
        return "".join(event.json["delta"] for event in events if event.name == "response.output_text.delta")

    @staticmethod
    def is_complete(events):
        """Whether a stream says that it is whole."""
        return bool(events) and events[-1].name in ("response.completed", "response.incomplete")

    @staticmethod
    def stream_errors(events):
        """Errors said within a stream."""
        return [event.json for event in events if event.name == "error"]

    @staticmethod
    def usage(document):
        """Tokens as this dialect reports them: what was read, what was written."""
        usage = document["usage"]
        return usage["input_tokens"], usage["output_tokens"]

    @staticmethod
    def stream_usage(events):
        """The usage that a stream reports; `None` if it reports none."""
        replies = [event.json["response"] for event in events if event.json and "response" in event.json]
        return Responses.usage(replies[-1]) if replies and replies[-1].get("usage") else None


class GeminiBody(dict):
    """A request whose path says a part of it."""

    path = ""


class Gemini:
    """Gemini generateContent."""

    name = "gemini"
    endpoint = "gemini.generate_content"
    path = "/v1beta/models/auto:generateContent"
    model = "gemini-2.5-flash"
    public = "house-gemini"

    @staticmethod
    def body(text="Hello", stream=False, model="auto", **more):
        """A request."""
        body = GeminiBody(contents=[{"role": "user", "parts": [{"text": text}]}], **more)
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        body.path = f"/v1beta/models/{model}:{method}"
        return body

    @staticmethod
    def authorization(token):
        """How an SDK sends the key."""
        return {"x-goog-api-key": token}

    @staticmethod
    def text(document):
        """What the model said, in a whole reply."""
        parts = document["candidates"][0]["content"].get("parts", [])
        return "".join(part["text"] for part in parts if "text" in part and not part.get("thought"))

    @staticmethod
    def finish(document):
        """Why it stopped."""
        return document["candidates"][0]["finishReason"]

    @staticmethod
    def stream_text(events):
        """What the model said, in a stream."""
        return "".join(Gemini.text(event.json) for event in events if event.json.get("candidates"))

    @staticmethod
    def is_complete(events):
        """Whether a stream says that it is whole."""
        finished = [event.json["candidates"][0].get("finishReason") for event in events if event.json.get("candidates")]
        return bool(finished) and bool(finished[-1])

    @staticmethod
    def stream_errors(events):
        """Errors said within a stream."""
        return [event.json["error"] for event in events if event.json and "error" in event.json]

    @staticmethod
    def usage(document):
        """Tokens as this dialect reports them: what was read, what was written."""
        usage = document["usageMetadata"]
        written = usage.get("candidatesTokenCount", 0) + usage.get("thoughtsTokenCount", 0)
        return usage["promptTokenCount"], written

    @staticmethod
    def stream_usage(events):
        """The usage that a stream reports; `None` if it reports none."""
        found = [event.json for event in events if event.json and "usageMetadata" in event.json]
        return Gemini.usage(found[-1]) if found else None

    @staticmethod
    def check_error(reply):
        """The shape of an error, and its word and message."""
        document = reply.json
        assert set(document) == {"error"}, document
        error = document["error"]
        assert error["code"] == reply.status and error["status"].isupper(), error
        assert isinstance(error["message"], str) and error["message"], error
        reasons = [detail["reason"] for detail in error.get("details", []) if "reason" in detail]
        return (reasons or [error["status"]])[0], error["message"]


TOO_LARGE = {"request_too_large"}
# The two that every test of the spine runs through.
ALL = [Openai, Anthropic]
CLIENTS = [Openai, Responses, Anthropic, Gemini]


def of_path(path):
    """The dialect in which a path's errors are answered."""
    path, _, query = path.partition("?")
    if path.rstrip("/").endswith(("/messages", "/count_tokens")) or path.startswith("/anthropic"):
        return Anthropic
    keyed = any(pair.startswith("key=") for pair in query.split("&"))
    google = path.startswith(("/v1beta", "/gemini")) or "/models" in path and (":" in path or keyed)
    return Gemini if google else Openai

"""Chunks of a streamed Chat Completion, put together by hand; and the grammar that they must follow."""


class Call:
    """A tool call that comes in pieces."""

    def __init__(self, delta):
        self.id = delta["id"]
        self.name = delta["function"]["name"]
        self.arguments = ""
        assert delta["type"] == "function" and self.id and self.name, delta


class Streamed:
    """What the chunks of a stream with one choice add up to."""

    def __init__(self, chunks):
        self.text = self.reasoning = ""
        self.calls = []
        self.finish = None
        self.usage = None
        assert chunks, "an empty stream"
        for name in ("id", "created", "model", "object"):
            values = {chunk[name] for chunk in chunks}
            assert len(values) == 1 and values.pop(), f"{name} is not one: {chunks}"
        assert chunks[0]["object"] == "chat.completion.chunk"
        assert chunks[0]["created"] > 1_700_000_000
        assert chunks[0]["choices"][0]["delta"]["role"] == "assistant", chunks[0]
        for chunk in chunks:
            assert self.usage is None, f"usage is not last: {chunks}"
            self.usage = chunk.get("usage")
            for choice in chunk["choices"]:
                self._add(choice)
            assert chunk["choices"] or self.usage, f"a chunk without choices or usage: {chunk}"
        assert self.finish, f"no finish reason: {chunks}"

    def _add(self, choice):
        assert choice["index"] == 0, choice
        assert self.finish is None, f"a chunk after the finish reason: {choice}"
        delta = choice["delta"]
        self.text += delta.get("content") or ""
        self.reasoning += delta.get("reasoning_content") or ""
        for piece in delta.get("tool_calls") or []:
            if piece["index"] == len(self.calls):
                self.calls.append(Call(piece))
            call = self.calls[piece["index"]]
            assert call is self.calls[-1], f"calls are interleaved: {piece}"
            call.arguments += piece["function"].get("arguments") or ""
        self.finish = choice["finish_reason"]

"""Events of a streamed message, put together by hand; and the grammar that they must follow."""

import json


def with_words(content, side):
    """Blocks, without the wordless ones that keep what Gemini says to prove what precedes them."""
    seals = [block for block in content if block["type"] == "thinking" and not block["thinking"]]
    assert not seals or side.dialect == "gemini" and all(seal["signature"] for seal in seals), content
    return [block for block in content if block not in seals]


class Streamed:
    """What the events of a stream add up to."""

    def __init__(self, events):
        kinds = [event["type"] for event in events if event["type"] != "ping"]
        assert kinds[0] == "message_start" and kinds[-2:] == ["message_delta", "message_stop"], kinds
        start = events[0]["message"]
        assert start["content"] == [] and start["stop_reason"] is None and start["role"] == "assistant", start
        assert start["id"] and start["model"], start
        self.id = start["id"]
        self.content = []
        self._open = False
        self._input = ""
        for event in events[1:]:
            getattr(self, f"_{event['type']}")(event)
        self.usage = {**start["usage"], **self._usage}

    def _ping(self, event):
        assert event == {"type": "ping"}

    def _content_block_start(self, event):
        assert not self._open and event["index"] == len(self.content), event
        self._open = True
        self._input = ""
        self.content.append(dict(event["content_block"]))

    def _content_block_delta(self, event):
        assert self._open and event["index"] == len(self.content) - 1, event
        block, delta = self.content[-1], event["delta"]
        kind, member = {
            "text_delta": ("text", "text"),
            "thinking_delta": ("thinking", "thinking"),
            "signature_delta": ("thinking", "signature"),
            "input_json_delta": ("tool_use", "partial_json"),
        }[delta["type"]]
        assert block["type"] == kind, event
        if kind == "tool_use":
            self._input += delta[member]
        else:
            block[member] = block.get(member, "") + delta[member]

    def _content_block_stop(self, event):
        assert self._open and event["index"] == len(self.content) - 1, event
        self._open = False
        if self.content[-1]["type"] == "tool_use":
            assert self.content[-1]["input"] == {}, event
            self.content[-1]["input"] = json.loads(self._input or "{}")

    def _message_delta(self, event):
        assert not self._open, event
        self.stop_reason = event["delta"]["stop_reason"]
        self.stop_sequence = event["delta"]["stop_sequence"]
        self._usage = event["usage"]

    def _message_stop(self, event):
        assert event == {"type": "message_stop"}

    @property
    def text(self):
        """All text."""
        return "".join(block["text"] for block in self.content if block["type"] == "text")

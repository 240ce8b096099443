"""What requests hold and what replies say, in every dialect, so that both sides of a translation can be compared."""

import json

from . import assembly


def _texts(content, kinds=("text", "input_text", "output_text")):
    """The text of a content that is a string or a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content or [] if part.get("type") in kinds)


class Anthropic:
    """Messages."""

    @staticmethod
    def blocks(body, kind):
        """All blocks of a kind."""
        contents = [message["content"] for message in body["messages"] if not isinstance(message["content"], str)]
        return [block for content in contents for block in content if block["type"] == kind]

    @classmethod
    def held(cls, body):
        """Tools that the client runs, calls, results."""
        tools = [tool["name"] for tool in body.get("tools", []) if tool.get("type", "custom") == "custom"]
        calls = [(block["name"], block["input"]) for block in cls.blocks(body, "tool_use")]
        return tools, calls, len(cls.blocks(body, "tool_result"))

    @staticmethod
    def asked(body):
        """The last thing the user said."""
        return _texts([message for message in body["messages"] if message["role"] == "user"][-1]["content"])

    @staticmethod
    def said(message):
        """Thinking, text and calls of a reply."""
        def joined(kind, name):
            return "".join(block[name] for block in message["content"] if block["type"] == kind)

        calls = [(block["name"], block["input"]) for block in message["content"] if block["type"] == "tool_use"]
        return joined("thinking", "thinking"), joined("text", "text"), calls

    @classmethod
    def read(cls, reply, streamed):
        """The same of a reply as it came."""
        return cls.said(assembly.anthropic(reply.events) if streamed else reply.json)

    @classmethod
    def continued(cls, body, reply, ask):
        """The next request of a session: the reply to the last, what its calls returned, and what the user says."""
        message = assembly.anthropic(reply.events)
        uses = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": use, "content": f"result of {use}"} for use in uses]
        said = {"role": "user", "content": [*results, {"type": "text", "text": ask}]}
        return {**body, "messages": [*body["messages"], {"role": "assistant", "content": message["content"]}, said]}


def _arguments(function):
    return json.loads(function["arguments"] or "{}")


class Openai:
    """Chat Completions."""

    @staticmethod
    def _call(call):
        if call["type"] == "custom":
            return call["custom"]["name"], call["custom"]["input"]
        return call["function"]["name"], _arguments(call["function"])

    @classmethod
    def held(cls, body):
        """Tools that the client runs, calls, results."""
        tools = [tool[tool["type"]]["name"] for tool in body.get("tools", [])]
        calls = [cls._call(call) for message in body["messages"] for call in message.get("tool_calls", [])]
        return tools, calls, sum(message["role"] == "tool" for message in body["messages"])

    @staticmethod
    def asked(body):
        """The last thing the user said."""
        return _texts([message for message in body["messages"] if message["role"] == "user"][-1]["content"])

    @classmethod
    def read(cls, reply, streamed):
        """Thinking, text and calls of a reply."""
        message = assembly.openai(reply.events)[0] if streamed else reply.json["choices"][0]["message"]
        calls = [cls._call(call) for call in message.get("tool_calls", [])]
        return message.get("reasoning_content") or "", message["content"] or "", calls

    @classmethod
    def continued(cls, body, reply, ask):
        """The next request of a session. Thinking is shown to the user and not sent back."""
        message = assembly.openai(reply.events)[0]
        message.pop("reasoning_content", None)
        calls = [call["id"] for call in message.get("tool_calls", [])]
        results = [{"role": "tool", "tool_call_id": call, "content": f"result of {call}"} for call in calls]
        return {**body, "messages": [*body["messages"], message, *results, {"role": "user", "content": ask}]}


class Responses:
    """Responses."""

    @staticmethod
    def _calls(items):
        for item in items:
            if item["type"] == "function_call":
                yield item["name"], _arguments(item)
            elif item["type"] == "custom_tool_call":
                yield item["name"], item["input"]

    @classmethod
    def held(cls, body):
        """Tools that the client runs, calls, results."""
        items = [item for item in body["input"] if "type" in item]
        tools = [tool["name"] for tool in body.get("tools", []) if tool["type"] in ("function", "custom")]
        results = sum(item["type"] in ("function_call_output", "custom_tool_call_output") for item in items)
        return tools, list(cls._calls(items)), results

    @staticmethod
    def asked(body):
        """The last thing the user said."""
        return _texts([item for item in body["input"] if item.get("role") == "user"][-1]["content"])

    @classmethod
    def read(cls, reply, streamed):
        """Thinking, text and calls of a reply."""
        output = (assembly.responses(reply.events) if streamed else reply.json)["output"]
        thoughts = [part["text"] for item in output if item["type"] == "reasoning" for part in item["summary"]]
        texts = [_texts(item["content"]) for item in output if item["type"] == "message"]
        return "".join(thoughts), "".join(texts), list(cls._calls(output))

    @classmethod
    def continued(cls, body, reply, ask):
        """The next request of a session. Codex keeps no ids of items that the vendor does not store."""
        items = [{name: value for name, value in item.items() if name not in ("id", "status")}
                 for item in assembly.responses(reply.events)["output"]]  # fmt: skip
        calls = [(item["type"], item["call_id"]) for item in items if "call_id" in item]
        results = [{"type": f"{kind}_output", "call_id": call, "output": f"result of {call}"} for kind, call in calls]
        said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": ask}]}
        return {**body, "input": [*body["input"], *items, *results, said]}


class Gemini:
    """generateContent."""

    @staticmethod
    def held(body):
        """Tools that the client runs, calls, results."""
        declared = [tool.get("functionDeclarations", []) for tool in body.get("tools", [])]
        parts = [part for content in body["contents"] for part in content["parts"]]
        calls = [(part["functionCall"]["name"], part["functionCall"].get("args", {})) for part in parts if "functionCall" in part]
        return [each["name"] for some in declared for each in some], calls, sum("functionResponse" in part for part in parts)

    @staticmethod
    def asked(body):
        """The last thing the user said."""
        said = [content for content in body["contents"] if any("text" in part for part in content["parts"])]
        return "".join(part.get("text", "") for part in [each for each in said if each["role"] == "user"][-1]["parts"])

    @classmethod
    def read(cls, reply, streamed):
        """Thinking, text and calls of a reply."""
        turn = assembly.gemini(reply.events)[0] if streamed else reply.json["candidates"][0]["content"]
        texts = [part for part in turn["parts"] if "text" in part]
        thoughts = "".join(part["text"] for part in texts if part.get("thought"))
        said = "".join(part["text"] for part in texts if not part.get("thought"))
        return thoughts, said, cls.held({"contents": [turn]})[1]

    @classmethod
    def continued(cls, body, reply, ask):
        """The next request of a session. Thoughts are shown to the user and not sent back; their signatures are."""
        turn = assembly.gemini(reply.events)[0]
        turn["parts"] = [part for part in turn["parts"] if not part.get("thought")]
        calls = [part["functionCall"] for part in turn["parts"] if "functionCall" in part]
        results = [{"functionResponse": {**{name: call[name] for name in ("id", "name") if name in call},
                                         "response": {"output": "result"}}} for call in calls]  # fmt: skip
        return {**body, "contents": [*body["contents"], turn, {"role": "user", "parts": [*results, {"text": ask}]}]}


class Bedrock:
    """Converse: upstream only."""

    @staticmethod
    def held(body):
        """Tools that the client runs, calls, results."""
        tools = [tool["toolSpec"]["name"] for tool in body.get("toolConfig", {}).get("tools", []) if "toolSpec" in tool]
        blocks = [block for message in body["messages"] for block in message["content"]]
        calls = [(block["toolUse"]["name"], block["toolUse"]["input"]) for block in blocks if "toolUse" in block]
        return tools, calls, sum("toolResult" in block for block in blocks)


OF = {"anthropic": Anthropic, "openai": Openai, "responses": Responses, "gemini": Gemini, "bedrock": Bedrock}

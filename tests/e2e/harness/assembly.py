"""Puts streams together as the official clients do, and checks on the way that each is one well-formed stream."""

import json


def anthropic(events):
    """The message of a Messages stream."""
    documents = [event.json for event in events]
    assert all(event.name == document["type"] for event, document in zip(events, documents, strict=True)), events
    documents = [document for document in documents if document["type"] != "ping"]
    first, *middle, last = documents
    assert (first["type"], last["type"]) == ("message_start", "message_stop"), documents
    message, opened, partial = dict(first["message"]), None, ""
    assert message["content"] == [] and message["role"] == "assistant", message
    message["content"] = content = []
    for document in middle:
        kind = document["type"]
        if kind == "content_block_start":
            assert opened is None and document["index"] == len(content), document
            opened, partial = dict(document["content_block"]), ""
            content.append(opened)
        elif kind == "content_block_delta":
            assert opened is not None and document["index"] == len(content) - 1, document
            partial += _delta(opened, document["delta"])
        elif kind == "content_block_stop":
            assert opened is not None and document["index"] == len(content) - 1, document
            if opened["type"] == "tool_use":
                opened["input"] = json.loads(partial or "{}")
            opened = None
        else:
            assert kind == "message_delta" and opened is None, document
            message |= document["delta"]
            message["usage"] = message["usage"] | document["usage"]
    assert message["stop_reason"] and opened is None, documents
    return message


def _delta(block, delta):
    """Adds a delta to a block; what it adds to a call's arguments."""
    names = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
    name = names.get(delta["type"])
    if name:
        block[name] = block.get(name, "") + delta[name]
        return ""
    assert delta["type"] == "input_json_delta" and block["type"] == "tool_use", delta
    return delta["partial_json"]


def openai(events):
    """The message of a Chat Completions stream, its finish reason and usage."""
    assert events[-1].data == "[DONE]", events[-1]
    chunks = [event.json for event in events[:-1]]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}, chunks
    assert len({chunk["id"] for chunk in chunks}) == 1, chunks
    message, calls = {"role": "assistant", "content": ""}, {}
    reasons, usage = [], None
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            assert choice["index"] == 0 and not reasons, chunk
            delta = choice["delta"]
            message["content"] += delta.get("content") or ""
            if delta.get("reasoning_content"):
                message["reasoning_content"] = message.get("reasoning_content", "") + delta["reasoning_content"]
            for call in delta.get("tool_calls") or []:
                if call["index"] not in calls:
                    assert call["index"] == len(calls) and call["id"] and call["function"]["name"], chunk
                    calls[call["index"]] = {**call, "function": dict(call["function"])}
                else:
                    calls[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
            if choice.get("finish_reason"):
                reasons.append(choice["finish_reason"])
    assert len(reasons) == 1, chunks
    if calls:
        message["tool_calls"] = [{key: value for key, value in call.items() if key != "index"} for call in calls.values()]
    return message, reasons[0], usage


def responses(events):
    """The reply object of a Responses stream."""
    documents = [event.json for event in events]
    assert [event.name for event in events] == [document["type"] for document in documents], events
    numbers = [document["sequence_number"] for document in documents]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), numbers
    assert documents[0]["type"] == "response.created" and documents[-1]["type"] == "response.completed", documents
    output, opened = [], {}
    for document in documents:
        at = document.get("output_index")
        if document["type"] == "response.output_item.added":
            assert at == len(output) + len(opened), document
            opened[at] = document["item"]
        elif document["type"] == "response.output_item.done":
            assert opened.pop(at)["type"] == document["item"]["type"], document
            output.append(document["item"])
        elif at is not None:
            assert at in opened, document
    reply = documents[-1]["response"]
    assert not opened and [item["type"] for item in reply["output"]] == [item["type"] for item in output], documents
    return {**reply, "output": output}


def gemini(events):
    """The model's turn of a streamGenerateContent stream, its finish reason and usage."""
    parts, reasons, usage = [], [], None
    for event in events:
        usage = event.json.get("usageMetadata") or usage
        for candidate in event.json.get("candidates", []):
            assert not reasons, events
            parts += (candidate.get("content") or {}).get("parts", [])
            if candidate.get("finishReason"):
                reasons.append(candidate["finishReason"])
    assert len(reasons) == 1 and usage, events
    return {"role": "model", "parts": parts}, reasons[0], usage

"""What Claude Code sends to a gateway (<https://code.claude.com/docs/en/llm-gateway-protocol>): its probe, its turns with
beta flags, its counts and its look for models."""

import json

import pytest
from harness import flavours
from harness.dialects import Anthropic

BETAS = "claude-code-20250219,interleaved-thinking-2025-05-14,context-1m-2025-08-07"
HEADERS = {
    "anthropic-beta": BETAS,
    "user-agent": "claude-cli/2.1.0 (external, cli)",
    "x-app": "cli",
    "x-claude-code-session-id": "6f1d0c2e-5a52-4b5e-9a0a-0d5f4f5e7a11",
}
EPHEMERAL = {"type": "ephemeral"}


def turn(model, stream=True):
    """A turn in the middle of a session: text of its own format, so that only the same bytes are the same."""
    read = {"type": "tool_use", "id": "toolu_01A09q90qw90lq917835lq9", "name": "Read", "input": {"file_path": "/a.rs"}}
    result = {"type": "tool_result", "tool_use_id": read["id"], "content": "fn main() {}", "cache_control": EPHEMERAL}
    schema = {"type": "object", "properties": {"file_path": {"type": "string"}}, "required": ["file_path"]}
    body = {
        "model": model,
        # `CLAUDE_CODE_MAX_OUTPUT_TOKENS`: by default it asks for more than some models may say.
        "max_tokens": 16000,
        "system": [
            {"type": "text", "text": "You are Claude Code.", "cache_control": EPHEMERAL},
            {"type": "text", "text": "Answer briefly.", "cache_control": EPHEMERAL},
        ],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "<system-reminder>x</system-reminder>"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Let me look."}, read]},
            {"role": "user", "content": [result]},
        ],
        "tools": [{"name": "Read", "description": "Reads a file", "input_schema": schema}],
        "metadata": {"user_id": "user_0123_account__session_6f1d0c2e"},
        "stream": stream,
    }
    return json.dumps(body, indent=1).encode()


def test_a_turn_passes_byte_for_byte_with_its_flags(scene):
    provider = scene.provider(flavours.ANTHROPIC)
    model = scene.model([(provider, flavours.ANTHROPIC.upstream)], id=flavours.ANTHROPIC.upstream)
    key = scene.key()
    body = turn(model)
    reply = key.send(Anthropic, body, headers=HEADERS, path="/v1/messages?beta=true")
    assert reply.status == 200 and Anthropic.is_complete(reply.events), reply
    (attempt,) = provider.attempts(settled=1)
    assert attempt.body.encode() == body
    assert attempt.path.endswith("/v1/messages?beta=true")
    for name, value in HEADERS.items():
        assert attempt.header(name) == [value], name


def test_flags_are_filtered_by_provider_when_another_steps_in(scene):
    first = scene.provider(flavours.ANTHROPIC)
    second = scene.provider(flavours.ANTHROPIC, anthropic_betas={"deny": ["context-1m*"]})
    first.always("status", status=429)
    key = scene.key((first, flavours.ANTHROPIC.upstream), (second, flavours.ANTHROPIC.upstream))
    reply = key.send(Anthropic, turn("auto"), headers=HEADERS, path="/v1/messages?beta=true")
    assert (reply.status, reply.sluice("provider")) == (200, second.name), reply
    assert first.attempts(settled=1)[0].header("anthropic-beta") == [BETAS]
    assert second.attempts(settled=1)[0].header("anthropic-beta") == [BETAS.rsplit(",", 1)[0]]


@pytest.mark.parametrize(
    "flavour",
    [flavours.OPENAI, flavours.RESPONSES, flavours.GEMINI, flavours.BEDROCK, flavours.VERTEX_CLAUDE],
    ids=lambda flavour: f"on_{flavour.name}",
)
def test_a_session_works_on_other_providers(scene, flavour):
    provider = scene.provider(flavour)
    key = scene.key((provider, flavour.upstream))
    counted = json.loads(turn("auto", stream=False))
    del counted["max_tokens"], counted["stream"], counted["metadata"]
    count = key.send(Anthropic, counted, headers=HEADERS, path="/v1/messages/count_tokens?beta=true")
    assert count.status == 200 and count.json["input_tokens"] > 0, count
    reply = key.send(Anthropic, turn("auto"), headers=HEADERS, path="/v1/messages?beta=true")
    assert reply.status == 200 and Anthropic.is_complete(reply.events), reply
    assert not Anthropic.stream_errors(reply.events) and Anthropic.stream_text(reply.events)
    assert all(attempt.refused is None for attempt in provider.attempts(settled=1))


def test_models_are_found_as_it_looks_for_them(scene):
    key = scene.key()
    reply = key.get("/v1/models?limit=1000", {"anthropic-version": "2023-06-01"})
    ids = [model["id"] for model in reply.json["data"]]
    assert reply.status == 200 and "house-claude" in ids and reply.json["has_more"] is False

"""Recorded sessions of agents, passed through to providers of the agents' own dialects."""

import pytest
from harness import agents, flavours
from harness.gateway import raw

HOME = {
    "claude_code": flavours.ANTHROPIC,
    "codex": flavours.RESPONSES,
    "cline_openai": flavours.OPENAI,
    "cline_anthropic": flavours.ANTHROPIC,
    "gemini_cli": flavours.GEMINI,
}
# Credentials, and what belongs to one connection.
KEPT_BACK = {"authorization", "x-api-key", "x-goog-api-key", "accept-encoding", "content-type"}


@pytest.fixture(params=agents.ALL, ids=lambda agent: agent.name)
def agent(request):
    """Each agent."""
    return request.param


def serve(scene, agent, upstream=None):
    """A provider of the agent's own dialect that serves all models that the session names, and a key for it.

    `upstream` gives the provider's name for a model; the same, if absent."""
    provider = scene.provider(HOME[agent.name])
    for model in sorted({request.model for request in agent.requests() if request.body is not None}):
        scene.model([(provider, upstream(model) if upstream else model)], id=model)
    return provider, scene.key()


def test_a_session_passes_byte_for_byte(scene, agent):
    provider, key = serve(scene, agent)
    for request in agent.requests():
        if request.body is None:
            continue
        provider.reset()
        reply = agent.send(scene, key, request)
        assert reply.status == 200 and reply.whole, (request.name, reply)
        (attempt,) = provider.attempts(settled=1)
        assert attempt.refused is None, (request.name, attempt.refused)
        assert attempt.body == request.body, request.name
        # A provider's base URL may say the version.
        assert attempt.path.endswith(request.path.removeprefix("/v1beta")), (attempt.path, request.path)
        for name, value in request.headers.items():
            assert name in KEPT_BACK or attempt.header(name) == [value], (request.name, name, attempt.header(name))
        assert not any(key.token in value for _, value in attempt.headers)
        if request.counts:
            continue
        assert reply.sluice("dropped-params") is None
        if request.streams:
            assert agent.client.is_complete(reply.events) and not agent.client.stream_errors(reply.events), reply


def test_only_the_model_differs_where_a_provider_calls_it_otherwise(scene, agent):
    provider, key = serve(scene, agent, "other-{}".format)
    for model in sorted({request.model for request in agent.chats()}):
        provider.offer(f"other-{model}", context_length=1_000_000)
    for request in agent.chats():
        provider.reset()
        for model in sorted({request.model for request in agent.chats()}):
            provider.offer(f"other-{model}", context_length=1_000_000)
        agent.send(scene, key, request)
        (attempt,) = provider.attempts(settled=1)
        named = f'"model":"{request.model}"'
        expected = request.body.replace(named, named.replace(request.model, f"other-{request.model}"), 1)
        assert attempt.body == expected, request.name
        assert request.path.replace(request.model, f"other-{request.model}").removeprefix("/v1beta") in attempt.path


def test_errors_come_back_byte_for_byte(scene, agent):
    provider, key = serve(scene, agent)
    request = next(request for request in agent.chats() if request.streams)
    odd = b'{"type" :"error","error":{"message":"odd  words","type":"invalid_request_error"},"x":1e3}'
    provider.script(("status", {"status": 400, "body": odd.decode()}))
    refused = scene.gateway.send(request.path, request.body, request.sent(key.token), check=False)
    assert (refused.status, refused.body) == (400, odd), "agents read the vendor's own words"


def test_claude_codes_betas_are_filtered_by_the_providers_rule(scene):
    agent = agents.CLAUDE_CODE
    rule = {"deny": ["prompt-caching-scope-*", "thinking-token-count-*"]}
    picky = scene.provider(flavours.ANTHROPIC, anthropic_betas=rule)
    scene.model([(picky, "claude-sonnet-4-5")], id="claude-sonnet-4-5")
    key = scene.key()
    request = agent.request("first")
    assert agent.send(scene, key, request).status == 200
    (attempt,) = picky.attempts(settled=1)
    assert attempt.header("anthropic-beta") == [
        "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27"
    ]
    assert attempt.body == request.body


def test_claude_codes_probe_and_discovery(scene):
    agent = agents.CLAUDE_CODE
    provider = scene.provider(flavours.ANTHROPIC)
    scene.model([(provider, "claude-sonnet-4-5")], id="claude-sonnet-4-5")
    key = scene.key()
    probe, discovery = agent.request("probe"), agent.request("models")
    # A guest's host keeps the root for itself: there the base URL has a path.
    path = "/anthropic/" if scene.stack.is_guest else probe.path
    head = f"HEAD {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nuser-agent: {probe.headers['user-agent']}\r\n\r\n"
    status, _, rest = raw(scene.gateway.port, head.encode()).partition(b"\r\n")
    assert b" 200 " in status + b" " and rest.endswith(b"\r\n\r\n"), (status, rest)
    for credential in ({"authorization": f"Bearer {key.token}"}, {"x-api-key": key.token}):
        sent = {name: value for name, value in discovery.headers.items() if name != "authorization"} | credential
        reply = scene.gateway.send(discovery.path, None, sent, method="GET")
        assert reply.status == 200 and "location" not in reply.headers, reply
        found = {row["id"]: row for row in reply.json["data"]}
        assert found["claude-sonnet-4-5"].get("display_name"), found
        assert reply.json["has_more"] is False


def test_codex_lists_models(scene):
    request = agents.CODEX.request("models")
    reply = scene.gateway.send(request.path, None, request.sent(scene.key().token), method="GET")
    assert reply.status == 200 and reply.json["object"] == "list"
    assert "house-gpt" in {row["id"] for row in reply.json["data"]}

"""One request down a chain of providers that speak four dialects, each of the first three failing in its own way.

What reaches the client is one stream of one reply: nothing of the failed attempts, whatever they had begun to say.
"""

import itertools

import pytest
from harness import assembly, contents, dialects, flavours

CHAIN = [flavours.OPENAI, flavours.ANTHROPIC, flavours.GEMINI, flavours.BEDROCK]
# How a provider fails, and what the record calls it. Silence is told by its first-token deadline.
DEADLINE_MS = 400
BROKEN = ("status", {"status": 500}), 500, "server_error"
ERROR = ("error_event_first", {}), 200, "bad_reply"
ERROR_BODY = ("error_body_200", {}), 200, "bad_reply"
SILENT = ("silence", {}), 0, "silence"
CUT = ("cut_after_tokens", {"tokens": 0}), 200, "cut"
TRUNCATED = ("truncated_json", {}), 200, "cut"
# Each of these at each of the dialects.
STREAMED = [[BROKEN, ERROR, SILENT], [ERROR, SILENT, BROKEN], [SILENT, BROKEN, ERROR], [CUT, ERROR, BROKEN], [BROKEN, CUT, CUT]]
BUFFERED = [[BROKEN, ERROR_BODY, SILENT], [TRUNCATED, BROKEN, ERROR_BODY]]
TOOL = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ASK = '[[think:Where is it?]][[say:Grüße aus 東京.]][[tool:weather {"city":"Tōkyō"}]]'


def asked(client, stream):
    """A request for a tool's call, as a client of a dialect writes it."""
    if client is dialects.Anthropic:
        return client.body(ASK, stream, tools=[{"name": "weather", "input_schema": TOOL}])
    if client is dialects.Gemini:
        return client.body(ASK, stream, tools=[{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": TOOL}]}])
    if client is dialects.Responses:
        return client.body(ASK, stream, tools=[{"type": "function", "name": "weather", "parameters": TOOL, "strict": False}])
    return client.body(ASK, stream, tools=[{"type": "function", "function": {"name": "weather", "parameters": TOOL}}])


def serve(scene, faults):
    """The chain, its first three providers failing, and a key that tries each once."""
    providers = []
    for flavour, fault in itertools.zip_longest(CHAIN, faults):
        provider = scene.provider(flavour, **({"first_token_deadline_ms": DEADLINE_MS} if fault is SILENT else {}))
        if fault:
            (kind, members), _, _ = fault
            provider.always(kind, **members)
        providers.append(provider)
    steps = ((provider, flavour.upstream) for provider, flavour in zip(providers, CHAIN, strict=True))
    return providers, scene.key(*steps, retry={"same_provider": 0})


def check(client, reply, streamed, providers, faults, key):
    assert reply.status == 200 and reply.whole, reply
    assert (reply.sluice("provider"), reply.sluice("attempts")) == (providers[-1].name, "4")
    # Why the provider that was asked first did not serve it.
    assert reply.sluice("fallback-reason") == faults[0][2]
    _, text, calls = contents.OF[client.name].read(reply, streamed)
    assert (text, calls) == ("Grüße aus 東京.", [("weather", {"city": "Tōkyō"})])
    if streamed:
        assert client.is_complete(reply.events) and not client.stream_errors(reply.events)
    for provider in providers:
        (attempt,) = provider.attempts(settled=1)
        assert attempt.refused is None, (provider.name, attempt.refused)
    row = key.row(reply)
    failed = [(provider.name, status, named) for provider, (_, status, named) in zip(providers, faults, strict=False)]
    assert row.classes == [*failed, (providers[-1].name, 200, "ok")]
    assert (row.provider, row.status, row.stream, row.dialect) == (providers[-1].name, 200, streamed, client.name)
    assert row.usage_source == "provider" and row.usage == providers[-1].attempts()[0].consumed


@pytest.fixture(params=dialects.CLIENTS, ids=lambda dialect: dialect.name)
def anyone(request):
    """The client's dialect: each there is."""
    return request.param


def named(faults):
    return "_".join(fault[2] for fault in faults)


@pytest.mark.parametrize("faults", STREAMED, ids=named)
def test_three_broken_streams_leave_one_clean_stream(scene, anyone, faults):
    providers, key = serve(scene, faults)
    reply = key.send(anyone, asked(anyone, True))
    check(anyone, reply, True, providers, faults, key)
    if anyone is dialects.Responses:
        assert assembly.responses(reply.events)["status"] == "completed"


@pytest.mark.parametrize("faults", BUFFERED, ids=named)
def test_three_broken_replies_leave_one_whole_reply(scene, anyone, faults):
    providers, key = serve(scene, faults)
    check(anyone, key.send(anyone, asked(anyone, False)), False, providers, faults, key)

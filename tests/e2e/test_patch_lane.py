"""Same dialect on both sides: what the gateway does not have to change, it does not touch."""

import http.client
import json

import pytest
from harness.dialects import Anthropic, Openai
from harness.gateway import read_events

# Odd spacing, a number that no double holds, exponents, escapes, an unknown member, members in no sensible order.
ODD = (
    '  {"zeta" : 12345678901234567890123 ,\t"temperature":1e0, "unknown":{"b":1E-7,"a":[ ]},\r\n'
    '"messages":[ {"content":"\\u0048i \\ud83d\\ude00 \\/","role":"user"} ],"max_tokens" : 64,'
    '%s"metadata":{"k":"v"},"model":"%s", "last":-0.0}\n'
)
ANSWERS = {
    Openai: (
        '{"zeta":12345678901234567890123, "id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m",'
        '"choices":[{"index":0,"message":{"role":"assistant","content":"\\u0048i"},"finish_reason":"stop"}],'
        '"usage":{"prompt_tokens":3,"completion_tokens":1e1,"total_tokens":13},"odd":1e3}'
    ),
    Anthropic: (
        '{"zeta":12345678901234567890123, "id":"msg_1","type":"message","role":"assistant","model":"m",'
        '"content":[{"type":"text","text":"\\u0048i"}],"stop_reason":"end_turn","stop_sequence":null,'
        '"usage":{"input_tokens":3,"output_tokens":10},"odd":1e3}'
    ),
}


def test_bodies_pass_byte_for_byte(scene, client):
    provider = scene.provider(client)
    key = scene.key((provider, client.model))
    # A script answers, because strict vendors refuse unknown members.
    answer = ANSWERS[client].replace("1e1", "10")
    provider.script(("status", {"status": 200, "body": answer, "times": 2}))
    for model in ("auto", f"{provider.name}/{client.model}"):
        reply = key.send(client, ODD % ("", model))
        assert reply.status == 200, reply
        assert reply.body.decode() == answer
    for attempt in provider.attempts(settled=2):
        assert attempt.body == ODD % ("", client.model)
    assert key.row(reply).usage["output"] == 10


def test_a_body_that_needs_no_edit_is_not_edited(scene, client):
    provider = scene.provider(client)
    model = scene.model([(provider, client.model)], aliases=[])
    key = scene.key((provider, client.model))
    provider.script(("status", {"status": 200, "body": ANSWERS[client].replace("1e1", "10")}))
    body = ODD % ("", f"{provider.name}/{client.model}")
    assert key.send(client, body).status == 200
    assert model and provider.attempts(settled=1)[0].body == body.replace(f"{provider.name}/", "")


@pytest.mark.parametrize("options", ["", '"stream_options" : { "x":1e3 } ,', '"stream_options":{"include_usage":true},'])
def test_usage_is_asked_for_without_touching_the_rest(scene, options):
    provider = scene.provider()
    key = scene.key((provider, "gpt-4o"))
    provider.script(("status", {"status": 400}))
    body = ODD % ('"stream": true,' + options, "auto")
    key.send(Openai, body)
    (attempt,) = provider.attempts(settled=1)
    assert attempt.json["stream_options"]["include_usage"] is True
    expected = body.replace('"auto"', '"gpt-4o"')
    if "include_usage" in options:
        assert attempt.body == expected
    # Taking out what was put in gives back every byte that the client sent.
    for added in (',"stream_options":{"include_usage":true}', '"stream_options":{"include_usage":true},',
                  ',"include_usage":true', '"include_usage":true,'):  # fmt: skip
        if attempt.body.replace(added, "", 1) == expected:
            return
    assert attempt.body == expected


@pytest.mark.parametrize("style", [{}, {"crlf": True}, {"no_space": True}, {"comments": True}, {"split": 3}], ids=str)
def test_streams_pass_byte_for_byte(scene, client, style):
    provider = scene.provider(client)
    key = scene.key((provider, client.model))
    more = {"stream_options": {"include_usage": True}} if client is Openai else {}
    provider.script(("sse_style", {"style": style, "times": 2}))
    reply = key.send(client, client.body("[[unicode]]", stream=True, **more))
    assert reply.status == 200 and client.is_complete(reply.events)
    (attempt,) = provider.attempts(settled=1)
    direct = ask(scene.stack.pool.upstreams[provider.name], attempt)
    assert without_time(reply.body) == without_time(direct)
    row = key.row(reply)
    assert row.usage == attempt.consumed


@pytest.mark.parametrize("style", [{}, {"crlf": True}, {"no_space": True}, {"split": 5}], ids=str)
def test_only_the_unasked_usage_is_taken_out(scene, style):
    provider = scene.provider()
    key = scene.key((provider, "gpt-4o"))
    provider.script(("sse_style", {"style": style, "times": 2}))
    reply = key.send(Openai, Openai.body("[[unicode]]", stream=True))
    (attempt,) = provider.attempts(settled=1)
    direct = ask(scene.stack.pool.upstreams[provider.name], attempt)
    kept = [event.data for event in read_events(without_time(direct)) if not (event.json or {}).get("usage")]
    found = [event.data for event in read_events(without_time(reply.body))]
    assert found == kept and len(found) == len(read_events(direct)) - 1
    assert Openai.stream_text(reply.events) == Openai.stream_text(read_events(direct))


def ask(address, attempt):
    """What the provider answers to the very request that it got, without a gateway between."""
    host, port = address
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request(attempt.method, attempt.path, attempt.body.encode(), dict(attempt.headers))
        return connection.getresponse().read()
    finally:
        connection.close()


def without_time(body):
    """A stream without the second in which it was made."""
    for event in read_events(body):
        created = (event.json or {}).get("created")
        if created:
            body = body.replace(f'"created":{created}'.encode(), b'"created":0')
    return body


def test_the_odd_body_is_json():
    assert json.loads(ODD % ("", "auto"))["zeta"] == 12345678901234567890123

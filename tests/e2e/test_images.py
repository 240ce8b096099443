"""Pictures: forms pass byte for byte, and only OpenAI's dialect has them."""

import base64
import struct
import zlib

from harness import flavours
from harness.dialects import Openai

BOUNDARY = "----sluice-7MA4YWxkTrZu0gW"


def png(side=4):
    """A small square picture."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes([x * 60, 128, 255, 200] * side) for x in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def form(model, **fields):
    """A form with a picture and fields."""
    parts = [f'Content-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png'.encode()]
    parts[0] += b"\r\n\r\n" + png()
    for name, value in {"model": model, **fields}.items():
        parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode())
    joined = b"".join(b"--%s\r\n%s\r\n" % (BOUNDARY.encode(), part) for part in parts)
    return joined + b"--%s--\r\n" % BOUNDARY.encode()


def send(key, operation, body):
    """A form, as an SDK sends it."""
    headers = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    return key.send(Openai, body, headers=headers, path=f"/v1/images/{operation}")


def received(provider):
    """The one body that a provider saw."""
    (attempt,) = provider.attempts(settled=1)
    assert attempt.refused is None, attempt
    assert attempt.header("content-type") == [f"multipart/form-data; boundary={BOUNDARY}"]
    return base64.b64decode(attempt.body_base64)


def test_an_edit_passes_byte_for_byte(scene):
    provider = scene.provider()
    model = scene.model([(provider, "gpt-image-1")], id="gpt-image-1")
    key = scene.key()
    body = form(model, prompt="ein Fjord, süß", n=2)
    reply = send(key, "edits", body)
    assert reply.status == 200 and len(reply.json["data"]) == 2, reply
    assert received(provider) == body
    row = key.row(reply)
    assert (row.endpoint, row.usage["images"]) == ("images.edits", 2), row


def test_only_the_model_s_name_is_changed(scene):
    provider = scene.provider()
    model = scene.model([(provider, "dall-e-2")])
    key = scene.key()
    reply = send(key, "variations", form(model, n=1))
    assert reply.status == 200, reply
    assert received(provider) == form("dall-e-2", n=1)


def test_pictures_are_made_by_providers_that_have_them(scene):
    other, provider = scene.provider(flavours.ANTHROPIC), scene.provider()
    model = scene.model([(other, "claude-sonnet-4-5"), (provider, "gpt-image-1")])
    key = scene.key()
    body = {"model": model, "prompt": "a fjord"}
    reply = key.send(Openai, body, path="/v1/images/generations")
    assert (reply.status, reply.sluice("provider")) == (200, provider.name), reply
    assert reply.sluice("passed-over") == f"{other.name}/{model} endpoint"
    row = key.row(reply)
    assert row.passed_over == [{"provider": other.name, "model": model, "lacks": "endpoint"}]
    nobody = key.send(Openai, body | {"model": f"{other.name}/claude-sonnet-4-5"}, path="/v1/images/generations")
    assert nobody.status == 404 and other.attempts() == [], nobody


def test_a_form_that_says_two_models_is_refused(scene):
    key = scene.key()
    ending = b"--%s--\r\n" % BOUNDARY.encode()
    twice = form("gpt-image-1").removesuffix(ending) + form("dall-e-2")
    reply = send(key, "edits", twice)
    assert reply.status == 400 and "model" in Openai.check_error(reply)[1], reply

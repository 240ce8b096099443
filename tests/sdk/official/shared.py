"""Texts, pictures and tools that scenarios of both APIs use."""

import base64
import struct
import zlib

import pydantic

# What the simulated model says when it is told `[[unicode]]`; the stream is then cut inside characters.
UNICODE = "Grüße 👩\u200d🚀 from 東京: naïve café, 한국어, 🇸🇪🎉 и конец."

CITY_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}},
    "required": ["city"],
}
# What the simulated model calls a tool with when it must call it and was not told how.
CITY_EXAMPLE = {"city": "example"}


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png():
    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\xff\x80\x00")
    parts = _chunk(b"IHDR", head) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


# One orange pixel.
PNG = base64.b64encode(_png()).decode()

# The beginning of a document; nobody reads further.
PDF = base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()

# A megabyte that is not one byte repeated, and what is said at its end.
LONG = "".join(f"line {number:06} of a very long prompt\n" for number in range(30_000))
assert len(LONG) > 1_000_000


class Person(pydantic.BaseModel):
    """What a reply is parsed into: nested, optional, listed."""

    class Address(pydantic.BaseModel):
        """Where somebody lives."""

        city: str
        zip_code: int

    name: str
    nickname: str | None
    address: Address
    languages: list[str]


def check_request_id(answer):
    """The client's own notion of a request id is set."""
    assert isinstance(answer.request_id, str) and answer.request_id, answer

"""What Envoy refuses before the filter sees it is JSON with a request id, too."""

import json

import pytest
from harness.gateway import raw

pytestmark = pytest.mark.only_on("ads")  # A guest's host answers such requests in its own way.

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n"
UNREADABLE = {
    "no_http": (b"GARBAGE\r\n\r\n", 400),
    "no_host": (b"GET /v1/models HTTP/1.1\r\n\r\n", 400),
    "no_host_but_an_id": (b"GET /v1/models HTTP/1.1\r\nx-request-id: abc\r\n\r\n", 400),
    "upgrade": (HEAD + b"connection: upgrade\r\nupgrade: websocket\r\nx-request-id: abc\r\n\r\n", 403),
    "two_lengths": (HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\n", 400),
    "length_and_chunks": (HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "no_number": (HEAD + b"content-length: many\r\n\r\n", 400),
    "null_in_a_header": (HEAD + b"x-a: \0\r\n\r\n", 400),
    "headers_too_large": (HEAD + b"x-large: " + b"a" * 200_000 + b"\r\n\r\n", 431),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_requests(scene, name):
    sent, status = UNREADABLE[name]
    received = raw(scene.gateway.port, sent)
    head, body = received.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 %d " % status), received
    names = {line.split(b":")[0].lower(): line.split(b":", 1)[1].strip() for line in head.split(b"\r\n")[1:]}
    assert names[b"content-type"].startswith(b"application/json"), received
    assert names[b"x-sluice-request-id"]
    error = json.loads(body)["error"]
    assert error["message"] and error["type"] == "invalid_request_error" and "param" in error and error["code"]

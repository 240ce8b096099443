"""The client's side: requests to Envoy, byte for byte as they are given, and what comes back.

Invariant: every reply that is an error is checked to be JSON in the client's dialect with a request id, whatever the
test is about.
"""

import contextlib
import http.client
import json
import socket
import time

from . import dialects


class Reply:
    """A reply, or what there is of it."""

    def __init__(self, status, headers, body, whole, seconds, chunks=()):
        self.status = status
        self.headers = headers
        self.body = body
        # Whether the body ended as HTTP says it must.
        self.whole = whole
        self.seconds = seconds
        # (seconds since the request, bytes) as they arrived.
        self.chunks = list(chunks)

    @property
    def json(self):
        """The body."""
        return json.loads(self.body)

    @property
    def events(self):
        """The body as server-sent events."""
        return read_events(self.body)

    @property
    def request_id(self):
        """What the ledger calls this exchange."""
        return self.headers.get("x-sluice-request-id")

    def sluice(self, name):
        """One of the gateway's own headers."""
        return self.headers.get(f"x-sluice-{name}")

    def __repr__(self):
        return f"Reply({self.status}, {self.headers}, {self.body[:2000]!r}, whole={self.whole})"


class Event:
    """One server-sent event."""

    def __init__(self, name, data):
        self.name = name
        self.data = data
        try:
            self.json = json.loads(data) if data != "[DONE]" else None
        except ValueError:
            self.json = None

    def __repr__(self):
        return f"Event({self.name!r}, {self.data!r})"


def read_events(body):
    """Reads a stream as the specification says: LF, CR LF, optional space, comments."""
    events = []
    for block in body.replace(b"\r\n", b"\n").decode("utf-8").split("\n\n"):
        name, data = None, []
        for line in block.split("\n"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
        if data:
            events.append(Event(name, "\n".join(data)))
    return events


class Headers(dict):
    """Reply headers by lower-case name; what came twice is joined."""

    def __init__(self, pairs):
        super().__init__()
        self.pairs = [(name.lower(), value) for name, value in pairs]
        for name, value in self.pairs:
            self[name] = f"{self[name]}, {value}" if name in self else value


class Gateway:
    """Envoy's listener."""

    def __init__(self, port):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def connect(self, timeout=30.0):
        """A connection of its own for each request: none inherits another's fate."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def send(self, path, body, headers=None, method="POST", chunked=False, check=True):
        """Sends `body` (bytes, text or what becomes JSON) and reads the reply to its end."""
        with self.open(path, body, headers, method, chunked) as stream:
            reply = stream.rest()
        return checked(path, reply) if check else reply

    @contextlib.contextmanager
    def open(self, path, body, headers=None, method="POST", chunked=False):
        """Sends a request and gives the reply's stream; leaving the block hangs up."""
        if isinstance(body, str):
            body = body.encode()
        elif body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection = self.connect()
        started = time.monotonic()
        try:
            sent = {"content-type": "application/json", **(headers or {})}
            connection.putrequest(method, path, skip_host="host" in sent, skip_accept_encoding=True)
            for name, value in sent.items():
                for each in value if isinstance(value, list) else [value]:
                    connection.putheader(name, each)
            if body is not None:
                length = ("transfer-encoding", "chunked") if chunked else ("content-length", str(len(body)))
                connection.putheader(*length)
            connection.endheaders()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                # A server that refuses a body need not read it; its answer counts.
                if body is not None:
                    _write(connection, body, chunked)
            yield Stream(connection.getresponse(), started)
        finally:
            connection.close()


def _write(connection, body, chunked):
    if not chunked:
        connection.send(body)
        return
    for at in range(0, len(body), 1 << 16):
        part = body[at : at + (1 << 16)]
        connection.send(b"%x\r\n%s\r\n" % (len(part), part))
    connection.send(b"0\r\n\r\n")


class Stream:
    """A reply that is being read."""

    def __init__(self, response, started):
        self._response = response
        self._started = started
        self.status = response.status
        self.headers = Headers(response.getheaders())
        self._chunks = []
        self._ended = None

    def read(self):
        """The next bytes; empty at the end."""
        try:
            chunk = self._response.read1(1 << 16)
        except (http.client.IncompleteRead, ConnectionResetError) as error:
            chunk = getattr(error, "partial", b"")
            self._ended = False
        if chunk:
            self._chunks.append((time.monotonic() - self._started, chunk))
        elif self._ended is None:
            left = self._response.length
            self._ended = not left
        return chunk

    def read_until(self, marker):
        """Reads until `marker` has come."""
        while marker not in b"".join(chunk for _, chunk in self._chunks):
            assert self.read(), f"{marker!r} never came: {self._chunks}"

    def rest(self):
        """Reads to the end."""
        while self._ended is None:
            self.read()
        body = b"".join(chunk for _, chunk in self._chunks)
        seconds = time.monotonic() - self._started
        return Reply(self.status, self.headers, body, self._ended, seconds, self._chunks)


def checked(path, reply):
    """What holds for every reply of the gateway."""
    assert reply.request_id, f"no x-sluice-request-id: {reply}"
    leaked = [name for name in reply.headers if name in INTERNAL or name.startswith("x-envoy-")]
    assert not leaked, f"internal headers reached the client: {leaked}"
    if reply.status >= 400:
        assert reply.headers.get("content-type", "").startswith("application/json"), reply
        dialects.of_path(path).check_error(reply)
    return reply


INTERNAL = {"x-sluice-retry", "x-sluice-retry-after"}


def raw(port, data, timeout=10.0):
    """Sends bytes as they are and returns all that comes back until the connection is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as sock:
        sock.sendall(data)
        received = b""
        while chunk := sock.recv(1 << 16):
            received += chunk
    return received

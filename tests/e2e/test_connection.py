"""How clients use connections: one for many requests, bodies in pieces, asking first, saying nothing."""

import http.client
import json
import socket

import pytest
from harness.dialects import Openai


def ask(connection, key, body, path=Openai.path, token=None):
    headers = {"content-type": "application/json", "authorization": f"Bearer {token or key.token}"}
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    return response.status, response.read(), response.getheader("x-sluice-request-id")


def test_one_connection_serves_after_every_kind_of_answer(scene):
    provider, other = scene.provider(), scene.provider()
    key = scene.key(provider, other, retry={"same_provider": 0})
    connection = scene.gateway.connect()
    good = json.dumps(Openai.body()).encode()
    streamed = json.dumps(Openai.body(stream=True)).encode()
    ids = set()
    try:
        for body, expected, how in [
            (good, 200, {}),
            (b"{", 400, {}),
            (good, 401, {"token": "slc-no"}),
            (streamed, 200, {}),
            (good, 404, {"path": "/v1/nothing"}),
            (json.dumps(Openai.body(model="no-such")).encode(), 404, {}),
            (good, 200, {}),
        ]:
            status, answer, request_id = ask(connection, key, body, **how)
            assert status == expected, answer
            ids.add(request_id)
        provider.script(("status", {"status": 500}))
        assert ask(connection, key, good)[0] == 200
        provider.script(("status", {"status": 400}))
        assert ask(connection, key, good)[0] == 400
        assert ask(connection, key, streamed)[0] == 200
    finally:
        connection.close()
    assert len(ids) == 7


def test_bodies_in_pieces_with_pauses(scene):
    key = scene.key(scene.provider())
    body = json.dumps(Openai.body("[[say:whole]]")).encode()
    connection = scene.gateway.connect()
    try:
        connection.putrequest("POST", Openai.path)
        connection.putheader("authorization", f"Bearer {key.token}")
        connection.putheader("content-type", "application/json")
        connection.putheader("content-length", str(len(body)))
        connection.endheaders()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(body), 7):
            connection.send(body[at : at + 7])
        response = connection.getresponse()
        assert response.status == 200 and Openai.text(json.loads(response.read())) == "whole"
    finally:
        connection.close()


def test_clients_that_ask_before_they_send(scene):
    """As curl does with large bodies."""
    provider = scene.provider()
    key = scene.key(provider)
    body = json.dumps(Openai.body("x" * 100_000)).encode()
    with socket.create_connection(("127.0.0.1", scene.gateway.port), timeout=10) as sock:
        head = (
            f"POST {Openai.path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key.token}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\nexpect: 100-continue\r\n\r\n"
        )
        sock.sendall(head.encode())
        assert sock.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n")
        sock.sendall(body)
        response = http.client.HTTPResponse(sock)
        response.begin()
        assert response.status == 200 and response.read()
    assert not provider.attempts(settled=1)[0].header("expect")


@pytest.mark.parametrize("body", [None, b""], ids=["no_length", "no_bytes"])
def test_a_request_without_a_body(scene, client, body):
    provider = scene.provider(client)
    key = scene.key(provider)
    reply = scene.gateway.send(client.path, body, client.authorization(key.token))
    assert reply.status == 400
    assert not provider.attempts()


def test_a_client_that_leaves_while_it_sends(scene):
    provider = scene.provider()
    key = scene.key(provider)
    connection = scene.gateway.connect()
    connection.putrequest("POST", Openai.path)
    connection.putheader("authorization", f"Bearer {key.token}")
    connection.putheader("content-length", "1000000")
    connection.endheaders()
    connection.send(b'{"model":"auto",')
    connection.close()
    (row,) = key.rows(1)
    assert (row.status, row.provider, row.attempts, row.cost_micro_usd) == (0, None, [], 0)
    assert not provider.attempts()
    assert key.send(Openai).status == 200

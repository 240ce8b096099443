"""Who is asked, in which order."""

from collections import Counter

from harness.dialects import Anthropic, Openai

IMAGE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


def test_a_models_channels_come_first_and_the_keys_chain_follows(scene):
    first, second, third = scene.provider(), scene.provider(), scene.provider(Anthropic)
    model = scene.model([(first, "gpt-4o"), (second, "gpt-4o-mini")])
    key = scene.key(third, retry={"same_provider": 0})
    for provider in (first, second):
        provider.script(("status", {"status": 500}))
    reply = key.send(Openai, Openai.body(model=model))
    assert (reply.status, reply.sluice("provider")) == (200, third.name)
    row = key.row(reply)
    found = [(attempt["provider"], attempt["model"]) for attempt in row.attempts]
    assert found == [(first.name, "gpt-4o"), (second.name, "gpt-4o-mini"), (third.name, Anthropic.model)]
    assert (row.requested_model, row.model) == (model, Anthropic.public)


def test_a_provider_and_a_model_name_a_channel(scene, client):
    chained, named = scene.provider(client), scene.provider(client)
    key = scene.key(chained)
    reply = key.send(client, client.body(model=f"{named.name}/{client.model}"))
    assert (reply.status, reply.sluice("provider")) == (200, named.name)
    assert named.attempts(settled=1)[0].json["model"] == client.model


def test_an_alias_means_its_model(scene):
    provider = scene.provider()
    model = scene.model([(provider, "gpt-4o-mini")], aliases=["nickname-of-mine"])
    reply = scene.key().send(Openai, Openai.body(model="nickname-of-mine"))
    assert (reply.status, reply.sluice("model")) == (200, model)


def test_auto_is_the_first_step_that_can_do_what_is_needed(scene):
    blind, seeing = scene.provider(), scene.provider()
    text = scene.model([(blind, "gpt-4o")], input_modalities=["text"], capabilities=["tools"])
    both = scene.model([(seeing, "gpt-4o")], input_modalities=["text", "image"], capabilities=["tools"])
    key = scene.key((blind, text), (seeing, both))
    assert key.send(Openai).sluice("provider") == blind.name
    picture = [{"type": "image_url", "image_url": {"url": IMAGE}}, {"type": "text", "text": "What is it?"}]
    reply = key.send(Openai, Openai.body(picture))
    assert (reply.status, reply.sluice("provider")) == (200, seeing.name), reply


def test_a_weighted_group_is_drawn_by_weight(scene):
    heavy, light, rest = scene.provider(), scene.provider(), scene.provider()
    targets = [
        {"provider": heavy.name, "model": "gpt-4o", "weight": 3},
        {"provider": light.name, "model": "gpt-4o", "weight": 1},
    ]
    key = scene.mint(chain=[{"targets": targets}, {"provider": rest.name, "model": "gpt-4o"}])
    scene.stack.settle()
    drawn = Counter(key.send(Openai).sluice("provider") for _ in range(80))
    # 60 of 80 are expected; these bounds are missed once in some ten million runs.
    assert 38 <= drawn[heavy.name] <= 76 and drawn[rest.name] == 0, drawn
    # Whoever was not drawn follows.
    heavy.always("status", status=429)
    assert {key.send(Openai).sluice("provider") for _ in range(10)} == {light.name}


def test_a_disabled_provider_is_not_planned(scene):
    disabled, enabled = scene.provider(), scene.provider()
    key = scene.key(disabled, enabled)
    scene.disable(disabled)
    assert key.send(Openai).sluice("provider") == enabled.name
    assert not disabled.attempts()


def test_what_a_dialect_cannot_carry_is_told(scene):
    provider = scene.provider(Anthropic)
    key = scene.key(provider)
    body = Openai.body(seed=7, frequency_penalty=0.5)
    reply = key.send(Openai, body)
    assert reply.status == 200
    dropped = {path.strip() for path in reply.sluice("dropped-params").split(",")}
    assert dropped == {"seed", "frequency_penalty"}
    assert set(key.row(reply).dropped_params) == dropped
    assert provider.attempts(settled=1)[0].refused is None

    key.change(loss="strict")
    reply = key.send(Openai, body)
    assert reply.status == 400
    code, message = Openai.check_error(reply)
    assert code == "unsupported_parameter" and "seed" in message
    assert len(provider.attempts()) == 1

"""Replies that a provider keeps, and what is built on them."""

import pytest
from harness import flavours
from harness.dialects import Openai, Responses


def make(key, provider, **more):
    """A reply, made and kept by a provider. The simulator makes ids from bodies, so the body is the key's own."""
    reply = key.send(Responses, Responses.body(f"I am {key.id}", model=f"{provider.name}/gpt-4o", **more))
    assert reply.status == 200, reply
    return reply.json["id"]


def call(scene, key, method, path):
    """A call about a stored reply."""
    return scene.gateway.send(path, None, Openai.authorization(key.token), method=method)


def test_a_reply_is_found_at_the_provider_that_made_it(scene):
    bystander, keeper = scene.provider(flavours.RESPONSES), scene.provider(flavours.RESPONSES)
    key = scene.key((bystander, "gpt-4o"))
    made = make(key, keeper)
    # Whichever of Envoy's workers is asked: those that have not seen it made ask one after the other.
    for _ in range(4):
        reply = call(scene, key, "GET", f"/v1/responses/{made}")
        assert (reply.status, reply.json["id"], reply.sluice("provider")) == (200, made, keeper.name), reply
    items = call(scene, key, "GET", f"/v1/responses/{made}/input_items?limit=5&order=asc&key=x")
    assert items.status == 200 and items.json["object"] == "list", items
    seen = [attempt.path for attempt in keeper.attempts() if "input_items" in attempt.path]
    assert seen and seen[0].endswith("?limit=5&order=asc"), "the key stays here"
    row = key.row(items)
    assert (row.endpoint, row.usage_source) == ("responses.stored", "none"), row
    gone = call(scene, key, "DELETE", f"/v1/responses/{made}")
    assert gone.status == 200 and gone.json["deleted"] is True, gone
    missing = call(scene, key, "GET", f"/v1/responses/{made}")
    assert missing.status == 404, missing


def test_work_in_the_background_is_canceled_where_it_runs(scene):
    keeper = scene.provider(flavours.RESPONSES)
    key = scene.key((keeper, "gpt-4o"))
    made = make(key, keeper, background=True)
    reply = call(scene, key, "POST", f"/v1/responses/{made}/cancel")
    assert (reply.status, reply.json["status"]) == (200, "cancelled"), reply
    (attempt,) = [attempt for attempt in keeper.attempts() if attempt.path.endswith("/cancel")]
    assert attempt.method == "POST" and not attempt.get("body")


def test_a_conversation_goes_on_at_its_keeper(scene):
    other, keeper = scene.provider(flavours.RESPONSES), scene.provider(flavours.RESPONSES)
    model = scene.model([(other, "gpt-4o"), (keeper, "gpt-4o")])
    key = scene.key()
    made = make(key, keeper)
    for _ in range(4):
        reply = key.send(Responses, Responses.body(model=model, previous_response_id=made))
        assert (reply.status, reply.sluice("provider")) == (200, keeper.name), reply


@pytest.mark.parametrize("member", [{"previous_response_id": "resp_1"}, {"background": True}], ids=str)
def test_what_only_responses_has_is_a_clear_refusal_elsewhere(scene, member):
    provider = scene.provider(flavours.ANTHROPIC)
    key = scene.key((provider, flavours.ANTHROPIC.upstream))
    reply = key.send(Responses, Responses.body(**member))
    assert reply.status == 400, reply
    code, message = Openai.check_error(reply)
    assert code == "unsupported_parameter" and next(iter(member)) in message
    assert provider.attempts() == []


def test_nobody_finds_another_key_s_reply(scene):
    keeper = scene.provider(flavours.RESPONSES)
    owner, stranger = scene.key((keeper, "gpt-4o")), scene.key(providers={"deny": [keeper.name]})
    made = make(owner, keeper)
    assert call(scene, stranger, "GET", f"/v1/responses/{made}").status == 404
    assert call(scene, owner, "GET", f"/v1/responses/{made}").status == 200

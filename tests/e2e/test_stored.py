"""Replies that a provider keeps, and what is built on them.

Where connections matter there are many, because which worker gets one is Envoy's own choice.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import flavours
from harness.dialects import Openai, Responses
from harness.pool import PRICES


CONNECTIONS = 32


def ask(key, provider, **more):
    """What makes a reply. The simulator makes ids from bodies, so the body is the key's own."""
    return Responses.body(f"I am {key.id}", model=f"{provider.name}/gpt-4o", **more)


def make(key, provider, **more):
    """The id of a reply that is made and kept by a provider."""
    reply = key.send(Responses, ask(key, provider, **more))
    assert reply.status == 200, reply
    return reply.json["id"]


def often(work):
    """Does the same on many connections at once."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: work(), range(CONNECTIONS)))


def reached(scene, owner, stranger, made):
    """What an owner and a stranger, who may use the same providers, get for a reply on many connections."""
    paths = [("GET", ""), ("GET", "/input_items"), ("POST", "/cancel"), ("DELETE", "")]
    strangers = {
        reply.status
        for method, part in paths
        for reply in often(lambda: call(scene, stranger, method, f"/v1/responses/{made}{part}"))
    }
    body = Responses.body(model="auto", previous_response_id=made)
    built = often(lambda: stranger.send(Responses, body))
    codes = {(reply.status, Openai.check_error(reply)[0]) for reply in built}
    owners = {reply.status for reply in often(lambda: call(scene, owner, "GET", f"/v1/responses/{made}"))}
    return owners, strangers, codes


ONLY_THE_OWNER = ({200}, {404}, {(400, "previous_response_not_found")})


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


def test_a_reply_is_its_key_s_on_every_worker(private_scene):
    scene = private_scene
    keeper = scene.provider(flavours.RESPONSES)
    owner, stranger = scene.key((keeper, "gpt-4o")), scene.key((keeper, "gpt-4o"))
    # The workers tell each other: nobody else is there to be asked.
    scene.stack.control.kill()
    try:
        made = make(owner, keeper)
        before = len(keeper.attempts())
        assert reached(scene, owner, stranger, made) == ONLY_THE_OWNER
        assert len(keeper.attempts()) == before + CONNECTIONS, "of the stranger's nothing reached the provider"
        unknown = call(scene, owner, "GET", "/v1/responses/resp_nobody")
        assert (unknown.status, unknown.headers["retry-after"]) == (503, "1"), unknown
    finally:
        scene.stack.control.start()
    scene.stack.settle()
    assert call(scene, owner, "GET", "/v1/responses/resp_nobody").status == 404


def test_a_reply_is_its_key_s_for_an_envoy_that_has_not_seen_it_made(private_scene):
    scene = private_scene
    bystander, keeper = scene.provider(flavours.RESPONSES), scene.provider(flavours.RESPONSES)
    owner, stranger = scene.key((bystander, "gpt-4o"), (keeper, "gpt-4o")), scene.key((keeper, "gpt-4o"))
    reply = owner.send(Responses, ask(owner, keeper))
    owner.row(reply)
    scene.stack.restart_envoy()
    before = len(bystander.attempts())
    assert reached(scene, owner, stranger, reply.json["id"]) == ONLY_THE_OWNER
    assert len(bystander.attempts()) == before, "the keeper alone was asked"


def test_replies_of_which_nobody_knows_are_looked_for_only_if_the_settings_say_so(private_scene):
    scene = private_scene
    bystander, keeper = scene.provider(flavours.RESPONSES), scene.provider(flavours.RESPONSES)
    key = scene.key((bystander, "gpt-4o"), (keeper, "gpt-4o"))
    # As if made outside of the gateway: the account has it, and no record tells of it.
    made = make(scene.key((keeper, "gpt-4o")), keeper)
    scene.stack.control.forget(made)
    scene.stack.restart_envoy()
    assert call(scene, key, "GET", f"/v1/responses/{made}").status == 404
    scene.rest.call("PATCH", "/settings", {"stored_responses": "open"})
    scene.stack.settle()
    try:
        found = often(lambda: call(scene, key, "GET", f"/v1/responses/{made}"))
        assert {(reply.status, reply.sluice("provider")) for reply in found} == {(200, keeper.name)}
    finally:
        scene.rest.call("PATCH", "/settings", {"stored_responses": "known"})
        scene.stack.settle()


def booked(key, replies):
    """The rows of these exchanges that were charged for."""
    rows = [key.row(reply) for reply in replies]
    assert all(row.background for row in rows), rows
    return [row for row in rows if row.cost_micro_usd or any(row.usage.values())]


def test_work_in_the_background_is_charged_once_when_it_is_seen_finished(scene):
    keeper = scene.provider(flavours.RESPONSES)
    model = scene.model([(keeper, "gpt-4o")], prices=PRICES)
    key = scene.key()
    begun = key.send(Responses, Responses.body(f"I am {key.id}", model=model, background=True))
    row = key.row(begun)
    assert (row.usage_source, row.reply) == ("deferred", begun.json["id"]), row
    (attempt,) = keeper.attempts(settled=1)
    seen = often(lambda: call(scene, key, "GET", f"/v1/responses/{begun.json['id']}"))
    assert [reply.json["status"] for reply in seen].count("completed") > CONNECTIONS / 2
    (paid,) = booked(key, [begun, *seen])
    assert (paid.usage, paid.usage_source, paid.endpoint) == (attempt.consumed, "provider", "responses.stored")
    assert paid.model == row.model == model and paid.cost_micro_usd > 0


def test_a_stream_of_work_in_the_background_is_charged_once(scene):
    keeper = scene.provider(flavours.RESPONSES)
    key = scene.key((keeper, "gpt-4o"))
    begun = key.send(Responses, ask(key, keeper, background=True, stream=True))
    made = begun.events[0].json["response"]["id"]
    # Another worker's record may be faster, and would be charged instead.
    key.row(begun)
    (attempt,) = keeper.attempts(settled=1)
    path = f"/v1/responses/{made}"
    seen = [call(scene, key, "GET", path), call(scene, key, "GET", f"{path}?stream=true&starting_after=2")]
    assert {reply.status for reply in seen} == {200}
    (paid,) = booked(key, [begun, *seen])
    assert (paid.request_id, paid.usage, paid.usage_source) == (begun.request_id, attempt.consumed, "provider")

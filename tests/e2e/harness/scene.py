"""What one test works with: its providers, its key, its requests.

Invariant: at the end, whatever the test was about, no provider has seen a header that it must not see.
"""

import itertools

from . import dialects, flavours
from .pool import until_healthy

_NUMBERS = itertools.count(1)


class Key:
    """A client's key."""

    def __init__(self, scene, minted):
        self._scene = scene
        self.id = minted["id"]
        self.token = minted["token"]

    def send(self, dialect, body=None, headers=None, **how):
        """Sends a request in a dialect; `body` is what [`dialect.body`] makes unless given."""
        body = dialect.body() if body is None else body
        headers = {**dialect.authorization(self.token), **(headers or {})}
        path = how.pop("path", getattr(body, "path", dialect.path))
        return self._scene.gateway.send(path, body, headers, **how)

    def open(self, dialect, body, headers=None):
        """Sends a request and gives the reply's stream."""
        headers = {**dialect.authorization(self.token), **(headers or {})}
        return self._scene.gateway.open(getattr(body, "path", dialect.path), body, headers)

    def get(self, path, headers=None):
        """Asks for a page."""
        headers = {"authorization": f"Bearer {self.token}", **(headers or {})}
        return self._scene.gateway.send(path, None, headers, method="GET")

    def row(self, reply):
        """The ledger's row of an exchange."""
        return self._scene.ledger.row(self.id, reply.request_id)

    def rows(self, count):
        """All rows of this key, once there are `count`."""
        return self._scene.ledger.wait_for(self.id, count)

    def change(self, **members):
        """Changes it, and waits until that holds everywhere."""
        self._scene.rest.call("PATCH", f"/keys/{self.id}", members)
        self._scene.stack.settle()

    def revoke(self):
        """Revokes it."""
        self._scene.rest.call("POST", f"/keys/{self.id}/revoke", {})


class Scene:
    """One test's part of a stack."""

    def __init__(self, stack):
        self.stack = stack
        self.gateway = stack.gateway
        self.rest = stack.control.rest
        self.ledger = stack.ledger
        self._lent = {}
        self._changed = set()
        self._models = []

    def provider(self, flavour=dialects.Openai, **members):
        """A healthy provider of a flavour (or of the flavour that is called like a dialect); `members` change its
        configuration."""
        virtual = self.stack.pool.lend(flavour.name)
        self._lent[virtual.name] = virtual
        if members:
            self._changed.add(virtual.name)
            self.stack.pool.change(virtual.name, members)
            self.stack.settle()
        until_healthy(self.gateway, flavours.BY_NAME[flavour.name], self.stack.probe_key, virtual)
        return virtual

    def disable(self, virtual):
        """Takes a provider out of every plan, until the test ends."""
        self._changed.add(virtual.name)
        self.stack.pool.change(virtual.name, {"enabled": False})
        self.stack.settle()

    def model(self, channels, **members):
        """A model of this test's own: `channels` is a list of (provider, upstream id)."""
        public = members.pop("id", f"model-{next(_NUMBERS)}")
        rows = [{"provider": provider.name, "upstream_id": upstream} for provider, upstream in channels]
        self.rest.call("POST", "/models", {"id": public, "channels": rows, **members})
        self._models.append(public)
        return public

    def key(self, *chain, **members):
        """A key whose chain is these providers, each with the model that all of its dialect serve, or (provider,
        model) pairs. Known everywhere when this returns."""
        steps = [step if isinstance(step, tuple) else (step.name, _public(step.name)) for step in chain]
        steps = [{"provider": getattr(provider, "name", provider), "model": model} for provider, model in steps]
        spec = {"name": f"test-{next(_NUMBERS)}", "chain": steps, **members}
        key = self.mint(**spec)
        self.stack.settle()
        return key

    def mint(self, **spec):
        """A key, as soon as the admin API has answered."""
        return Key(self, self.rest.call("POST", "/keys", spec))

    def close(self):
        """Gives everything back."""
        leaks = {name: _leaks(virtual) for name, virtual in self._lent.items()}
        for model in self._models:
            self.rest.call("DELETE", f"/models/{model}")
        for name, virtual in self._lent.items():
            # A provider that goes on with its script would keep its connections busy.
            virtual.reset()
            self.stack.pool.take_back(name, name in self._changed)
        assert not any(leaks.values()), f"providers saw what they must not see: {leaks}"


def _leaks(virtual):
    return sorted({name for attempt in virtual.attempts() for name in attempt.leaks})


def _public(name):
    """The model that all providers of this one's kind serve: a public one, where there is one."""
    flavour = flavours.of(name)
    public = {"openai": dialects.Openai.public, "anthropic": dialects.Anthropic.public}
    return public.get(flavour.name, flavour.upstream)

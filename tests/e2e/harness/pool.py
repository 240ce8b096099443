"""The providers that a stack has from its start, lent to one test after the other.

A guest's clusters are static, so providers cannot be made for each test. Each is checked to be healthy in Envoy's eyes
when it is lent: failures that an earlier test caused count towards ejection until a request succeeds.
"""

from . import dialects, flavours
from .simulator import Virtual
from .waiting import until

# Not reset between tests and never lent: names and addresses at which nobody answers.
NOWHERE = {"unresolvable": ("nowhere.invalid", 80), "refusing": ("127.0.0.1", 2)}
# Prices with digits, so that a cost tells which counts and prices made it.
PRICES = {"input": "2.5", "cached_input": "1.25", "cache_write": "3.125", "output": "10", "reasoning": "12.5"}
DEADLINE_MS = 5_000


class Pool:
    """All providers of a stack."""

    def __init__(self, simulator, rest, clusters_named):
        self._simulator = simulator
        self._rest = rest
        self._specs = {}
        self._flavours = {}
        self._free = {flavour.name: flavour.names() for flavour in flavours.ALL}
        self.upstreams = {}
        for flavour in flavours.ALL:
            for name in flavour.names():
                base_url = simulator.add(name, flavour.api, flavour.credential(name))
                host, port = base_url.removeprefix("http://").split("/")[0].split(":")
                self.upstreams[name] = (host, int(port))
                self._flavours[name] = flavour
                self._specs[name] = self._spec(name, flavour, base_url, clusters_named)
        for name, (host, port) in NOWHERE.items():
            self.upstreams[name] = (host, port)
            base_url = f"http://{host}:{port}/v1"
            self._specs[name] = self._spec(name, flavours.OPENAI, base_url, clusters_named)

    @staticmethod
    def _spec(name, flavour, base_url, clusters_named):
        spec = flavour.spec(name, base_url) | {"first_token_deadline_ms": DEADLINE_MS}
        return spec | {"cluster": name} if clusters_named else spec

    def configure(self):
        """Tells the control plane of all providers, and of two models that any of them serves."""

        def model(public, upstream, names):
            channels = [{"provider": name, "upstream_id": upstream} for name in names]
            return {"id": public, "owner": "house", "channels": channels, "prices": PRICES}

        gpt, claude = flavours.OPENAI, flavours.ANTHROPIC
        models = [
            model("house-gpt", gpt.upstream, gpt.names()),
            model("house-claude", claude.upstream, claude.names()),
        ]
        self._rest.call("POST", "/apply", {"providers": list(self._specs.values()), "models": models})

    def lend(self, flavour):
        """The provider of a flavour (its name) that has rested longest, as new."""
        name = self._free[flavour].pop(0)
        virtual = Virtual(self._simulator, name)
        virtual.reset()
        return virtual

    def take_back(self, name, changed):
        """A test is done with it."""
        if changed:
            self._rest.call("PUT", f"/providers/{name}", self._specs[name])
        self._free[self._flavours[name].name].append(name)

    def change(self, name, members):
        """Changes a provider's configuration for one test."""
        self._rest.call("PATCH", f"/providers/{name}", members)


def until_healthy(gateway, flavour, token, virtual):
    """Waits until Envoy sends requests to it, which also clears its count of failures."""
    dialect = dialects.Anthropic if flavour.dialect == "anthropic" else dialects.Openai
    body = dialect.body(model=f"{virtual.name}/{flavour.upstream}")

    def answers():
        reply = gateway.send(dialect.path, body, dialect.authorization(token))
        return reply.status == 200

    until(f"{virtual.name} answers", answers, 40.0)
    virtual.reset()

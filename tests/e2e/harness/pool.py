"""The providers that a stack has from its start, lent to one test after the other.

A guest's clusters are static, so providers cannot be made for each test. Each is checked to be healthy in Envoy's eyes
when it is lent: failures that an earlier test caused count towards ejection until a request succeeds.
"""

from .simulator import Virtual
from .waiting import until

OPENAI = [f"oai-{index:02}" for index in range(36)]
ANTHROPIC = [f"ant-{index:02}" for index in range(18)]
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
        self._free = {"openai": list(OPENAI), "anthropic": list(ANTHROPIC)}
        self.upstreams = {}
        for dialect, names in (("openai", OPENAI), ("anthropic", ANTHROPIC)):
            for name in names:
                base_url = simulator.add(name, dialect, f"sk-{name}")
                host, port = base_url.removeprefix("http://").split("/")[0].split(":")
                self.upstreams[name] = (host, int(port))
                self._specs[name] = self._spec(name, dialect, base_url, clusters_named)
        for name, (host, port) in NOWHERE.items():
            self.upstreams[name] = (host, port)
            self._specs[name] = self._spec(name, "openai", f"http://{host}:{port}/v1", clusters_named)

    @staticmethod
    def _spec(name, dialect, base_url, clusters_named):
        secret = f"sk-{name}"
        header = {"kind": "header", "name": "x-api-key", "secret": secret}
        spec = {
            "name": name,
            "dialect": dialect,
            "base_url": base_url,
            "auth": {"kind": "bearer", "secret": secret} if dialect == "openai" else header,
            "first_token_deadline_ms": DEADLINE_MS,
        }
        return spec | {"cluster": name} if clusters_named else spec

    def configure(self):
        """Tells the control plane of all providers, and of two models that any of them serves."""

        def model(public, upstream, names):
            channels = [{"provider": name, "upstream_id": upstream} for name in names]
            return {"id": public, "owner": "house", "channels": channels, "prices": PRICES}

        models = [model("house-gpt", "gpt-4o", OPENAI), model("house-claude", "claude-sonnet-4-5", ANTHROPIC)]
        self._rest.call("POST", "/apply", {"providers": list(self._specs.values()), "models": models})

    def lend(self, dialect):
        """The provider that has rested longest, as new."""
        name = self._free[dialect].pop(0)
        virtual = Virtual(self._simulator, name)
        virtual.reset()
        return virtual

    def take_back(self, name, changed):
        """A test is done with it."""
        if changed:
            self._rest.call("PUT", f"/providers/{name}", self._specs[name])
        self._free["openai" if name in OPENAI else "anthropic"].append(name)

    def change(self, name, members):
        """Changes a provider's configuration for one test."""
        self._rest.call("PATCH", f"/providers/{name}", members)


def until_healthy(gateway, dialect, token, virtual):
    """Waits until Envoy sends requests to it, which also clears its count of failures."""
    body = dialect.body(model=f"{virtual.name}/{dialect.model}")

    def answers():
        reply = gateway.send(dialect.path, body, dialect.authorization(token))
        return reply.status == 200

    until(f"{virtual.name} answers", answers, 40.0)
    virtual.reset()

"""The provider simulator: one process, many virtual providers."""

import json
import subprocess

from . import locate
from .process import Process, tail
from .rest import Rest
from .waiting import until


class Simulator:
    """`sluice simulate`."""

    def __init__(self, folder):
        self.process = Process(
            "simulator", [locate.sluice(), "simulate"], folder / "simulator.log", stdout=subprocess.PIPE
        )
        try:
            # Its first line says where it is; without one it has ended, and its log says why.
            line = self.process.stdout.readline()
            assert line, f"the simulator ended:\n{tail(self.process.log)}"
            self.rest = Rest(json.loads(line)["control_url"])
        except BaseException:
            self.process.stop()
            raise

    def add(self, name, api, credential):
        """A new virtual provider of a vendor's API; returns its base URL."""
        body = {"name": name, "api": api, "credential": credential}
        return self.rest.call("POST", "/providers", body)["base_url"]

    def stop(self):
        """Ends it."""
        self.rest.close()
        self.process.stop()


class Virtual:
    """One virtual provider: what tests script and what it saw."""

    def __init__(self, simulator, name):
        self._rest = simulator.rest
        self._path = f"/providers/{name}"
        self.name = name

    def script(self, *behaviours):
        """What it does to the next attempts: `("status", {"status": 500})`, or a kind alone."""
        steps = [{"kind": step} if isinstance(step, str) else {"kind": step[0], **step[1]} for step in behaviours]
        self._rest.call("POST", f"{self._path}/script", steps)

    def always(self, kind, **members):
        """What it does from now on."""
        self._rest.call("POST", f"{self._path}/script", [{"kind": kind, "repeat": True, **members}])

    def refuse(self, on=True):
        """Whether its port refuses connections."""
        self._rest.call("POST", f"{self._path}/refuse", {"on": on})

    def offer(self, model, **members):
        """Makes it offer one more model."""
        self._rest.call("POST", f"{self._path}/models", {"id": model, **members})

    def reset(self):
        """Forgets script and attempts, and listens."""
        self._rest.call("POST", f"{self._path}/reset")

    def attempts(self, settled=0):
        """What it saw, once `settled` attempts have ended."""
        report = self._rest.call("GET", f"{self._path}/attempts", settled=settled, timeout_ms=10_000)
        attempts = [Attempt(row) for row in report["attempts"]]
        ended = [attempt for attempt in attempts if attempt.outcome]
        assert len(ended) >= settled, f"{self.name}: {len(ended)} of {settled} attempts ended: {attempts}"
        return attempts

    def wait_for_attempts(self, count):
        """Waits until so many attempts have arrived."""
        return until(
            f"{count} attempts at {self.name}",
            lambda: (found := self.attempts()) and len(found) >= count and found,
        )


class Attempt(dict):
    """One request that a virtual provider saw; members as attributes."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def json(self):
        """Its body."""
        return json.loads(self["body"])

    def header(self, name):
        """All values of a header."""
        return [value for known, value in self["headers"] if known == name]

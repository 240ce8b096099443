"""The control plane, and its admin API."""

import contextlib
import secrets
import sqlite3
import subprocess

import httpx

from . import locate
from .process import Process, free_port
from .rest import Rest
from .waiting import until


class Control:
    """`sluice serve`, at addresses that survive a restart."""

    def __init__(self, folder, extra=()):
        self.folder = folder
        self._extra = list(extra)
        self.admin_port = free_port()
        self.xds_port = free_port()
        self.admin_token = secrets.token_hex(24)
        self.node_token = secrets.token_hex(24)
        self.url = f"http://127.0.0.1:{self.admin_port}"
        self.rest = Rest(f"{self.url}/admin/v1", {"authorization": f"Bearer {self.admin_token}"})
        self.process = None
        self.start()

    @property
    def log(self):
        """Its log."""
        return self.folder / "control.log"

    def start(self):
        """Starts it, and waits until it is ready."""
        argv = [
            locate.sluice(), "serve",
            "--admin-address", f"127.0.0.1:{self.admin_port}",
            "--xds-address", f"127.0.0.1:{self.xds_port}",
            "--state-dir", self.folder / "state",
            *self._extra,
        ]  # fmt: skip
        env = {"SLUICE_ADMIN_TOKEN": self.admin_token, "SLUICE_NODE_TOKEN": self.node_token}
        self.process = Process("control plane", argv, self.log, env)
        try:
            self.process.wait_for("readiness", self._is_ready)
        except BaseException:
            self.process.stop()
            raise

    def _is_ready(self):
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5.0, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self):
        """Ends it as a crash would."""
        self.process.kill()

    def stop(self):
        """Ends it."""
        self.rest.close()
        self.process.stop()

    def command(self, *words):
        """Runs `sluice …` as an operator on this machine would, and returns what it printed."""
        argv = [str(locate.sluice()), *words]
        env = {"SLUICE_ADMIN_TOKEN": self.admin_token, "SLUICE_ADMIN_URL": self.url}
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=env, check=False)
        assert done.returncode == 0, f"sluice {' '.join(words)}: {done.stderr}"
        return done.stdout

    def forget(self, reply):
        """Waits for the record of a stored reply, and takes its id out of the ledger."""
        with contextlib.closing(sqlite3.connect(self.folder / "state" / "sluice.db", timeout=10.0)) as database:

            def forgotten():
                with database:
                    changed = database.execute("UPDATE records SET reply = NULL WHERE reply = ?", (reply,))
                return changed.rowcount

            until(f"a record of {reply}", forgotten)

    def fleet(self):
        """The fleet, as the admin API shows it."""
        return self.rest.call("GET", "/fleet")

    def settle(self, modules, envoys):
        """Waits until so many modules and Envoys are connected and all have acknowledged the newest revision."""

        def settled():
            fleet = self.fleet()
            streams = fleet["streams"]
            for stream in streams:
                for kind, status in stream["types"].items():
                    assert not status.get("nack"), f"{stream['client']} refused {kind}: {status['nack']}"
            current = [
                stream["client"] for stream in streams
                if stream["types"] and all(kind["acked"] >= fleet["revision"] for kind in stream["types"].values())
            ]  # fmt: skip
            found = (sum(client != "envoy" for client in current), current.count("envoy"))
            return found == (modules, envoys) and len(streams) == modules + envoys

        until(f"{modules} modules and {envoys} Envoys have the newest configuration", settled, 30.0)

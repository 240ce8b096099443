"""Child processes: started with a log, ended by id."""

import os
import random
import socket
import subprocess
from pathlib import Path

from .waiting import until


# Where the kernel's own choice of ports begins: those below it are never given to a connection.
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_given = set()


def free_port():
    """A port of the loopback interface that nobody listens on, and that no connection can be given before it is used."""
    first = int(_EPHEMERAL.read_text().split()[0]) if _EPHEMERAL.exists() else 32768
    while True:
        port = random.randrange(10240, first)
        if port in _given:
            continue
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port


class Process:
    """One child process; its output goes to `log`."""

    def __init__(self, name, argv, log, env=None, stdout=None):
        self.name = name
        self.log = log
        with open(log, "ab") as sink:
            self._child = subprocess.Popen(
                [str(word) for word in argv],
                stdin=subprocess.DEVNULL,
                stdout=stdout or sink,
                stderr=sink,
                env={**os.environ, **(env or {})},
            )
        self.stdout = self._child.stdout

    @property
    def pid(self):
        """Its id."""
        return self._child.pid

    def check(self):
        """Fails with its last words if it has ended."""
        code = self._child.poll()
        assert code is None, f"{self.name} ended with {code}:\n{tail(self.log)}"

    def wait_for(self, what, probe, seconds=20.0):
        """Waits for something that only comes about while it runs."""

        def look():
            self.check()
            return probe()

        return until(f"{self.name}: {what}", look, seconds)

    def stop(self, grace=10.0):
        """Asks it to end, and insists if it does not."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(grace)
            except subprocess.TimeoutExpired:
                self.kill()
        self._close()

    def kill(self):
        """Ends it without a warning, as a crash would."""
        self._child.kill()
        self._child.wait(10)
        self._close()

    def _close(self):
        if self._child.stdout:
            self._child.stdout.close()


def tail(path, start=0, lines=60):
    """The last lines of a log, beginning at byte `start`."""
    if not path.exists():
        return ""
    with open(path, "rb") as log:
        log.seek(start)
        text = log.read().decode("utf-8", "replace")
    return "\n".join(text.splitlines()[-lines:])

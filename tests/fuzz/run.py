"""Fuzzes every decoder for a while, seeded with the golden fixtures. A crash is kept under tests/fuzz/artifacts/.

Needs a nightly toolchain (`rustup toolchain install nightly`); cargo-fuzz is installed inside the checkout if it is missing.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOOLS = ROOT / ".tools"
CARGO_FUZZ = "0.13.2"


def seeds(target: str) -> list[Path]:
    """The fixtures that a target's decoder reads."""
    golden = ROOT / "tests" / "golden"
    dialect, _, what = target.partition("_")
    folders = {
        "request": [golden / "requests" / dialect, golden / "patch" / dialect],
        "reply": [golden / "replies" / dialect, golden / "errors" / dialect],
        "stream": [golden / "replies" / dialect],
        "observer": [golden / "replies" / dialect],
    }.get(what, [golden])
    return [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.stat().st_size < 65536]


def corpus(target: str) -> Path:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for path in seeds(target):
        shutil.copyfile(path, folder / re.sub(r"[^A-Za-z0-9.]+", "-", str(path.relative_to(ROOT / "tests"))))
    return folder


def cargo_fuzz() -> None:
    """Makes `cargo fuzz` available on the PATH of this process."""
    os.environ["PATH"] = f"{TOOLS / 'bin'}{os.pathsep}{os.environ['PATH']}"
    if shutil.which("cargo-fuzz") is None:
        install = ["cargo", "install", "cargo-fuzz", "--version", CARGO_FUZZ, "--locked", "--root", str(TOOLS)]
        subprocess.run(install, check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("targets", nargs="*", help="all by default")
    arguments = parser.parse_args()
    if subprocess.run(["rustc", "+nightly", "--version"], capture_output=True).returncode != 0:
        print("missing: a nightly toolchain (rustup toolchain install nightly)", file=sys.stderr)
        return 1
    cargo_fuzz()
    targets = arguments.targets or sorted(path.stem for path in (HERE / "fuzz_targets").glob("*.rs"))
    failed = []
    for target in targets:
        command = ["cargo", "+nightly", "fuzz", "run", "--fuzz-dir", str(HERE), target, str(corpus(target)), "--",
                   f"-max_total_time={arguments.seconds}", "-timeout=10", "-rss_limit_mb=2048", "-max_len=65536",
                   "-print_final_stats=1"]
        run = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", run.stdout)
        if run.returncode == 0 and runs:
            print(f"{target}: clean after {int(runs.group(1)):,} runs in {arguments.seconds} s", flush=True)
        else:
            failed.append(target)
            print(run.stdout[-4000:], file=sys.stderr)
            print(f"{target}: FAILED", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Fuzzes every decoder for a while, seeded with the golden fixtures. A crash is kept under tests/fuzz/artifacts/.

Needs a nightly toolchain (`rustup toolchain install nightly`); cargo-fuzz is installed inside the checkout if it is missing.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
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
        "embed_request": [golden / "requests" / dialect, golden / "patch" / dialect],
        "reply": [golden / "replies" / dialect, golden / "errors" / dialect],
        "embed_reply": [golden / "replies" / dialect],
        "count_reply": [golden / "replies" / dialect],
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


def build() -> Path:
    """Builds all targets; where they are."""
    said = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    triple = next(line.removeprefix("host: ") for line in said.splitlines() if line.startswith("host: "))
    folder = HERE / "target"
    where = ["--fuzz-dir", str(HERE), "--target", triple, "--target-dir", str(folder)]
    subprocess.run(["cargo", "+nightly", "fuzz", "build", *where], cwd=HERE, check=True)
    return folder / triple / "release"


def fuzz(built: Path, target: str, seconds: int) -> tuple[str, bool, str]:
    """Runs one target that is built: what to say of it, whether it was clean, and its output."""
    found = HERE / "artifacts" / target
    found.mkdir(parents=True, exist_ok=True)
    command = [str(built / target), str(corpus(target)), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048",
               "-max_len=65536", "-print_final_stats=1", f"-artifact_prefix={found}/"]
    before = time.monotonic()
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    took = time.monotonic() - before
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", run.stdout)
    if run.returncode == 0 and runs:
        return f"{target}: clean after {int(runs.group(1)):,} runs in {took:.0f} s", True, run.stdout
    return f"{target}: FAILED", False, run.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="targets at a time (a core each)")
    parser.add_argument("targets", nargs="*", help="all by default")
    arguments = parser.parse_args()
    if subprocess.run(["rustc", "+nightly", "--version"], capture_output=True).returncode != 0:
        print("missing: a nightly toolchain (rustup toolchain install nightly)", file=sys.stderr)
        return 1
    cargo_fuzz()
    targets = arguments.targets or sorted(path.stem for path in (HERE / "fuzz_targets").glob("*.rs"))
    built = build()
    clean = True
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for said, well, output in pool.map(lambda target: fuzz(built, target, arguments.seconds), targets):
            if not well:
                print(output[-4000:], file=sys.stderr)
            print(said, flush=True)
            clean = clean and well
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())

"""Finds what is under test: the binary `sluice`, the module, Envoy."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def _find(variable, candidates, make):
    chosen = os.environ.get(variable)
    if chosen:
        path = Path(chosen).resolve()
        if not path.is_file():
            pytest.exit(f"{variable}={chosen}: there is no such file", returncode=2)
        return path
    found = [path for path in candidates if path.is_file()]
    if not found:
        pytest.exit(f"{candidates[0]} is missing: run `{make}`, or name one with {variable}", returncode=2)
    return found[0]


def sluice():
    """The control plane, the simulator and the command line."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return _find("SLUICE_BINARY", [target / "debug" / "sluice", target / "release" / "sluice"], "make sluice")


def module():
    """The filter."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return _find("SLUICE_MODULE", [target / "wasm32-wasip1" / "wasm" / "sluice.wasm"], "make wasm")


def envoy():
    """Envoy."""
    return _find("ENVOY", [ROOT / ".envoy" / "1.40.0" / "envoy"], "make envoy")

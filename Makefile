# Sluice. `make help` lists what there is. Everything that is fetched or built stays inside the checkout.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

ENVOY ?= $(CURDIR)/.envoy/1.40.0/envoy
PYTHON ?= python3
TARGET := wasm32-wasip1
MODULE := target/$(TARGET)/wasm/sluice.wasm
VENV := .venv
PYTEST := $(VENV)/bin/python -m pytest
FUZZ_SECONDS ?= 60
export ENVOY

.PHONY: help tools run test lint unit wasm sluice envoy venv e2e sdk golden fuzz bench clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  \1\t/' | expand -t 12

tools: ## Check what the machine must have: Rust, Python 3, a C compiler
	@missing=0; \
	need() { command -v "$$1" >/dev/null 2>&1 || { echo "missing: $$2" >&2; missing=1; }; }; \
	need cargo "Rust (install rustup, then run this again)"; \
	need $(PYTHON) "Python 3.10 or newer, with pip and venv"; \
	need cc "a C compiler (gcc or clang)"; \
	[ $$missing = 0 ] || exit 1; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "missing: Python 3.10 or newer" >&2; exit 1; }; \
	$(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "missing: pip for Python 3" >&2; exit 1; }; \
	$(PYTHON) -c 'import venv, ensurepip' >/dev/null 2>&1 || { echo "missing: Python's venv module (Debian: python3-venv)" >&2; exit 1; }
	@[ -d "$$(rustc --print target-libdir --target $(TARGET))" ] || rustup target add $(TARGET) || \
	  { echo "missing: Rust's $(TARGET) target" >&2; exit 1; }

run: tools wasm sluice envoy ## Build, fetch Envoy, start everything with your vendors or simulated ones; Ctrl-C ends it
	@exec target/debug/sluice up --module $(MODULE) --envoy "$(ENVOY)"

test: tools lint unit e2e sdk ## Everything that must pass: lints, unit tests, real Envoy, official clients

lint: tools ## Formatting, and clippy without warnings on host and wasm
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy -p sluice --target $(TARGET) --locked -- -D warnings

unit: tools ## Host tests: units, golden files, chunking, properties, tidy, control plane
	cargo test --workspace --locked

wasm: tools ## Build the filter
	cargo build -p sluice --profile wasm --target $(TARGET) --locked

sluice: tools ## Build the control plane
	cargo build -p sluice-control-plane --locked

envoy: tools ## Put the pinned Envoy inside the checkout (ENVOY=/path uses another)
	@[ -x "$(ENVOY)" ] || env -u ENVOY $(PYTHON) envoy/fetch.py >/dev/null
	@[ -x "$(ENVOY)" ] || { echo "no Envoy at $(ENVOY)" >&2; exit 1; }

venv: tools ## Put the Python and Node clients for the tests inside the checkout
	@$(PYTHON) tests/venv.py

e2e: wasm sluice envoy venv ## End-to-end tests on real Envoy, in both deployments
	$(PYTEST) tests/e2e

sdk: wasm sluice envoy venv ## Official clients against real Envoy, by providers of every dialect; prints the table
	$(PYTEST) tests/sdk

golden: tools ## Rewrite the golden files from what the code does; review the diff
	SLUICE_BLESS=1 cargo test -p sluice --test golden --test matrix --locked

fuzz: tools ## Fuzz every decoder, FUZZ_SECONDS (60) each; needs a nightly toolchain
	$(PYTHON) tests/fuzz/run.py --seconds $(FUZZ_SECONDS)

bench: tools wasm envoy ## Sluice beside bare Envoy and a no-op filter, in one run (BENCH="--quick" for less)
	cargo build --release -p sluice-bench -p sluice-control-plane --locked
	cargo build -p sluice-bench-noop --profile wasm --target $(TARGET) --locked
	target/release/sluice-bench --envoy "$(ENVOY)" $(BENCH)

clean: ## Remove what was built and fetched
	rm -rf target .envoy $(VENV) tests/sdk/node/node_modules tests/fuzz/target

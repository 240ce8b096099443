"""`sluice up`, which `make run` starts: what it prints works as it is printed, twice, and Ctrl-C leaves nothing behind."""

import json
import os
import re
import signal
import subprocess
from contextlib import contextmanager

import httpx

from harness import locate
from harness.dialects import Anthropic, Gemini, Responses
from harness.process import Process, tail
from harness.waiting import until

# The vendors by the variables of their keys.
VENDORS = {
    "OPENAI_API_KEY": ("openai", "api.openai.com"),
    "ANTHROPIC_API_KEY": ("anthropic", "api.anthropic.com"),
    "GEMINI_API_KEY": ("gemini", "generativelanguage.googleapis.com"),
    "GROQ_API_KEY": ("groq", "api.groq.com"),
    "MISTRAL_API_KEY": ("mistral", "api.mistral.ai"),
    "DEEPSEEK_API_KEY": ("deepseek", "api.deepseek.com"),
    "XAI_API_KEY": ("xai", "api.x.ai"),
    "MINIMAX_API_KEY": ("minimax", "api.minimax.io"),
    "TOGETHER_API_KEY": ("together", "api.together.xyz"),
    "FIREWORKS_API_KEY": ("fireworks", "api.fireworks.ai"),
    "OPENROUTER_API_KEY": ("openrouter", "openrouter.ai"),
}
# What else would be taken for a vendor's credential.
OTHERS = [
    "GOOGLE_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "AWS_BEARER_TOKEN_BEDROCK", "AWS_SECRET_ACCESS_KEY",
    "AZURE_OPENAI_API_KEY",
]  # fmt: skip


class Up:
    """A running `sluice up` and what it printed."""

    def __init__(self, process, text):
        self.process = process
        self.text = text
        self.base_url = re.search(r"Base URL +(\S+)", text)[1]
        self.admin_url = re.search(r"Admin +(\S+)", text)[1]
        self.key = re.search(r"Key +(\S+)", text)[1]

    def curl_lines(self):
        """The commands, as a person would copy them."""
        return re.findall(r"^ *(curl (?:[^\n]*\\\n)*[^\n]*)", self.text, re.MULTILINE)

    def children(self):
        """The processes it started."""
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    def interrupt(self):
        """Ctrl-C; waits for its end."""
        children = self.children()
        assert children, "Envoy is its child"
        self.process._child.send_signal(signal.SIGINT)
        assert self.process._child.wait(30) == 0, tail(self.process.log)
        until("every process has ended", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children), 10)


@contextmanager
def up(directory, env=None):
    """Runs it on free ports, without the credentials of whoever runs the tests."""
    log = directory / "up.log"
    log.unlink(missing_ok=True)
    argv = [
        locate.sluice(), "up", "--state-dir", directory / "state", "--envoy", locate.envoy(), "--module", locate.module(),
        "--listen", "127.0.0.1:0", "--admin-address", "127.0.0.1:0", "--concurrency", "1",
    ]  # fmt: skip
    none = {name: "" for name in [*VENDORS, *OTHERS]}
    process = Process("sluice up", argv, log, env={**none, **(env or {})})
    try:
        process.wait_for("is up", lambda: "Ctrl-C ends it" in log.read_text(), 60)
        yield Up(process, log.read_text())
    finally:
        process.stop(30)


def answers(running):
    """Whether a printed command works."""
    return Responses.text(json.loads(run(running.curl_lines()[1])))


def run(command):
    """Runs a printed command in a shell."""
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


def test_what_it_prints_works_twice_and_ctrl_c_ends_everything(tmp_path):
    with up(tmp_path) as first:
        chat, *others = first.curl_lines()
        assert " -N" in chat
        events = [line for line in run(chat).splitlines() if line.startswith("data: ")]
        assert len(events) > 3 and events[-1] == "data: [DONE]"
        assert len(others) == 3
        for dialect, command in zip((Responses, Anthropic, Gemini), others):
            assert dialect.text(json.loads(run(command))), command
        token = (tmp_path / "state" / "admin-token").read_text().strip()
        rows = f"{first.admin_url}/admin/v1/usage"
        authorization = {"authorization": f"Bearer {token}"}
        until("all are in the ledger", lambda: len(httpx.get(rows, headers=authorization).json()["data"]) == 4, 10)
        first.interrupt()
    with up(tmp_path) as second:
        assert second.key == first.key
        assert answers(second)
        second.interrupt()


def test_every_simulated_vendor_answers(tmp_path):
    with up(tmp_path) as running:
        headers = {"x-api-key": running.key}
        served = set()
        for model in re.search(r"Models +(.*)", running.text)[1].split(", "):
            for provider in re.search(r"Providers +(.*)", running.text)[1].split(", "):
                served |= ask(f"{running.base_url}", headers, provider, model)
        providers = {provider for provider, _ in served}
        assert providers == {
            "openai-sim", "anthropic-sim", "gemini-sim", "bedrock-sim", "azure-sim", "vertex-sim", "vertex-claude-sim"
        }  # fmt: skip
        assert {operation for _, operation in served} == {"chat/completions", "embeddings", "images/generations"}
        running.interrupt()


def ask(base_url, headers, provider, model):
    """What a provider does with a model, as the pairs of itself and the operation."""
    bodies = {
        "chat/completions": {"messages": [{"role": "user", "content": "Hello"}]},
        "embeddings": {"input": "Hello"},
        "images/generations": {"prompt": "A cat"},
    }
    served = set()
    for operation, body in bodies.items():
        url = f"{base_url}/{operation}"
        reply = httpx.post(url, json={"model": f"{provider}/{model}", **body}, headers=headers, timeout=30)
        if reply.status_code == 200 and reply.headers["x-sluice-provider"] == provider:
            served.add((provider, operation))
    return served


def test_real_providers_are_configured_where_their_keys_are_known(tmp_path):
    with up(tmp_path, {name: f"test-{name}" for name in VENDORS}) as running:
        token = (tmp_path / "state" / "admin-token").read_text().strip()
        answer = httpx.get(f"{running.admin_url}/admin/v1/providers", headers={"authorization": f"Bearer {token}"})
        providers = {row["name"]: row for row in answer.json()["data"]}
        hosts = {name: row["base_url"].split("/")[2] for name, row in providers.items()}
        assert hosts == dict(VENDORS.values())
        assert providers["anthropic"]["dialect"] == "anthropic" and providers["anthropic"]["auth"]["name"] == "x-api-key"
        assert all(row["secret_set"] for row in providers.values())
        assert "test-OPENAI_API_KEY" not in answer.text and "test-OPENAI_API_KEY" not in running.text
        models = httpx.get(f"{running.base_url}/models", headers={"x-api-key": running.key}).json()["data"]
        assert models
        running.interrupt()


def test_what_cannot_be_used_is_told_and_not_shown(tmp_path):
    with up(tmp_path, {"AWS_SECRET_ACCESS_KEY": "not-to-be-seen", "AWS_REGION": "", "AWS_DEFAULT_REGION": ""}) as running:
        assert "Not used: AWS_SECRET_ACCESS_KEY is set, and AWS_REGION is not" in running.text
        assert "not-to-be-seen" not in running.text
        assert answers(running), "the simulator stands in"
        running.interrupt()


def test_a_run_that_was_killed_leaves_nothing_in_the_way(tmp_path):
    with up(tmp_path) as first:
        (orphan,) = first.children()
        first.process._child.kill()
        first.process._child.wait(10)
        assert _runs(orphan)
    with up(tmp_path) as second:
        until("its Envoy has ended", lambda: not _runs(orphan), 10)
        assert answers(second)
        second.interrupt()


def _runs(pid):
    """Whether it runs: what has ended has no command line, even if nobody has waited for it."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return bool(file.read())
    except OSError:
        return False


def test_a_state_directory_is_used_by_one_at_a_time(tmp_path):
    with up(tmp_path) as first:
        for command in (["up", "--envoy", locate.envoy(), "--module", locate.module()], ["serve"]):
            addresses = ["--listen", "127.0.0.1:0", "--admin-address", "127.0.0.1:0", "--xds-address", "127.0.0.1:0"]
            argv = [locate.sluice(), *command, "--state-dir", tmp_path / "state", *addresses]
            second = subprocess.run(argv, capture_output=True, text=True, timeout=30)
            assert second.returncode == 1 and "--state-dir" in second.stderr, second.stderr
        assert answers(first)
        first.interrupt()

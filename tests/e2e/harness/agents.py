"""Sessions of agents, recorded as their makers publish them: `tests/e2e/agents`."""

import json
from dataclasses import dataclass
from pathlib import Path

from . import dialects

FOLDER = Path(__file__).resolve().parents[1] / "agents"


@dataclass(frozen=True)
class Recorded:
    """One request of a session."""

    name: str
    method: str
    path: str
    headers: dict
    # The exact text; `None` without one.
    body: str | None

    @property
    def json(self):
        """The body."""
        return json.loads(self.body)

    @property
    def streams(self):
        """Whether the agent wants a stream."""
        return "stream" in self.path.lower() or bool(self.json.get("stream"))

    @property
    def counts(self):
        """Whether tokens are to be counted, and nothing said."""
        return "count" in self.path.lower()

    @property
    def model(self):
        """The model it names, in body or path."""
        return self.path.split("/models/")[1].split(":")[0] if "/models/" in self.path else self.json["model"]

    def sent(self, token):
        """The headers, with a key."""
        return {name: value.replace("{key}", token) for name, value in self.headers.items()}


@dataclass(frozen=True)
class Agent:
    """An agent: what it speaks, and what it is."""

    name: str
    client: type

    def requests(self):
        """All requests of its session."""
        for file in sorted((FOLDER / self.name).glob("*.json")):
            request = json.loads(file.read_text())
            body = request.get("body")
            yield Recorded(file.stem.split("_", 1)[1], request["method"], request["path"], request["headers"], body)

    def request(self, name):
        """One of them."""
        (request,) = (request for request in self.requests() if request.name == name)
        return request

    def chats(self):
        """Those that a model answers."""
        return [request for request in self.requests() if request.body is not None and not request.counts]

    def counts(self):
        """Those that count."""
        return [request for request in self.requests() if request.body is not None and request.counts]

    def send(self, scene, key, request, body=None, path=None):
        """Sends a request as the agent does, or with a body or a path of its own."""
        sent = request.body if body is None else body
        return scene.gateway.send(path or request.path, sent, request.sent(key.token), method=request.method)


CLAUDE_CODE = Agent("claude_code", dialects.Anthropic)
CODEX = Agent("codex", dialects.Responses)
CLINE = Agent("cline_openai", dialects.Openai)
CLINE_CLAUDE = Agent("cline_anthropic", dialects.Anthropic)
GEMINI_CLI = Agent("gemini_cli", dialects.Gemini)
ALL = [CLAUDE_CODE, CODEX, CLINE, CLINE_CLAUDE, GEMINI_CLI]

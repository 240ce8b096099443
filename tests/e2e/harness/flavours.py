"""The kinds of providers that a stack has: whose API the simulator plays, and how Sluice is told to use it.

`path` is what follows the simulator's address in the base URL; `upstream` is a model that all providers of a kind serve.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Flavour:
    """One kind of provider."""

    name: str
    # The simulator's.
    api: str
    # Sluice's.
    dialect: str
    # Names begin with it.
    prefix: str
    count: int
    upstream: str
    path: str = ""
    more: dict = field(default_factory=dict)

    def names(self):
        """Its providers."""
        return [f"{self.prefix}-{index:02}" for index in range(self.count)]

    def credential(self, name):
        """What the simulator asks for."""
        secret = f"sk-{name}"
        return {"bedrock": f"{ACCESS_KEY}:{secret}", "vertex": f"ya29.{name}"}.get(self.api, secret)

    def auth(self, name):
        """What Sluice sends."""
        secret = f"sk-{name}"
        if self.api == "bedrock":
            aws = {"access_key_id": ACCESS_KEY, "region": "us-east-1"}
            return {"kind": "aws_sigv4", "secret": secret, "aws": aws}
        header = {"anthropic": "x-api-key", "gemini": "x-goog-api-key", "azure": "api-key"}.get(self.api)
        if header:
            return {"kind": "header", "name": header, "secret": secret}
        return {"kind": "bearer", "secret": self.credential(name)}

    def spec(self, name, base_url):
        """Its configuration."""
        # The simulator's own base URLs are those of the vendors' SDKs.
        base_url = base_url.rstrip("/") + self.path
        return {"name": name, "dialect": self.dialect, "base_url": base_url, "auth": self.auth(name), **self.more}


ACCESS_KEY = "AKIAIOSFODNN7SLUICE0"
_PROJECT = "/v1/projects/sluice-e2e/locations/us-east5"
_VERTEX = {"vendor": {"kind": "vertex"}}
_AZURE = {"vendor": {"kind": "azure", "api_version": "2024-10-21"}}

OPENAI = Flavour("openai", "openai", "openai", "oai", 36, "gpt-4o")
ANTHROPIC = Flavour("anthropic", "anthropic", "anthropic", "ant", 18, "claude-sonnet-4-5")
RESPONSES = Flavour("responses", "openai", "responses", "rsp", 8, "gpt-4o")
GEMINI = Flavour("gemini", "gemini", "gemini", "gem", 8, "gemini-2.5-flash", "/v1beta")
BEDROCK = Flavour("bedrock", "bedrock", "bedrock", "bdr", 8, "us.anthropic.claude-sonnet-4-5-20250929-v1:0")
AZURE = Flavour("azure", "azure", "openai", "azr", 4, "gpt-4o", more=_AZURE)
VERTEX = Flavour("vertex", "vertex", "gemini", "vtx", 4, "gemini-2.5-flash", _PROJECT, _VERTEX)
VERTEX_CLAUDE = Flavour(
    "vertex-claude", "vertex", "anthropic", "vtc", 4, "claude-sonnet-4-5@20250929", _PROJECT, _VERTEX
)

ALL = [OPENAI, ANTHROPIC, RESPONSES, GEMINI, BEDROCK, AZURE, VERTEX, VERTEX_CLAUDE]
BY_NAME = {flavour.name: flavour for flavour in ALL}


def of(name):
    """The flavour of a provider, by its name."""
    (flavour,) = (each for each in ALL if name.rsplit("-", 1)[0] == each.prefix)
    return flavour

"""Writes all sessions."""

import json
import shutil
from pathlib import Path

from . import claude_code, cline, codex, gemini_cli
from .book import stringify

ROOT = Path(__file__).resolve().parents[1]


class Book:
    """One agent's session."""

    def __init__(self, agent):
        self._folder = ROOT / agent
        self._count = 0
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()

    def add(self, name, method, path, headers, body):
        """One more request, its body as the client's own library writes it."""
        request = {"method": method, "path": path, "headers": headers}
        if body is not None:
            request["body"] = stringify(body)
        file = self._folder / f"{self._count:02}_{name}.json"
        file.write_text(json.dumps(request, indent=1, ensure_ascii=False) + "\n")
        self._count += 1


for agent, record in [
    ("claude_code", claude_code.record),
    ("codex", codex.record),
    ("cline_openai", cline.record_openai),
    ("cline_anthropic", cline.record_anthropic),
    ("gemini_cli", gemini_cli.record),
]:
    record(Book(agent))

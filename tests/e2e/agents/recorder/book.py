"""What all sessions are made of: long prompts, many tools, files that were read, and the simulator's own proofs.

Invariant: nothing here is random; writing the sessions twice gives the same bytes.
"""

import base64
import hashlib
import json

SUBJECTS = ["the build", "a test", "a migration", "the parser", "a commit", "an error message", "the cache", "a module"]
VERBS = ["explain", "keep", "question", "measure", "shorten", "review", "isolate", "name"]
MANNERS = [
    "before anything that depends on it is touched",
    "in the words that the project already uses",
    "once, at the place where a reader will look for it",
    "only when the user has asked for it",
    'as "quoted text", with back\\slashes and <angle brackets> & ampersands left alone',
    "even where it seems obvious — naïve guesses cost more than a question 🙂",
]
SESSION = "7b0e4a52-6c1d-4f0e-9f8e-0d7c5a3b2e11"
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def stringify(value):
    """JSON as JavaScript and Rust clients write it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def prompt(title, size):
    """A long system prompt."""
    lines, number = [f"# {title}", ""], 0
    while sum(map(len, lines)) < size:
        subject, verb = SUBJECTS[number % 8], VERBS[(number // 3) % 8]
        if number % 12 == 0:
            lines += ["", f"## Part {number // 12 + 1}: {subject}", ""]
        lines.append(f"{number + 1}. You {verb} {subject} {MANNERS[number % 6]}.")
        number += 1
    return "\n".join(lines)


def source(name, lines):
    """A source file, numbered as agents number what they read."""
    return "\n".join(f"{at:>6}\tfn {name}_{at}(input: &str) -> Option<u64> {{ input.get({at}..)?.parse().ok() }}" for at in range(1, lines))


def description(name):
    """A tool's description, as long as real ones are."""
    rules = "\n".join(f"- {name} is to {VERBS[(at + len(name)) % 8]} {SUBJECTS[at % 8]} {MANNERS[at % 4]}." for at in range(9))
    return f"What {name} does for the user, and how it is to be used.\n\nUsage:\n{rules}"


def text(about, **more):
    """The schema of a text."""
    return {"type": "string", "description": about, **more}


def schema(required, **properties):
    """The schema of an object, as schema libraries write it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def digest(salt, value):
    """How the simulator signs."""
    return hashlib.sha256((salt + value).encode()).digest()


def claude_signature(thinking):
    """What proves thinking to the simulator's Anthropic and Bedrock."""
    return base64.b64encode(digest("thinking of the provider simulator", thinking)).decode()


def gemini_signature(seed):
    """What proves a thought to the simulator's Gemini; the seed has 24 letters."""
    return base64.b64encode(seed.encode() + digest("thoughts of the provider simulator", seed)).decode()


def sealed(identity, reasoning):
    """What proves reasoning to the simulator's Responses API."""
    body = base64.urlsafe_b64encode(f"{identity}\n{reasoning}".encode()).decode()
    mark = base64.urlsafe_b64encode(digest("reasoning of the provider simulator", body)).decode()
    return f"gAAAAAB{mark}.{body}"

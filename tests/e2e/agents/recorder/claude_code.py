"""Claude Code: Anthropic Messages as a gateway gets them at `ANTHROPIC_BASE_URL`."""

from .book import PIXEL, SESSION, claude_signature, description, prompt, schema, source, stringify, text

MAIN, SMALL, CURRENT = "claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-8"
BETAS = [
    "claude-code-20250219",
    "interleaved-thinking-2025-05-14",
    "thinking-token-count-2026-05-13",
    "context-management-2025-06-27",
    "prompt-caching-scope-2026-01-05",
]
NEWER = ["mid-conversation-system-2026-04-07", "effort-2025-11-24", "extended-cache-ttl-2025-04-11"]
HOUR = {"type": "ephemeral", "ttl": "1h"}
SHORT = {"type": "ephemeral"}
DEVICE = "5f0c1e9d" * 8
USER = {"user_id": stringify({"device_id": DEVICE, "account_uuid": "", "session_id": SESSION})}
KEEP = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
ATTRIBUTION = "x-anthropic-billing-header: cc_version=2.1.278.abc; cc_entrypoint=cli;"
REMINDER = "<system-reminder>\nThe list of things to do is empty at the moment. Do not mention this.\n</system-reminder>"


def headers(betas, agent=None):
    """What the client and the official SDK beneath it send."""
    sent = {
        "accept": "application/json",
        "anthropic-beta": ",".join(betas),
        "anthropic-dangerous-direct-browser-access": "true",
        "anthropic-version": "2023-06-01",
        "authorization": "Bearer {key}",
        "content-type": "application/json",
        "user-agent": "claude-cli/2.1.278 (external, cli)",
        "x-app": "cli",
        "x-claude-code-session-id": SESSION,
        "x-stainless-arch": "x64",
        "x-stainless-lang": "js",
        "x-stainless-os": "Linux",
        "x-stainless-package-version": "0.94.0",
        "x-stainless-retry-count": "0",
        "x-stainless-runtime": "node",
        "x-stainless-runtime-version": "v24.3.0",
        "x-stainless-timeout": "600",
        "accept-encoding": "gzip, deflate, br, zstd",
    }
    return sent | ({"x-claude-code-agent-id": agent} if agent else {})


def tool(name, required, **properties):
    """A tool of the client's own."""
    return {"name": name, "description": description(name), "input_schema": schema(required, **properties)}


def tools():
    """The client's own tools, and those of a server that the user has added."""
    path = text("An absolute path")
    count = {"type": "integer", "exclusiveMinimum": 0, "maximum": 9007199254740991}
    todo = schema(
        ["content", "status", "activeForm"],
        content={"type": "string", "minLength": 1},
        status={"type": "string", "enum": ["pending", "in_progress", "completed"]},
        activeForm={"type": "string", "minLength": 1},
    )
    del todo["$schema"]
    option = {
        "type": "object",
        "properties": {"label": text("What is chosen"), "description": text("What it means")},
        "required": ["label", "description"],
        "additionalProperties": False,
    }
    question = {
        "type": "object",
        "properties": {
            "question": text("What to ask"),
            "options": {"type": "array", "items": option, "minItems": 2, "maxItems": 4},
            "multiSelect": {"type": "boolean", "default": False},
        },
        "required": ["question", "options"],
        "additionalProperties": False,
    }
    own = [
        tool("Agent", ["description", "prompt"], description=text("A few words"), prompt=text("The task"),
             model=text("Which", enum=["sonnet", "opus", "haiku"]), run_in_background={"type": "boolean"}),
        tool("TaskOutput", ["task_id"], task_id=text("Which"), block={"type": "boolean", "default": True},
             timeout={"type": "number", "minimum": 0, "maximum": 600000, "default": 30000}),
        tool("Bash", ["command"], command=text("What to run"), timeout={"type": "number"},
             description=text("What it does, in a few words"), run_in_background={"type": "boolean"}),
        tool("Glob", ["pattern"], pattern=text("Such as **/*.rs"), path=path),
        tool("Grep", ["pattern"], pattern=text("A regular expression"), path=path, glob=text("Which files"),
             output_mode=text("What to show", enum=["content", "files_with_matches", "count"]),
             **{"-A": {"type": "number"}, "-i": {"type": "boolean"}}, multiline={"type": "boolean"}),
        tool("ExitPlanMode", []) | {"input_schema": schema([]) | {"additionalProperties": {}}},
        tool("Read", ["file_path"], file_path=path, offset=count, limit=count, pages=text("Of a PDF")),
        tool("Edit", ["file_path", "old_string", "new_string"], file_path=path, old_string=text("Before"),
             new_string=text("After"), replace_all={"type": "boolean", "default": False}),
        tool("Write", ["file_path", "content"], file_path=path, content=text("All of it")),
        tool("NotebookEdit", ["notebook_path", "new_source"], notebook_path=path, new_source=text("The cell"),
             cell_type=text("Of which kind", enum=["code", "markdown"])),
        tool("WebFetch", ["url", "prompt"], url={"type": "string", "format": "uri"}, prompt=text("What to find")),
        tool("WebSearch", ["query"], query={"type": "string", "minLength": 2},
             allowed_domains={"type": "array", "items": {"type": "string"}}),
        tool("TodoWrite", ["todos"], todos={"type": "array", "items": todo}),
        tool("KillShell", ["shell_id"], shell_id=text("Which")),
        tool("AskUserQuestion", ["questions"], questions={"type": "array", "items": question, "minItems": 1},
             answers={"type": "object", "propertyNames": {"type": "string"}, "additionalProperties": {"type": "string"}}),
        tool("Skill", ["skill"], skill=text("Its name"), args=text("Its arguments")),
        tool("EnterPlanMode", []),
        tool("ListMcpResourcesTool", [], server=text("Whose")),
        tool("ReadMcpResourceTool", ["server", "uri"], server=text("Whose"), uri=text("Which")),
    ]  # fmt: skip
    assignee = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}
    added = [
        {"name": "mcp__tracker__create_issue", "description": description("create_issue"), "input_schema": {
            "type": "object", "required": ["title", "kind"], "$defs": {"Kind": {"enum": ["bug", "idea"], "type": "string"}},
            "properties": {"title": {"type": "string", "maxLength": 200}, "kind": {"$ref": "#/$defs/Kind"},
                           "assignee": assignee, "labels": {"type": ["array", "null"], "items": {"type": "string"}}}}},
        {"name": "mcp__tracker__search", "description": description("search"), "input_schema": {
            "type": "object", "properties": {"since": {"type": "string", "format": "date-time"},
                                             "state": {"const": "open"}, "id": {"oneOf": [{"type": "integer"}, {"type": "string"}]}}}},
        {"name": "mcp__tracker__ping", "description": "", "input_schema": {"type": "object", "properties": {}}},
    ]  # fmt: skip
    return own + added


def system(task="Interactive agent for software engineering", size=26_000, marker=SHORT):
    """The attribution block, who the model is, and the rules."""
    return [
        {"type": "text", "text": ATTRIBUTION},
        {"type": "text", "text": "You are an agent at a terminal.", "cache_control": marker},
        {"type": "text", "text": prompt(task, size), "cache_control": marker},
    ]


def thinking(words):
    """A block of signed thinking."""
    return {"type": "thinking", "thinking": words, "signature": claude_signature(words)}


def use(number, name, **arguments):
    """A call."""
    return {"type": "tool_use", "id": f"toolu_01{number:022}", "name": name, "input": arguments}


def result(number, content, **more):
    """Its result."""
    return {"tool_use_id": f"toolu_01{number:022}", "type": "tool_result", "content": content, **more}


def said(words):
    """A block of text."""
    return {"type": "text", "text": words}


def history():
    """The conversation, one list of messages for each request of the main loop."""
    opening = {"role": "user", "content": [
        said("<system-reminder>\nAs you answer, know that the repository is at /home/dev/parser; 2026-11-20.\n</system-reminder>"),
        said("Why does the parser fail? [[think:Two files to read first.]][[say:Let me look.]]"
             '[[tool:Read {"file_path":"/home/dev/parser/src/lib.rs"}]][[tool:Grep {"pattern":"unwrap","output_mode":"content","-A":2}]]'),
    ]}  # fmt: skip
    turns = [[opening]]
    looks = {"role": "assistant", "content": [
        thinking("Two files to read first."), said("Let me look."),
        use(1, "Read", file_path="/home/dev/parser/src/lib.rs"), use(2, "Grep", pattern="unwrap", output_mode="content", **{"-A": 2}),
    ]}  # fmt: skip
    read = {"role": "user", "content": [
        result(1, source("parse", 120)),
        result(2, [said("src/lib.rs:12: let id = 12345678901234567890;"), said("src/lib.rs:13: id.unwrap()")]),
        said(REMINDER),
        said('[[think:Run the tests.]][[tool:Bash {"command":"cargo test","timeout":120000}]]'),
    ]}  # fmt: skip
    turns.append([*turns[-1], looks, read])
    runs = {"role": "assistant", "content": [thinking("Run the tests."), use(3, "Bash", command="cargo test", timeout=120000)]}
    fails = {"role": "user", "content": [
        result(3, "Exit code 101\nerror[E0277]: `?` couldn't convert the error\n  --> src/lib.rs:12", is_error=True),
        said('[[think:A picture may tell.]][[tool:Read {"file_path":"/home/dev/parser/shot.png"}]]'),
    ]}  # fmt: skip
    turns.append([*turns[-1], runs, fails])
    looks_again = {"role": "assistant", "content": [thinking("A picture may tell."), use(4, "Read", file_path="/home/dev/parser/shot.png")]}
    seen = {"role": "user", "content": [
        result(4, [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}]),
        said("[[say:I see.]]"),
    ]}  # fmt: skip
    turns.append([*turns[-1], looks_again, seen])
    long, number = list(turns[-1]), 5
    long.append({"role": "assistant", "content": [said("I see.")]})
    long.append({"role": "user", "content": "Then mend it, file by file."})
    for at in range(6):
        words = f"Step {at + 1}: edit, then look whether it holds."
        long.append({"role": "assistant", "content": [
            thinking(words), said(f"File {at + 1}."),
            use(number, "Edit", file_path=f"/home/dev/parser/src/part{at}.rs", old_string="x.unwrap()", new_string="x?"),
            use(number + 1, "TodoWrite", todos=[{"content": f"Mend {at}", "status": "in_progress", "activeForm": "Mending"}]),
        ]})  # fmt: skip
        long.append({"role": "user", "content": [result(number, source(f"part{at}", 40)), result(number + 1, "Todos have been modified")]})
        number += 2
    long[-1]["content"].append(said("[[think:All done.]][[say:All files are mended.]]"))
    turns.append(long)
    return turns


def marked(messages):
    """The messages, the last block of the last two by the user marked for the cache."""
    marked, left = [], 2
    for message in reversed(messages):
        if message["role"] == "user" and left and not isinstance(message["content"], str):
            left -= 1
            *before, last = message["content"]
            message = {"role": "user", "content": [*before, {**last, "cache_control": SHORT}]}
        marked.append(message)
    return marked[::-1]


def main(messages, **changes):
    """A request of the main loop."""
    return {
        "model": MAIN, "messages": marked(messages), "system": system(), "tools": tools(), "metadata": USER,
        "max_tokens": 32000, "thinking": {"budget_tokens": 31999, "type": "enabled"},
        "context_management": KEEP, "stream": True, **changes,
    }  # fmt: skip


def record(book):
    """The session."""
    messages, count = "/v1/messages?beta=true", "/v1/messages/count_tokens?beta=true"
    plain = headers(BETAS)
    book.add("probe", "HEAD", "/", {"user-agent": "Bun/1.3.4", "accept": "*/*"}, None)
    discovery = {name: plain[name] for name in ("anthropic-version", "authorization", "user-agent")}
    book.add("models", "GET", "/v1/models?limit=1000", discovery, None)
    quota = {"model": SMALL, "max_tokens": 1, "messages": [{"role": "user", "content": "quota"}], "metadata": USER}
    book.add("quota", "POST", messages, plain, quota)
    title = {"type": "json_schema", "schema": {
        "type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"], "additionalProperties": False}}  # fmt: skip
    book.add("title", "POST", messages, headers(["structured-outputs-2025-12-15", *BETAS]), {
        "model": SMALL, "messages": [{"role": "user", "content": [said("Why does the parser fail?")]}],
        "system": system("Titles for conversations", 900)[:1] + [said("Write a title of three to seven words, as JSON.")],
        "tools": [], "metadata": USER, "max_tokens": 32000, "temperature": 1, "output_config": {"format": title}, "stream": True})  # fmt: skip
    turns = history()
    counted = {"model": MAIN, "messages": [{"role": "user", "content": "foo"}], "tools": tools()}
    book.add("count_tools", "POST", count, headers([*BETAS, "token-counting-2024-11-01"]), counted)
    for name, turn in zip(["first", "parallel_results", "failed_result", "image_result", "long"], turns, strict=True):
        book.add(name, "POST", messages, plain, main(turn))
    whole = {"model": MAIN, "messages": turns[-1], "thinking": {"type": "enabled", "budget_tokens": 1024}}
    book.add("count_long", "POST", count, headers([*BETAS, "token-counting-2024-11-01"]), whole)
    task = [{"role": "user", "content": [said("Find all callers. [[say:There are three.]]")]}]
    some = [tool for tool in tools() if tool["name"] in ("Bash", "Glob", "Grep", "Read")]
    book.add("subagent", "POST", messages, headers(BETAS, "a1b2c3d4e5f60718"), {
        "model": SMALL, "messages": marked(task), "system": system("Agent for searching files", 8_000), "tools": some,
        "metadata": USER, "max_tokens": 32000, "temperature": 1, "stream": True})  # fmt: skip
    search = [{"type": "web_search_20250305", "name": "web_search", "max_uses": 8}]
    book.add("web_search", "POST", messages, plain, {
        "model": MAIN, "messages": [{"role": "user", "content": [said("Perform a web search: rust 2027 edition [[say:Nothing yet.]]")]}],
        "system": system("Assistant for web searches", 600), "tools": search, "metadata": USER, "max_tokens": 32000,
        "thinking": {"type": "disabled"}, "stream": True})  # fmt: skip
    asks = [*turns[-1], {"role": "assistant", "content": [said("All files are mended.")]},
            {"role": "user", "content": [said("Sum up. [[say:Six files were mended.]]")]}]  # fmt: skip
    book.add("compact", "POST", messages, plain, main(asks, system=system("Summaries of conversations", 400), max_tokens=20000,
                                                      thinking={"budget_tokens": 19999, "type": "enabled"}))  # fmt: skip
    later = [{"role": "system", "content": "<system-reminder>\nThe user works on branch mend. [[say:no]]\n</system-reminder>"}]
    own = [{**each, "eager_input_streaming": True} for each in tools()]
    book.add("newest_model", "POST", messages, headers([*BETAS, *NEWER, "fine-grained-tool-streaming-2025-05-14"]), {
        "model": CURRENT, "messages": [*turns[1], *later], "system": system(marker=HOUR), "tools": own, "metadata": USER,
        "max_tokens": 64000, "thinking": {"type": "adaptive"}, "context_management": KEEP,
        "output_config": {"effort": "high"}, "stream": True})  # fmt: skip

"""Codex CLI: OpenAI Responses, as its open source writes them for a provider of `wire_api = "responses"`."""

from .book import PIXEL, SESSION, description, prompt, sealed, source, stringify, text

MODEL = "gpt-5"
GRAMMAR = """start: begin_patch hunk+ end_patch
begin_patch: "*** Begin Patch" LF
end_patch: "*** End Patch" LF?
hunk: "*** Update File: " filename LF change+
filename: /(.+)/
change: ("+" | "-" | " ") /(.*)/ LF
%import common.LF
"""
TURN = stringify({"turn_id": "019a1f60-0001-7000-8000-000000000001", "sandbox": "seccomp"})


def headers():
    """What the client sends."""
    return {
        "accept": "text/event-stream",
        "authorization": "Bearer {key}",
        "content-type": "application/json",
        "originator": "codex_cli_rs",
        "session-id": SESSION,
        "thread-id": SESSION,
        "user-agent": "codex_cli_rs/0.144.1 (Ubuntu 24.4.0; x86_64) xterm-256color",
        "version": "0.144.1",
        "x-client-request-id": SESSION,
        "x-codex-beta-features": "terminal_resize_reflow",
        "x-codex-turn-metadata": TURN,
        "x-codex-window-id": f"{SESSION}:0",
    }


def function(name, required, strict=False, **properties):
    """A tool of the client's own."""
    parameters = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"type": "function", "name": name, "description": description(name), "strict": strict, "parameters": parameters}


def tools():
    """The client's own tools, one of the vendor's, and those of a server that the user has added."""
    step = {
        "type": "object",
        "properties": {"step": {"type": "string"}, "status": text("How far it is")},
        "required": ["step", "status"],
        "additionalProperties": False,
    }
    syntax = {"type": "grammar", "syntax": "lark", "definition": GRAMMAR}
    own = [
        function("exec_command", ["cmd"], cmd=text("What to run"), workdir=text("Where"), tty={"type": "boolean"},
                 yield_time_ms={"type": "number"}, max_output_tokens={"type": "number"}),
        function("write_stdin", ["session_id"], session_id={"type": "number"}, chars=text("What to type")),
        function("update_plan", ["plan"], explanation={"type": "string"}, plan={"type": "array", "items": step}),
        function("request_user_input", ["questions"], questions={"type": "array", "items": {"type": "string"}}),
        {"type": "custom", "name": "apply_patch", "description": description("apply_patch"), "format": syntax},
        {"type": "web_search", "external_web_access": False},
        function("view_image", ["path"], path=text("An absolute path")),
        function("list_mcp_resources", [], server={"type": "string"}, cursor={"type": "string"}),
        function("list_mcp_resource_templates", [], server={"type": "string"}, cursor={"type": "string"}),
        function("read_mcp_resource", ["server", "uri"], server={"type": "string"}, uri={"type": "string"}),
    ]  # fmt: skip
    added = [function(f"mcp__tracker__{name}", ["id"], id=text("Of the issue"), note=text("What to say"))
             for name in ("create", "read", "close", "label", "assign", "search", "link", "comment", "watch", "list")]  # fmt: skip
    return own + added


def message(role, *parts):
    """A turn."""
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": part} for part in parts]}


def reasoning(number, words):
    """Reasoning that is kept on the client's side."""
    proof = sealed(f"rs_{number:02}", words)
    return {"type": "reasoning", "summary": [{"type": "summary_text", "text": words}], "content": None, "encrypted_content": proof}


def call(number, name, **arguments):
    """A call."""
    return {"type": "function_call", "name": name, "arguments": stringify(arguments), "call_id": f"call_{number:024}"}


def output(number, said):
    """Its result."""
    return {"type": "function_call_output", "call_id": f"call_{number:024}", "output": said}


def history():
    """The input of each request."""
    context = "<environment_context>\n  <cwd>/home/dev/parser</cwd>\n  <shell>bash</shell>\n</environment_context>"
    opening = [
        message("developer", prompt("Permissions", 2_500)),
        message("user", "# AGENTS.md for /home/dev/parser\n\nKeep functions short.", context),
        message("user", "Why does the parser fail? [[think:Look first.]]"
                        '[[tool:exec_command {"cmd":"sed -n 1,120p src/lib.rs"}]][[tool:update_plan {"plan":[{"step":"look","status":"in_progress"}]}]]'),
    ]  # fmt: skip
    turns = [opening]
    turns.append([*turns[-1], reasoning(1, "Look first."), call(1, "exec_command", cmd="sed -n 1,120p src/lib.rs"),
                  call(2, "update_plan", plan=[{"step": "look", "status": "in_progress"}]),
                  output(1, "Exit code: 0\nWall time: 0.1 seconds\nOutput:\n" + source("parse", 120)), output(2, "Plan updated"),
                  message("user", '[[think:Patch it.]][[tool:apply_patch {"input":"*** Begin Patch\\n*** End Patch\\n"}]]')])  # fmt: skip
    patch = "*** Begin Patch\n*** Update File: src/lib.rs\n-    x.unwrap()\n+    x? // 12345678901234567890\n*** End Patch\n"
    turns.append([*turns[-1], reasoning(2, "Patch it."), {"type": "custom_tool_call", "status": "completed", "call_id": f"call_{3:024}",
                                                          "name": "apply_patch", "input": patch},
                  {"type": "custom_tool_call_output", "call_id": f"call_{3:024}", "output": stringify({"output": "Success.", "metadata": {"exit_code": 0}})},
                  message("user", '[[tool:view_image {"path":"/home/dev/parser/shot.png"}]]')])  # fmt: skip
    image = [{"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"}]
    turns.append([*turns[-1], call(4, "view_image", path="/home/dev/parser/shot.png"), output(4, image), message("user", "[[say:I see.]]")])
    long = [*turns[-1], message("assistant", "I see."), message("user", "Then mend the rest.")]
    for at in range(6):
        number = 10 + at
        long += [reasoning(number, f"Step {at}."), call(number, "exec_command", cmd=f"cat src/part{at}.rs"), output(number, source(f"part{at}", 40))]
    turns.append([*long, message("user", "[[think:All done.]][[say:All files are mended.]]")])
    return turns


def request(items, **changes):
    """A request."""
    return {
        "model": MODEL, "instructions": prompt("Coding agent", 22_000), "input": items, "tools": tools(), "tool_choice": "auto",
        "parallel_tool_calls": True, "reasoning": {"effort": "medium", "summary": "auto"}, "store": False, "stream": True,
        "include": ["reasoning.encrypted_content"], "prompt_cache_key": SESSION, "text": {"verbosity": "low"},
        "client_metadata": {"x-codex-installation-id": "11111111-2222-4333-8444-555555555555"}, **changes,
    }  # fmt: skip


def record(book):
    """The session."""
    known = {name: headers()[name] for name in ("authorization", "originator", "user-agent", "version")}
    book.add("models", "GET", "/v1/models?client_version=0.144.1", known, None)
    turns = history()
    for name, turn in zip(["first", "parallel_results", "custom_tool", "image_result", "long"], turns, strict=True):
        book.add(name, "POST", "/v1/responses", headers(), request(turn))
    schema = {"type": "object", "properties": {"done": {"type": "boolean"}}, "required": ["done"], "additionalProperties": False}
    shape = {"type": "json_schema", "strict": True, "schema": schema, "name": "codex_output_schema"}
    book.add("output_schema", "POST", "/v1/responses", headers(),
             request([*turns[0][:2], message("user", "Is it done?")], text={"verbosity": "low", "format": shape}))  # fmt: skip
    book.add("compact", "POST", "/v1/responses", headers(),
             request([*turns[-1], message("assistant", "All files are mended."), message("user", "Hand over. [[say:Six files.]]")], tools=[]))  # fmt: skip

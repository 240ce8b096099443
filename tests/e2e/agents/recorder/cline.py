"""Cline: OpenAI Chat Completions ("OpenAI Compatible") and Anthropic Messages, as its open source writes them."""

from .book import PIXEL, claude_signature, description, prompt, source, stringify, text

CHAT, CLAUDE = "gpt-4o", "claude-sonnet-4-5"
STAINLESS = {
    "accept": "application/json",
    "content-type": "application/json",
    "x-stainless-arch": "x64",
    "x-stainless-lang": "js",
    "x-stainless-os": "Linux",
    "x-stainless-retry-count": "0",
    "x-stainless-runtime": "node",
    "x-stainless-runtime-version": "v22.19.0",
    "accept-encoding": "gzip, deflate",
}
ENVIRONMENT = "<environment_details>\n# Visual Studio Code Visible Files\nsrc/lib.rs\n\n# Current Mode\nACT MODE\n</environment_details>"


def parameters():
    """The tools: name and parameters."""
    path = text("A path relative to the workspace")
    many = {
        "execute_command": {"command": text("What to run"), "requires_approval": {"type": "boolean"}},
        "read_file": {"path": path},
        "write_to_file": {"path": path, "content": text("All of it")},
        "replace_in_file": {"path": path, "diff": text("Blocks of what to find and what to put there")},
        "search_files": {"path": path, "regex": text("Of Rust's kind"), "file_pattern": text("A glob")},
        "list_files": {"path": path, "recursive": {"type": "boolean"}},
        "list_code_definition_names": {"path": path},
        "browser_action": {"action": text("Which", enum=["launch", "click", "type", "close"]), "url": text("Where")},
        "web_fetch": {"url": text("Where"), "prompt": text("What to find")},
        "web_search": {"query": text("What to find")},
        "ask_followup_question": {"question": text("What to ask"), "options": {"type": "array", "items": {"type": "string"}}},
        "attempt_completion": {"result": text("What was done"), "command": text("How to see it")},
        "plan_mode_respond": {"response": text("The plan")},
        "new_task": {"context": text("What is known")},
        "condense": {"context": text("What is known")},
        "load_mcp_documentation": {},
        "use_skill": {"skill_name": text("Which")},
    }
    for name in ("create", "read", "close", "search"):
        many[f"c0ffee0mcp0{name}_issue"] = {"id": text("Which"), "note": text("What to say")}
    return many


def object_of(properties):
    """A schema."""
    return {"type": "object", "properties": properties, "required": list(properties)[:1], "additionalProperties": False}


def said(words):
    """A part that is a text."""
    return {"type": "text", "text": words}


def record_openai(book):
    """The session with an OpenAI-compatible provider."""
    headers = {**STAINLESS, "authorization": "Bearer {key}", "user-agent": "OpenAI/JS 4.96.0", "x-stainless-package-version": "4.96.0"}
    tools = [{"type": "function", "function": {"name": name, "description": description(name), "strict": False, "parameters": object_of(given)}}
             for name, given in parameters().items()]  # fmt: skip

    def call(number, name, **arguments):
        return {"id": f"call_{number:024}", "type": "function", "function": {"name": name, "arguments": stringify(arguments)}}

    def result(number, content):
        return {"role": "tool", "tool_call_id": f"call_{number:024}", "content": content}

    def request(name, messages):
        system = {"role": "system", "content": prompt("Coding agent in an editor", 24_000)}
        book.add(name, "POST", "/v1/chat/completions", headers, {
            "model": CHAT, "messages": [system, *messages], "temperature": 0, "stream": True,
            "stream_options": {"include_usage": True}, "tools": tools, "tool_choice": "auto", "parallel_tool_calls": False})  # fmt: skip

    task = "<task>\nWhy does the parser fail? [[think:Look first.]][[tool:read_file {\"path\":\"src/lib.rs\"}]]\n</task>"
    opening = {"role": "user", "content": [said(task), said(ENVIRONMENT)]}
    request("first", [opening])
    read = [opening, {"role": "assistant", "content": "Let me look.", "tool_calls": [call(1, "read_file", path="src/lib.rs")]},
            result(1, source("parse", 120)), {"role": "user", "content": [said('[[tool:execute_command {"command":"cargo test","requires_approval":false}]]'), said(ENVIRONMENT)]}]  # fmt: skip
    request("result", read)
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    seen = [*read, {"role": "assistant", "content": "", "tool_calls": [call(2, "execute_command", command="cargo test", requires_approval=False)]},
            result(2, "The command failed: id 12345678901234567890"), {"role": "user", "content": [said("[[say:I see.]]"), image]}]  # fmt: skip
    request("image", seen)
    long = [*seen, {"role": "assistant", "content": "I see."}, {"role": "user", "content": [said("Then mend the rest.")]}]
    for at in range(6):
        long += [{"role": "assistant", "content": f"File {at}.", "tool_calls": [call(10 + at, "read_file", path=f"src/part{at}.rs")]},
                 result(10 + at, source(f"part{at}", 40))]  # fmt: skip
    long.append({"role": "user", "content": [said("[[say:All files are mended.]]"), said(ENVIRONMENT)]})
    request("long", long)


def record_anthropic(book):
    """The session with an Anthropic provider."""
    headers = {**STAINLESS, "x-api-key": "{key}", "anthropic-version": "2023-06-01", "anthropic-beta": "context-1m-2025-08-07",
               "user-agent": "Anthropic/JS 0.37.0", "x-stainless-package-version": "0.37.0"}  # fmt: skip
    tools = [{"name": name, "description": description(name), "input_schema": object_of(given)} for name, given in parameters().items()]
    marker = {"type": "ephemeral"}

    def thought(words):
        return {"type": "thinking", "thinking": words, "signature": claude_signature(words)}

    def use(number, name, **arguments):
        return {"type": "tool_use", "id": f"toolu_{number:024}", "name": name, "input": arguments}

    def answered(number, content, *more):
        return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"toolu_{number:024}", "content": content}, *more]}

    def request(name, messages):
        turns = [at for at, message in enumerate(messages) if message["role"] == "user"][-2:]
        marked = [{**message, "content": [*message["content"][:-1], {**message["content"][-1], "cache_control": marker}]} if at in turns else message
                  for at, message in enumerate(messages)]  # fmt: skip
        book.add(name, "POST", "/v1/messages", headers, {
            "model": CLAUDE, "thinking": {"type": "enabled", "budget_tokens": 6000}, "max_tokens": 64000,
            "system": [{"text": prompt("Coding agent in an editor", 24_000), "type": "text", "cache_control": marker}],
            "messages": marked, "stream": True, "tools": tools})  # fmt: skip

    task = "<task>\nWhy does the parser fail? [[think:Look first.]][[tool:read_file {\"path\":\"src/lib.rs\"}]]\n</task>"
    opening = {"role": "user", "content": [said(task), said(ENVIRONMENT)]}
    request("first", [opening])
    read = [opening, {"role": "assistant", "content": [thought("Look first."), said("Let me look."), use(1, "read_file", path="src/lib.rs")]},
            answered(1, [said(source("parse", 120))], said('[[tool:browser_action {"action":"launch","url":"http://localhost"}]]'))]  # fmt: skip
    request("result", read)
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    seen = [*read, {"role": "assistant", "content": [thought("And the page."), use(2, "browser_action", action="launch", url="http://localhost")]},
            answered(2, [said("The page:"), picture], said("[[say:I see.]]"))]  # fmt: skip
    request("image", seen)
    long = [*seen, {"role": "assistant", "content": [said("I see.")]}, {"role": "user", "content": [said("Then mend the rest.")]}]
    for at in range(6):
        long += [{"role": "assistant", "content": [thought(f"Step {at}."), use(10 + at, "read_file", path=f"src/part{at}.rs")]},
                 answered(10 + at, source(f"part{at}", 40))]  # fmt: skip
    long[-1]["content"].append(said("[[say:All files are mended.]]"))
    request("long", long)

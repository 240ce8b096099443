"""Gemini CLI: Google's `generateContent` through `@google/genai`, as its open source writes them."""

from .book import PIXEL, description, gemini_signature, prompt, source, text

MODEL, SMALL = "gemini-2.5-pro", "gemini-2.5-flash"


def headers():
    """What the client and the official SDK beneath it send."""
    return {
        "accept": "*/*",
        "content-type": "application/json",
        "user-agent": "GeminiCLI/0.31.0/gemini-2.5-pro (linux; x64; terminal)",
        "x-gemini-api-privileged-user-id": "11111111-2222-4333-8444-555555555555",
        "x-goog-api-client": "google-genai-sdk/1.41.0 gl-node/v22.19.0",
        "x-goog-api-key": "{key}",
        "accept-encoding": "gzip, deflate",
    }


def tools():
    """The client's own tools, and those of a server that the user has added."""
    path = text("An absolute path")
    many = {
        "list_directory": {"dir_path": path, "ignore": {"type": "array", "items": {"type": "string"}}},
        "read_file": {"file_path": path, "start_line": {"type": "number"}, "end_line": {"type": "number"}},
        "grep_search": {"pattern": text("A regular expression"), "dir_path": path, "include_pattern": text("A glob")},
        "glob": {"pattern": text("Such as **/*.rs"), "case_sensitive": {"type": "boolean"}},
        "replace": {"file_path": path, "old_string": text("Before"), "new_string": text("After"), "expected_replacements": {"type": "number", "minimum": 1}},
        "write_file": {"file_path": path, "content": text("All of it")},
        "web_fetch": {"prompt": text("With addresses")},
        "run_shell_command": {"command": text("What to run"), "description": text("Why"), "is_background": {"type": "boolean"}},
        "save_memory": {"fact": text("What to keep")},
        "google_web_search": {"query": text("What to find")},
        "write_todos": {"todos": {"type": "array", "items": {"type": "object", "properties": {
            "description": {"type": "string"}, "status": {"type": "string", "enum": ["pending", "in_progress", "completed", "cancelled"]}},
            "required": ["description", "status"], "additionalProperties": False}}},
        "read_many_files": {"include": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}, "recursive": {"type": "boolean", "default": True}},
        "activate_skill": {"name": {"anyOf": [{"const": "review"}, {"const": "release"}]}},
        "get_internal_docs": {"path": text("Which")},
        "ask_user": {"questions": {"type": "array", "items": {"type": "string"}}},
        "enter_plan_mode": {},
        "codebase_investigator": {"objective": text("What to find out")},
        "cli_help": {"question": text("What to ask")},
    }  # fmt: skip
    for name in ("create", "read", "close", "search"):
        many[f"mcp_tracker_{name}"] = {"id": text("Which"), "note": {"type": ["string", "null"]}}
    declared = []
    for name, properties in many.items():
        schema = {"type": "object", "properties": properties, "required": list(properties)[:1]}
        declared.append({"name": name, "description": description(name), "parametersJsonSchema": schema})
    return [{"functionDeclarations": declared}]


def user(*parts):
    """A turn by the user."""
    return {"role": "user", "parts": [{"text": part} if isinstance(part, str) else part for part in parts]}


def model(*parts):
    """A turn by the model."""
    return {"role": "model", "parts": list(parts)}


def call(number, name, proof=None, **arguments):
    """A call, and what proves that it was thought about."""
    part = {"functionCall": {"id": f"{name}-{number}", "name": name, "args": arguments}}
    return part | ({"thoughtSignature": proof} if proof else {})


def response(number, name, said, key="output"):
    """Its result."""
    return {"functionResponse": {"id": f"{name}-{number}", "name": name, "response": {key: said}}}


def proof(number):
    """A signature."""
    return gemini_signature(f"signatureofthepart{number:06}")


def history():
    """The contents of each request."""
    context = "This is the Gemini CLI. The folder is /home/dev/parser. Today is Friday, 20 November 2026."
    opening = [user(context), user("Why does the parser fail? [[think:Look first.]]"
                                   '[[tool:read_file {"file_path":"/home/dev/parser/src/lib.rs"}]][[tool:glob {"pattern":"**/*.rs"}]]')]  # fmt: skip
    turns = [opening]
    turns.append([*turns[-1], model({"text": "Let me look."}, call(1, "read_file", proof(1), file_path="/home/dev/parser/src/lib.rs"),
                                    call(2, "glob", pattern="**/*.rs")),
                  user(response(1, "read_file", source("parse", 120)), response(2, "glob", "Found 1 file"),
                       '[[tool:run_shell_command {"command":"cargo test"}]]')])  # fmt: skip
    turns.append([*turns[-1], model(call(3, "run_shell_command", proof(3), command="cargo test")),
                  user(response(3, "run_shell_command", "error[E0277]: id 12345678901234567890", "error"),
                       '[[tool:read_file {"file_path":"/home/dev/parser/shot.png"}]]')])  # fmt: skip
    picture = {"inlineData": {"mimeType": "image/png", "data": PIXEL}}
    turns.append([*turns[-1], model(call(4, "read_file", "skip_thought_signature_validator", file_path="/home/dev/parser/shot.png")),
                  user(response(4, "read_file", "Binary content provided (1 item(s))."), picture, "[[say:I see.]]")])  # fmt: skip
    long = [*turns[-1], model({"text": "I see.", "thoughtSignature": proof(5)}), user("Then mend the rest.")]
    for at in range(6):
        number = 10 + at
        long += [model(call(number, "read_file", proof(number), file_path=f"/home/dev/parser/src/part{at}.rs")),
                 user(response(number, "read_file", source(f"part{at}", 40)))]  # fmt: skip
    long[-1]["parts"].append({"text": "[[think:All done.]][[say:All files are mended.]]"})
    turns.append(long)
    return turns


def request(contents, **changes):
    """A request."""
    thinking = {"includeThoughts": True, "thinkingBudget": 8192}
    return {
        "contents": contents, "systemInstruction": {"parts": [{"text": prompt("Agent at a terminal", 22_000)}], "role": "user"},
        "tools": tools(), "generationConfig": {"temperature": 1, "topP": 0.95, "topK": 64, "thinkingConfig": thinking}, **changes,
    }  # fmt: skip


def record(book):
    """The session."""

    def path(name, method):
        return f"/v1beta/models/{name}:{method}"

    turns = history()
    book.add("count", "POST", path(MODEL, "countTokens"), headers(), {"contents": turns[0]})
    shape = {"type": "object", "properties": {"reasoning": {"type": "string"}, "model_choice": {"type": "string", "enum": ["flash", "pro"]}},
             "required": ["reasoning", "model_choice"]}  # fmt: skip
    routing = {"temperature": 0, "topP": 1, "maxOutputTokens": 1024, "responseMimeType": "application/json", "responseJsonSchema": shape,
               "thinkingConfig": {"thinkingBudget": 512}}  # fmt: skip
    book.add("routing", "POST", path(SMALL, "generateContent"), headers(), {
        "contents": [user("Why does the parser fail?")], "systemInstruction": {"parts": [{"text": prompt("Which model to ask", 1_500)}], "role": "user"},
        "generationConfig": routing})  # fmt: skip
    for name, turn in zip(["first", "parallel_results", "failed_result", "image_result", "long"], turns, strict=True):
        book.add(name, "POST", path(MODEL, "streamGenerateContent?alt=sse"), headers(), request(turn))
    plain = {"temperature": 1, "topP": 0.95, "topK": 64}
    book.add("compress", "POST", path(SMALL, "generateContent"), headers(), {
        "contents": [*turns[-1], model({"text": "All files are mended."}), user("Sum up. [[say:Six files.]]")],
        "systemInstruction": {"parts": [{"text": prompt("Summaries", 1_000)}], "role": "user"}, "generationConfig": plain})  # fmt: skip

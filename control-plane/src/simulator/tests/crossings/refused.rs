//! What vendors are right to refuse, and why the gateway sends it all the same.

/// Signatures and encrypted reasoning are the vendor's own, and the gateway cannot know which it has made.
const PROOFS: &str = "the fixture's proof was not made by the simulator";
/// Numbers keep their digits; whether one makes sense is for the vendor to say.
const NUMBERS: &str = "the client wrote a number that no vendor takes";
/// Bytes are not looked into.
const BYTES: &str = "the client's base64 is none";
/// A result whose call is missing has no place in any dialect.
const ORPHANS: &str = "the client sent a result without its call";

/// One such refusal.
#[derive(Debug)]
pub(super) struct Row {
    /// The fixture, `client/name`; `*` for any.
    fixture: &'static str,
    /// By whom: the beginning of the place's name, and a part of the model's id.
    by: (&'static str, &'static str),
    /// What it says.
    words: &'static str,
    /// Why it is sent.
    #[expect(dead_code, reason = "said to whoever reads the list")]
    why: &'static str,
}

const fn row(
    fixture: &'static str,
    by: (&'static str, &'static str),
    words: &'static str,
    why: &'static str,
) -> Row {
    Row { fixture, by, words, why }
}

/// All of them.
pub(super) const RIGHTLY: &[Row] = &[
    row("*", ("anthropic", ""), "Invalid `signature` in `thinking` block", PROOFS),
    row("*", ("vertex-claude", ""), "Invalid `signature` in `thinking` block", PROOFS),
    row("*", ("bedrock", "claude"), "Invalid `signature` in `thinking` block", PROOFS),
    row("responses/reasoning_foreign", ("anthropic", ""), "`redacted_thinking`", PROOFS),
    row("responses/reasoning_foreign", ("vertex-claude", ""), "`redacted_thinking`", PROOFS),
    row("*", ("gemini", ""), "Corrupted thought signature.", PROOFS),
    row("*", ("vertex", "gemini"), "Thought signature is not valid", PROOFS),
    row("responses/f_thinking_replay", ("responses", ""), "encrypted content", PROOFS),
    row("responses/f_thinking_earlier", ("responses", ""), "encrypted content", PROOFS),
    row("responses/reasoning_alone", ("responses", ""), "encrypted content", PROOFS),
    row("responses/reasoning_only", ("responses", ""), "encrypted content", PROOFS),
    row("openai/format_json_schema", ("", ""), "JSON", NUMBERS),
    row("openai/format_json_schema", ("bedrock", ""), "jsonSchema.schema is invalid", NUMBERS),
    row("responses/numbers_kept", ("", "upstream-model"), "", NUMBERS),
    row("gemini/numbers_kept", ("", ""), "top_k: Input should be a valid integer", NUMBERS),
    row("gemini/numbers_kept", ("", "upstream-model"), "", NUMBERS),
    row("openai/sampling_everything", ("", ""), "'seed': expected an integer", NUMBERS),
    row("openai/content_parts", ("", ""), "nvalid base64", BYTES),
    row("anthropic/to_openai_documents", ("", ""), "", ORPHANS),
    row(
        "anthropic/tools_custom_strict_and_server",
        ("", ""),
        "'additionalProperties' is required",
        "the client asks for a strictness that its schema does not have; Anthropic refuses it too",
    ),
    row(
        "gemini/files_and_films",
        ("vertex", "gemini"),
        "empty mimeType",
        "the client left out what Vertex AI wants and AI Studio finds out itself",
    ),
    row(
        "*",
        ("bedrock", ""),
        "doesn't support counting tokens",
        "only the vendor knows which of its models it counts for",
    ),
];

/// The row that a refusal belongs to.
pub(super) fn find(fixture: &str, place: &str, model: &str, said: &str) -> Option<usize> {
    RIGHTLY.iter().position(|row| {
        (row.fixture == "*" || row.fixture == fixture)
            && place.starts_with(row.by.0)
            && model.contains(row.by.1)
            && said.contains(row.words)
    })
}

//! What the table knows beforehand: who is asked, and what cannot be said or is said otherwise, each for a reason.
//!
//! Invariant: an entry that nothing refers to any more fails.

use sluice::config::Dialect;

/// An upstream: a dialect, and the model that it is asked for.
pub(crate) struct Column {
    pub(crate) dialect: Dialect,
    pub(crate) label: &'static str,
    pub(crate) model: &'static str,
    /// What it has in common with others of its table.
    pub(crate) group: &'static str,
}

/// The upstreams. OpenAI's own models take what no imitator knows, and refuse some of what they take.
pub(crate) const COLUMNS: [Column; 6] = [
    Column { dialect: Dialect::Openai, label: "openai (gpt-5.2)", model: "gpt-5.2", group: "" },
    Column { dialect: Dialect::Openai, label: "openai (other makers)", model: "upstream-model", group: "" },
    Column {
        dialect: Dialect::Anthropic,
        label: "anthropic (claude-sonnet-4-5)",
        model: "claude-sonnet-4-5",
        group: "",
    },
    Column { dialect: Dialect::Responses, label: "responses (gpt-5.2)", model: "gpt-5.2", group: "" },
    Column {
        dialect: Dialect::Gemini,
        label: "gemini (gemini-3.8-flash)",
        model: "gemini-3.8-flash",
        group: "",
    },
    Column {
        dialect: Dialect::Bedrock,
        label: "bedrock (claude-sonnet-4-5)",
        model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        group: "",
    },
];

const OTHER_MAKERS: &str = "other makers on Bedrock";

/// What other makers' models take behind Converse differs from what Claude takes there.
pub(crate) const ON_BEDROCK: [Column; 5] = [
    Column {
        dialect: Dialect::Bedrock,
        label: "nova-pro",
        model: "amazon.nova-pro-v1:0",
        group: OTHER_MAKERS,
    },
    Column {
        dialect: Dialect::Bedrock,
        label: "nova-2-lite",
        model: "us.amazon.nova-2-lite-v1:0",
        group: OTHER_MAKERS,
    },
    Column {
        dialect: Dialect::Bedrock,
        label: "gpt-oss-120b",
        model: "openai.gpt-oss-120b-1:0",
        group: OTHER_MAKERS,
    },
    Column {
        dialect: Dialect::Bedrock,
        label: "mistral-large",
        model: "mistral.mistral-large-2402-v1:0",
        group: OTHER_MAKERS,
    },
    Column {
        dialect: Dialect::Bedrock,
        label: "llama4-scout",
        model: "us.meta.llama4-scout-17b-instruct-v1:0",
        group: OTHER_MAKERS,
    },
];

/// A fact about one dialect and one feature.
pub(crate) struct Known {
    /// A client, an upstream, or a column's label.
    pub(crate) who: &'static str,
    pub(crate) feature: &'static str,
    /// What the cell says.
    pub(crate) word: &'static str,
    /// What stands in the body all the same, where the feature is said in other words.
    pub(crate) holds: &'static str,
    pub(crate) why: &'static str,
}

const fn known(who: &'static str, feature: &'static str, word: &'static str, why: &'static str) -> Known {
    Known { who, feature, word, holds: "", why }
}

const fn otherwise(
    who: &'static str,
    feature: &'static str,
    word: &'static str,
    holds: &'static str,
    why: &'static str,
) -> Known {
    Known { who, feature, word, holds, why }
}

/// Finds an entry about a column.
pub(crate) fn find_of(list: &'static [Known], column: &Column, feature: &str) -> Option<&'static Known> {
    find(list, column.label, feature).or_else(|| find(list, column.group, feature))
}

/// Finds an entry.
pub(crate) fn find(list: &'static [Known], who: &str, feature: &str) -> Option<&'static Known> {
    list.iter().find(|known| known.who == who && known.feature == feature)
}

/// What a client cannot ask for.
pub(crate) const NOT_ASKED: &[Known] = &[
    known("openai", "tool_result_image", "", "tool messages hold text alone"),
    known("openai", "tool_result_error", "", "tool messages have no such flag"),
    known("openai", "reasoning_budget", "", "there is an effort only"),
    known("anthropic", "audio", "", "there is no such block"),
    known("anthropic", "tool_choice_allowed", "", "a choice names one tool or none"),
    known("anthropic", "custom_tool", "", "every tool takes an object"),
    known("anthropic", "json_mode", "", "there are schemas only"),
    known("anthropic", "penalties", "", "there is no such member"),
    known("anthropic", "seed", "", "there is no such member"),
    known("anthropic", "logprobs", "", "there is no such member"),
    known("anthropic", "n", "", "there is one reply"),
    known("anthropic", "metadata", "", "metadata holds the user's id only"),
    known("anthropic", "verbosity", "", "there is no such member"),
    known("responses", "tool_result_error", "", "outputs of calls have no such flag"),
    known("responses", "reasoning_budget", "", "there is an effort only"),
    known("responses", "top_k", "", "there is no such member"),
    known("responses", "stop", "", "there is no such member"),
    known("responses", "penalties", "", "there is no such member"),
    known("responses", "seed", "", "there is no such member"),
    known("responses", "n", "", "there is one reply"),
    known("gemini", "parallel_tools_off", "", "there is no such member"),
    known("gemini", "custom_tool", "", "every tool takes an object"),
    known("gemini", "user", "", "there is no such member"),
    known("gemini", "verbosity", "", "there is no such member"),
];

const AS_FUNCTION: &str = "as a function of one string";
const BY_LEAVING_OUT: &str = "by offering no others";
const LEFT_OUT: &str = "left out";
const NOT_NEEDED: &str = "not needed";

const IS_OVER: &str = "the turn is over: vendors leave out its thoughts themselves (decision 0015)";
const IN_PATH: &str = "in the path";
const PATH_SAYS: &str = "another path is called";
const NEVER_THINKS: &str = "it does not think";
const NO_CACHE: &str = "there is no cache: neither the answer nor the bill changes";
const CACHES_ITSELF: &str = "it caches by itself: neither the answer nor the bill changes";

/// What an upstream is told in other words, or need not be told.
pub(crate) const SAID_OTHERWISE: &[Known] = &[
    known("openai (gpt-5.2)", "thinking_earlier", LEFT_OUT, IS_OVER),
    known("openai (other makers)", "thinking_earlier", LEFT_OUT, IS_OVER),
    known("anthropic (claude-sonnet-4-5)", "thinking_earlier", LEFT_OUT, IS_OVER),
    known("responses (gpt-5.2)", "thinking_earlier", LEFT_OUT, IS_OVER),
    known("gemini (gemini-3.8-flash)", "thinking_earlier", LEFT_OUT, IS_OVER),
    known("bedrock (claude-sonnet-4-5)", "thinking_earlier", LEFT_OUT, IS_OVER),
    known(OTHER_MAKERS, "thinking_earlier", LEFT_OUT, IS_OVER),
    known("nova-pro", "reasoning_off", NOT_NEEDED, NEVER_THINKS),
    known("mistral-large", "reasoning_off", NOT_NEEDED, NEVER_THINKS),
    known("llama4-scout", "reasoning_off", NOT_NEEDED, NEVER_THINKS),
    known("gpt-oss-120b", "cache_marker", NOT_NEEDED, NO_CACHE),
    known("mistral-large", "cache_marker", NOT_NEEDED, NO_CACHE),
    known("llama4-scout", "cache_marker", NOT_NEEDED, NO_CACHE),
    known("openai (gpt-5.2)", "cache_marker", NOT_NEEDED, CACHES_ITSELF),
    known("openai (other makers)", "cache_marker", NOT_NEEDED, CACHES_ITSELF),
    known("responses (gpt-5.2)", "cache_marker", NOT_NEEDED, CACHES_ITSELF),
    known("gemini (gemini-3.8-flash)", "cache_marker", NOT_NEEDED, CACHES_ITSELF),
    otherwise(
        "openai (other makers)",
        "custom_tool",
        AS_FUNCTION,
        r#""required":["input"]"#,
        "imitators know functions only",
    ),
    otherwise(
        "openai (other makers)",
        "tool_choice_allowed",
        BY_LEAVING_OUT,
        r#"weather""#,
        "imitators know three words and a name",
    ),
    otherwise(
        "anthropic (claude-sonnet-4-5)",
        "custom_tool",
        AS_FUNCTION,
        r#""required":["input"]"#,
        "every tool takes an object",
    ),
    otherwise(
        "anthropic (claude-sonnet-4-5)",
        "tool_choice_allowed",
        BY_LEAVING_OUT,
        r#"weather""#,
        "a choice names one tool or none",
    ),
    otherwise(
        "anthropic (claude-sonnet-4-5)",
        "json_schema",
        "with its objects closed",
        r#""additionalProperties":false"#,
        "objects that are open are refused",
    ),
    known("gemini (gemini-3.8-flash)", "stream", IN_PATH, PATH_SAYS),
    otherwise(
        "gemini (gemini-3.8-flash)",
        "custom_tool",
        AS_FUNCTION,
        r#""required":["input"]"#,
        "every tool takes an object",
    ),
    otherwise(
        "gemini (gemini-3.8-flash)",
        "tool_choice_allowed",
        BY_LEAVING_OUT,
        r#"weather""#,
        "only those that must be called can be named",
    ),
    known("bedrock (claude-sonnet-4-5)", "stream", IN_PATH, PATH_SAYS),
    otherwise(
        "bedrock (claude-sonnet-4-5)",
        "tool_choice_none",
        "by offering none",
        r#""messages""#,
        "there is no such word",
    ),
    otherwise(
        "bedrock (claude-sonnet-4-5)",
        "custom_tool",
        AS_FUNCTION,
        r#""required":["input"]"#,
        "every tool takes an object",
    ),
    otherwise(
        "bedrock (claude-sonnet-4-5)",
        "tool_choice_allowed",
        BY_LEAVING_OUT,
        r#"weather""#,
        "a choice names one tool or none",
    ),
    known(OTHER_MAKERS, "stream", IN_PATH, PATH_SAYS),
    otherwise(OTHER_MAKERS, "tool_choice_none", "by offering none", r#""messages""#, "there is no such word"),
    otherwise(
        OTHER_MAKERS,
        "custom_tool",
        AS_FUNCTION,
        r#""required":["input"]"#,
        "every tool takes an object",
    ),
    otherwise(
        OTHER_MAKERS,
        "tool_choice_allowed",
        BY_LEAVING_OUT,
        r#"weather""#,
        "a choice names one tool or none",
    ),
    otherwise(
        "mistral-large",
        "tool_choice_named",
        BY_LEAVING_OUT,
        r#""toolChoice":{"any":{}}"#,
        "a call can be demanded, and not of whom",
    ),
];

/// What stands in the body of an upstream whose requests nobody reads back, if it was told the feature: of a column
/// or (the last that fits) of a dialect.
pub(crate) const HELD: &[(&str, &str, &str)] = &[
    ("nova-2-lite", "reasoning_effort", r#""maxReasoningEffort":"#),
    ("nova-2-lite", "reasoning_budget", r#""maxReasoningEffort":"#),
    ("nova-2-lite", "reasoning_off", r#""reasoningConfig":{"type":"disabled"}"#),
    ("nova-2-lite", "top_k", r#""inferenceConfig":{"topK":"#),
    ("nova-pro", "top_k", r#""inferenceConfig":{"topK":"#),
    ("gpt-oss-120b", "reasoning_effort", r#""additionalModelRequestFields":{"reasoning_effort":"#),
    ("gpt-oss-120b", "reasoning_budget", r#""additionalModelRequestFields":{"reasoning_effort":"#),
    ("bedrock", "text", r#"{"role":"user","content":[{"text":"H"#),
    ("bedrock", "system", r#""system":[{"text":""#),
    ("bedrock", "multi_turn", r#"{"role":"assistant","content":[{"text":""#),
    ("bedrock", "image_base64", r#"{"image":{"format":"#),
    ("bedrock", "audio", r#"{"audio":{"format":"#),
    ("bedrock", "pdf", r#"{"document":{"format":"pdf""#),
    ("bedrock", "tools", r#"{"toolSpec":{"name":""#),
    // It is the default, and goes without saying.
    ("bedrock", "tool_choice_auto", r#""toolConfig":{"tools":["#),
    ("bedrock", "tool_choice_required", r#""toolChoice":{"any":{}}"#),
    ("bedrock", "tool_choice_named", r#""toolChoice":{"tool":{"name":""#),
    ("bedrock", "parallel_tools_off", r#""disable_parallel_tool_use":true"#),
    ("bedrock", "tool_result", r#"{"toolResult":{"toolUseId":""#),
    ("bedrock", "tool_result_image", r#"{"image":{"format":"#),
    ("bedrock", "tool_result_error", r#""status":"error""#),
    ("bedrock", "json_schema", r#""textFormat":{"type":"json_schema""#),
    ("bedrock", "reasoning_effort", r#""thinking":{"type":"enabled","budget_tokens":"#),
    ("bedrock", "reasoning_budget", r#""thinking":{"type":"enabled","budget_tokens":"#),
    ("bedrock", "reasoning_off", r#""thinking":{"type":"disabled"}"#),
    ("bedrock", "thinking_replay", r#"{"reasoningText":{"text":"Look it up.","signature":""#),
    ("bedrock", "thinking_earlier", r#"{"reasoningText":{"text":"Look it up.","signature":""#),
    ("bedrock", "max_tokens", r#""maxTokens":"#),
    ("bedrock", "temperature", r#""temperature":0"#),
    ("bedrock", "top_p", r#""topP":0"#),
    ("bedrock", "top_k", r#""top_k":"#),
    ("bedrock", "stop", r#""stopSequences":["#),
    ("bedrock", "metadata", r#""requestMetadata":{"#),
    ("bedrock", "cache_marker", r#"{"cachePoint":{"#),
    ("bedrock", "service_tier", r#""serviceTier":{"type":"#),
];

/// What an upstream cannot tell.
pub(crate) const NOT_TOLD: &[Known] = &[
    known("openai", "reasoning_proof", "", "Chat proves no thinking"),
    known("openai", "stop_sequence", "", "an ordinary stop says the same"),
    known("anthropic", "logprobs", "", "there is no such member"),
    known("anthropic", "n", "", "there is one reply"),
    known("responses", "stop_sequence", "", "nobody can ask for stop sequences"),
    known("responses", "n", "", "there is one reply"),
    known("bedrock", "logprobs", "", "there is no such member"),
    known("bedrock", "n", "", "there is one reply"),
    known("bedrock", "usage_reasoning", "", "reasoning is counted among the output only"),
];

const ORDINARY: &str = "as an ordinary stop";

/// What a client is told in other words, or not at all.
pub(crate) const TOLD_OTHERWISE: &[Known] = &[
    known("openai clients", "stop_sequence", ORDINARY, "Chat does not tell which sequence was met"),
    known("responses clients", "stop_sequence", ORDINARY, "no client can ask for stop sequences"),
    known("gemini clients", "stop_sequence", ORDINARY, "the format does not tell which sequence was met"),
    known(
        "responses clients",
        "n",
        "the first",
        "the format holds one reply, and its clients cannot ask for more",
    ),
    known(
        "gemini clients",
        "usage_cached",
        "what was read",
        "what was written to a cache is counted among the prompt only: the format has no word for it",
    ),
    known(
        "anthropic clients",
        "logprobs",
        "lost",
        "the format has no place for them, and its clients cannot ask for them",
    ),
    known(
        "anthropic clients",
        "n",
        "the first",
        "the format holds one reply, and its clients cannot ask for more",
    ),
];

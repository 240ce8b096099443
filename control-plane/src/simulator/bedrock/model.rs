//! The service's model: which members a request has, and what each may hold.
//!
//! Spec: the API model of `bedrock-runtime`, version 2023-09-30, in its edition of autumn 2026.
//! Invariant: only what the model says; rules between members are the conversation's.

use super::schema::{Member, Pattern, Shape, may, need};

static IDENTIFIER: Pattern = Pattern {
    text: "[a-zA-Z0-9_-]+",
    fits: |text| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    },
};
static CALL_ID: Pattern = Pattern {
    text: "[a-zA-Z0-9_.:-]+",
    fits: |text| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte))
    },
};
static LABEL: Pattern = Pattern {
    text: "[a-zA-Z0-9\\s:_@$#=/+,-.]{0,256}",
    fits: |text| {
        let fine = |byte: u8| {
            byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || b":_@$#=/+,-.".contains(&byte)
        };
        text.bytes().all(fine)
    },
};
static BUCKET: Pattern = Pattern {
    text: "s3://[a-z0-9][\\.\\-a-z0-9]{1,61}[a-z0-9](/.*)?",
    fits: |text| text.starts_with("s3://"),
};
static GUARDRAIL: Pattern = Pattern {
    text: "(|([a-z0-9]+)|(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:guardrail/[a-z0-9]+))",
    fits: |text| {
        let name = if text.starts_with("arn:aws") {
            text.rsplit_once(":guardrail/").map_or("/", |(_, name)| name)
        } else {
            text
        };
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    },
};
static VERSION: Pattern = Pattern {
    text: "(|([1-9][0-9]{0,7})|(DRAFT))",
    fits: |text| {
        text.is_empty()
            || text == "DRAFT"
            || (!text.starts_with('0') && text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_digit()))
    },
};

const fn text(min: usize, max: usize, pattern: Option<&'static Pattern>) -> Shape {
    Shape::Text { min, max, pattern }
}

const fn list(of: &'static Shape) -> Shape {
    Shape::List { of, min: 0, max: usize::MAX }
}

static TEXT: Shape = text(0, usize::MAX, None);
static SOME_TEXT: Shape = text(1, usize::MAX, None);
static NAME: Shape = text(1, 64, Some(&IDENTIFIER));
static ID: Shape = text(1, 64, Some(&CALL_ID));
static BLOB: Shape = Shape::Blob;
static BOOLEAN: Shape = Shape::Boolean;
static DOCUMENT: Shape = Shape::Document;
static EMPTY: Shape = Shape::Structure(&[]);

static S3: Shape = Shape::Structure(&[need("uri", &S3_URI), may("bucketOwner", &TEXT)]);
static S3_URI: Shape = text(1, 1024, Some(&BUCKET));
static MEDIA: Shape = Shape::Union("Source", &[may("bytes", &BLOB), may("s3Location", &S3)]);

static IMAGE_FORMAT: Shape = Shape::Choice(&["png", "jpeg", "gif", "webp"]);
static IMAGE: Shape = Shape::Structure(&[need("format", &IMAGE_FORMAT), need("source", &MEDIA)]);
static VIDEO_FORMAT: Shape =
    Shape::Choice(&["mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"]);
static VIDEO: Shape = Shape::Structure(&[need("format", &VIDEO_FORMAT), need("source", &MEDIA)]);
static AUDIO_FORMAT: Shape = Shape::Choice(&[
    "mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a", "mpeg", "mpga", "pcm",
    "webm",
]);
static AUDIO: Shape = Shape::Structure(&[need("format", &AUDIO_FORMAT), need("source", &MEDIA)]);

static ONE_TEXT: Shape = Shape::Structure(&[need("text", &TEXT)]);
static TEXTS: Shape = list(&ONE_TEXT);
static CITED: Shape = Shape::Structure(&[need("enabled", &BOOLEAN)]);
static FILE_FORMAT: Shape = Shape::Choice(&["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"]);
static FILE_NAME: Shape = text(1, 200, None);
static FILE_SOURCE: Shape = Shape::Union(
    "DocumentSource",
    &[may("bytes", &BLOB), may("s3Location", &S3), may("text", &TEXT), may("content", &TEXTS)],
);
static FILE: Shape = Shape::Structure(&[
    may("format", &FILE_FORMAT),
    need("name", &FILE_NAME),
    need("source", &FILE_SOURCE),
    may("context", &TEXT),
    may("citations", &CITED),
]);
static FOUND: Shape = Shape::Structure(&[
    need("source", &TEXT),
    need("title", &TEXT),
    need("content", &TEXTS),
    may("citations", &CITED),
]);

static POINT_TYPE: Shape = Shape::Choice(&["default"]);
static POINT_TTL: Shape = Shape::Choice(&["5m", "1h"]);
static POINT: Shape = Shape::Structure(&[need("type", &POINT_TYPE), may("ttl", &POINT_TTL)]);

static GUARD_QUALIFIER: Shape = Shape::Choice(&["grounding_source", "query", "guard_content"]);
static GUARD_QUALIFIERS: Shape = list(&GUARD_QUALIFIER);
static GUARD_TEXT: Shape = Shape::Structure(&[need("text", &TEXT), may("qualifiers", &GUARD_QUALIFIERS)]);
static GUARD: Shape =
    Shape::Union("GuardrailConverseContentBlock", &[may("text", &GUARD_TEXT), may("image", &IMAGE)]);

static USE_TYPE: Shape = Shape::Choice(&["server_tool_use"]);
static USE: Shape = Shape::Structure(&[
    need("toolUseId", &ID),
    need("name", &NAME),
    need("input", &DOCUMENT),
    may("type", &USE_TYPE),
]);
static RESULT_BLOCK: Shape = Shape::Union(
    "ToolResultContentBlock",
    &[
        may("json", &DOCUMENT),
        may("text", &TEXT),
        may("image", &IMAGE),
        may("document", &FILE),
        may("video", &VIDEO),
        may("searchResult", &FOUND),
    ],
);
static RESULT_BLOCKS: Shape = list(&RESULT_BLOCK);
static RESULT_STATUS: Shape = Shape::Choice(&["success", "error"]);
static RESULT: Shape = Shape::Structure(&[
    need("toolUseId", &ID),
    need("content", &RESULT_BLOCKS),
    may("status", &RESULT_STATUS),
    may("type", &TEXT),
]);

static REASONING_TEXT: Shape = Shape::Structure(&[need("text", &TEXT), may("signature", &TEXT)]);
static REASONING: Shape = Shape::Union(
    "ReasoningContentBlock",
    &[may("reasoningText", &REASONING_TEXT), may("redactedContent", &BLOB)],
);
static CITATIONS: Shape = list(&EMPTY);
static CITING: Shape = Shape::Structure(&[may("content", &TEXTS), may("citations", &CITATIONS)]);
static TOOL_REFERENCE: Shape =
    Shape::Structure(&[need("tool", &Shape::Structure(&[may("type", &SOME_TEXT), may("name", &SOME_TEXT)]))]);

static BLOCK: Shape = Shape::Union(
    "ContentBlock",
    &[
        may("text", &TEXT),
        may("image", &IMAGE),
        may("document", &FILE),
        may("video", &VIDEO),
        may("audio", &AUDIO),
        may("toolUse", &USE),
        may("toolResult", &RESULT),
        may("guardContent", &GUARD),
        may("cachePoint", &POINT),
        may("reasoningContent", &REASONING),
        may("citationsContent", &CITING),
        may("searchResult", &FOUND),
        may("toolAddition", &TOOL_REFERENCE),
        may("toolRemoval", &TOOL_REFERENCE),
    ],
);
static BLOCKS: Shape = list(&BLOCK);
static ROLE: Shape = Shape::Choice(&["user", "assistant", "system"]);
static MESSAGE: Shape = Shape::Structure(&[need("role", &ROLE), need("content", &BLOCKS)]);
static MESSAGES: Shape = list(&MESSAGE);
static SYSTEM_BLOCK: Shape = Shape::Union(
    "SystemContentBlock",
    &[may("text", &SOME_TEXT), may("guardContent", &GUARD), may("cachePoint", &POINT)],
);
static SYSTEM: Shape = list(&SYSTEM_BLOCK);

static INPUT_SCHEMA: Shape = Shape::Union("ToolInputSchema", &[may("json", &DOCUMENT)]);
static SPECIFICATION: Shape = Shape::Structure(&[
    need("name", &NAME),
    may("description", &SOME_TEXT),
    need("inputSchema", &INPUT_SCHEMA),
    may("strict", &BOOLEAN),
]);
static NAMED: Shape = Shape::Structure(&[need("name", &NAME)]);
static TOOL: Shape = Shape::Union(
    "Tool",
    &[may("toolSpec", &SPECIFICATION), may("systemTool", &NAMED), may("cachePoint", &POINT)],
);
static TOOLS: Shape = Shape::List { of: &TOOL, min: 1, max: usize::MAX };
static CHOICE: Shape =
    Shape::Union("ToolChoice", &[may("auto", &EMPTY), may("any", &EMPTY), may("tool", &NAMED)]);
static TOOL_CONFIG: Shape = Shape::Structure(&[need("tools", &TOOLS), may("toolChoice", &CHOICE)]);

static MAX_TOKENS: Shape = Shape::Integer(1);
static UNIT: Shape = Shape::Number(0.0, 1.0);
static STOPS: Shape = Shape::List { of: &SOME_TEXT, min: 0, max: 2500 };
static INFERENCE: Shape = Shape::Structure(&[
    may("maxTokens", &MAX_TOKENS),
    may("temperature", &UNIT),
    may("topP", &UNIT),
    may("stopSequences", &STOPS),
]);

static GUARDRAIL_ID: Shape = text(0, 2048, Some(&GUARDRAIL));
static GUARDRAIL_VERSION: Shape = text(0, 8, Some(&VERSION));
static GUARDRAIL_TRACE: Shape = Shape::Choice(&["enabled", "disabled", "enabled_full"]);
static GUARDRAIL_MODE: Shape = Shape::Choice(&["sync", "async"]);
static GUARDRAIL_CONFIG: Shape = Shape::Structure(&[
    may("guardrailIdentifier", &GUARDRAIL_ID),
    may("guardrailVersion", &GUARDRAIL_VERSION),
    may("trace", &GUARDRAIL_TRACE),
    may("streamProcessingMode", &GUARDRAIL_MODE),
]);

static JSON_SCHEMA: Shape =
    Shape::Structure(&[need("schema", &TEXT), may("name", &TEXT), may("description", &TEXT)]);
static STRUCTURE: Shape = Shape::Union("OutputFormatStructure", &[may("jsonSchema", &JSON_SCHEMA)]);
static FORMAT_TYPE: Shape = Shape::Choice(&["json_schema"]);
static FORMAT: Shape = Shape::Structure(&[need("type", &FORMAT_TYPE), need("structure", &STRUCTURE)]);
static EFFORT: Shape = text(0, 16, None);
static OUTPUT: Shape = Shape::Structure(&[may("textFormat", &FORMAT), may("effort", &EFFORT)]);

static LABEL_NAME: Shape = text(1, 256, Some(&LABEL));
static LABEL_VALUE: Shape = text(0, 256, Some(&LABEL));
static LABELS: Shape = Shape::Map { key: &LABEL_NAME, value: &LABEL_VALUE, min: 1, max: 16 };
static POINTER: Shape = text(1, 256, None);
static POINTERS: Shape = Shape::List { of: &POINTER, min: 0, max: 10 };
static VARIABLES: Shape = Shape::Map { key: &TEXT, value: &ONE_TEXT, min: 0, max: usize::MAX };
static LATENCY: Shape = Shape::Choice(&["standard", "optimized"]);
static PERFORMANCE: Shape = Shape::Structure(&[may("latency", &LATENCY)]);
static TIER_TYPE: Shape = Shape::Choice(&["priority", "default", "flex", "reserved"]);
static TIER: Shape = Shape::Structure(&[need("type", &TIER_TYPE)]);

/// The body of `Converse` and `ConverseStream`.
pub(crate) static CONVERSE: Shape = Shape::Structure(CONVERSE_MEMBERS);

static CONVERSE_MEMBERS: &[Member] = &[
    may("messages", &MESSAGES),
    may("system", &SYSTEM),
    may("inferenceConfig", &INFERENCE),
    may("toolConfig", &TOOL_CONFIG),
    may("guardrailConfig", &GUARDRAIL_CONFIG),
    may("additionalModelRequestFields", &DOCUMENT),
    may("promptVariables", &VARIABLES),
    may("additionalModelResponseFieldPaths", &POINTERS),
    may("requestMetadata", &LABELS),
    may("performanceConfig", &PERFORMANCE),
    may("serviceTier", &TIER),
    may("outputConfig", &OUTPUT),
];

static COUNTED: Shape = Shape::Structure(&[
    may("messages", &MESSAGES),
    may("system", &SYSTEM),
    may("toolConfig", &TOOL_CONFIG),
    may("additionalModelRequestFields", &DOCUMENT),
]);
static INVOKED: Shape = Shape::Structure(&[need("body", &BLOB)]);
static COUNT_INPUT: Shape =
    Shape::Union("CountTokensInput", &[may("invokeModel", &INVOKED), may("converse", &COUNTED)]);

/// The body of `CountTokens`.
pub(crate) static COUNT_TOKENS: Shape = Shape::Structure(&[need("input", &COUNT_INPUT)]);

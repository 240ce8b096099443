//! The messages of the vendor's requests: every field by name and type, and in which of its APIs it is known.
//!
//! Spec: <https://ai.google.dev/api/generate-content>, the vendor's own clients, and
//! <https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.publishers.models/generateContent>.

/// One of the APIs in which the vendor speaks this dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// `generativelanguage.googleapis.com/v1`: the same messages, and no models under a name that moves on.
    Stable,
    /// `generativelanguage.googleapis.com/v1beta`.
    Beta,
    /// `aiplatform.googleapis.com`.
    Vertex,
}

impl Flavour {
    /// Where its types live.
    pub(crate) const fn package(self) -> &'static str {
        match self {
            Self::Stable => "google.ai.generativelanguage.v1",
            Self::Beta => "google.ai.generativelanguage.v1beta",
            Self::Vertex => "google.cloud.aiplatform.v1",
        }
    }

    /// The version in its paths and messages.
    pub(crate) const fn version(self) -> &'static str {
        match self {
            Self::Stable | Self::Vertex => "v1",
            Self::Beta => "v1beta",
        }
    }
}

/// The type of a field.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// A text.
    Text,
    /// Base64.
    Bytes,
    /// `true` or `false`.
    Flag,
    /// 32 bits.
    Integer,
    /// 64 bits.
    Long,
    /// A number, perhaps with a fraction.
    Number,
    /// A text such as `3.5s`.
    Duration,
    /// Any object.
    Struct,
    /// Any value.
    Any,
    /// One of a list.
    Choice(&'static str),
    /// A message.
    Message(&'static str),
    /// An object whose values are messages.
    Map(&'static str),
}

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    /// In snake case.
    pub(crate) name: &'static str,
    /// Its type.
    pub(crate) kind: Kind,
    /// Whether it is a list.
    pub(crate) many: bool,
    /// The group of which only one may be set.
    pub(crate) group: Option<&'static str>,
    known: &'static [Flavour],
}

const EVERYWHERE: &[Flavour] = &[Flavour::Stable, Flavour::Beta, Flavour::Vertex];

const fn one(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, many: false, group: None, known: EVERYWHERE }
}

const fn many(name: &'static str, kind: Kind) -> Field {
    Field { many: true, ..one(name, kind) }
}

impl Field {
    /// Only one of the group may be set.
    const fn of(self, group: &'static str) -> Self {
        Self { group: Some(group), ..self }
    }

    /// Known to Vertex alone.
    const fn vertex(self) -> Self {
        Self { known: &[Flavour::Vertex], ..self }
    }

    /// Unknown to Vertex.
    const fn studio(self) -> Self {
        Self { known: &[Flavour::Stable, Flavour::Beta], ..self }
    }

    /// Whether that API knows it.
    pub(crate) fn is_known(&self, flavour: Flavour) -> bool {
        self.known.contains(&flavour)
    }
}

use Kind::{Any, Bytes, Choice, Duration, Flag, Integer, Long, Map, Message, Number, Struct, Text};

const REQUEST: &[Field] = &[
    one("model", Text),
    many("contents", Message("Content")),
    one("system_instruction", Message("Content")),
    many("tools", Message("Tool")),
    one("tool_config", Message("ToolConfig")),
    many("safety_settings", Message("SafetySetting")),
    one("generation_config", Message("GenerationConfig")),
    one("cached_content", Text),
    one("service_tier", Choice("ServiceTier")).studio(),
    one("store", Flag).studio(),
    one("labels", Struct),
    one("continuation_token", Bytes),
    one("model_armor_config", Struct).vertex(),
    one("output_config", Struct).vertex(),
];

const PART: &[Field] = &[
    one("text", Text).of("data"),
    one("inline_data", Message("Blob")).of("data"),
    one("file_data", Message("FileData")).of("data"),
    one("function_call", Message("FunctionCall")).of("data"),
    one("function_response", Message("FunctionResponse")).of("data"),
    one("executable_code", Message("ExecutableCode")).of("data"),
    one("code_execution_result", Message("CodeExecutionResult")).of("data"),
    one("tool_call", Message("ToolCall")).of("data").studio(),
    one("tool_response", Message("ToolResponse")).of("data").studio(),
    one("audio_transcription", Struct),
    one("video_metadata", Message("VideoMetadata")).of("metadata"),
    one("speech_metadata", Struct),
    one("document_metadata", Struct).studio(),
    one("spreadsheet_metadata", Struct).studio(),
    one("audio_metadata", Struct).studio(),
    one("part_metadata", Struct).studio(),
    one("media_processing", Text).studio(),
    one("media_resolution", Message("PartMediaResolution")),
    one("thought", Flag),
    one("thought_signature", Bytes),
];

const SCHEMA: &[Field] = &[
    one("type", Choice("Type")),
    one("format", Text),
    one("title", Text),
    one("description", Text),
    one("nullable", Flag),
    many("enum", Text),
    one("items", Message("Schema")),
    one("max_items", Long),
    one("min_items", Long),
    one("properties", Map("Schema")),
    many("required", Text),
    one("min_properties", Long),
    one("max_properties", Long),
    one("minimum", Number),
    one("maximum", Number),
    one("min_length", Long),
    one("max_length", Long),
    one("pattern", Text),
    one("example", Any),
    many("any_of", Message("Schema")),
    many("property_ordering", Text),
    one("default", Any),
    one("additional_properties", Any).vertex(),
    one("ref", Text).vertex(),
    one("defs", Map("Schema")).vertex(),
];

const CONFIG: &[Field] = &[
    one("candidate_count", Integer),
    many("stop_sequences", Text),
    one("max_output_tokens", Integer),
    one("temperature", Number),
    one("top_p", Number),
    one("top_k", Number),
    one("seed", Integer),
    one("response_mime_type", Text),
    one("response_schema", Message("Schema")),
    one("response_json_schema", Any),
    one("response_json_schema_ordered", Any).studio(),
    many("response_format", Struct).vertex(),
    one("presence_penalty", Number),
    one("frequency_penalty", Number),
    one("response_logprobs", Flag),
    one("logprobs", Integer),
    one("enable_enhanced_civic_answers", Flag).studio(),
    many("response_modalities", Choice("Modality")),
    one("speech_config", Message("SpeechConfig")),
    one("thinking_config", Message("ThinkingConfig")),
    one("image_config", Struct),
    one("media_resolution", Choice("MediaResolution")),
    one("audio_transcription_config", Struct),
    one("audio_timestamp", Flag).vertex(),
    one("enable_affective_dialog", Flag).vertex(),
    one("routing_config", Struct).vertex(),
    one("translation_config", Struct).vertex(),
];

const TOOL: &[Field] = &[
    many("function_declarations", Message("FunctionDeclaration")),
    one("google_search", Message("GoogleSearch")),
    one("google_search_retrieval", Struct),
    one("code_execution", Message("Nothing")),
    one("url_context", Message("Nothing")),
    one("computer_use", Struct),
    one("google_maps", Struct),
    one("file_search", Struct).studio(),
    many("mcp_servers", Struct).studio(),
    one("retrieval", Struct).vertex(),
    one("enterprise_web_search", Struct).vertex(),
    one("parallel_ai_search", Struct).vertex(),
    one("exa_ai_search", Struct).vertex(),
];

/// The fields of a message; none if there is no such message.
#[expect(clippy::too_many_lines, reason = "one table, which reads best whole")]
pub(crate) fn message(name: &str) -> &'static [Field] {
    match name {
        "GenerateContentRequest" => REQUEST,
        "Part" => PART,
        "Schema" => SCHEMA,
        "GenerationConfig" => CONFIG,
        "Tool" => TOOL,
        "Content" => const { &[many("parts", Message("Part")), one("role", Text)] },
        "Blob" | "FunctionResponseBlob" => {
            const { &[one("mime_type", Text), one("data", Bytes), one("display_name", Text).vertex()] }
        }
        "FileData" => {
            const { &[one("mime_type", Text), one("file_uri", Text), one("display_name", Text).vertex()] }
        }
        "FunctionCall" => {
            const {
                &[
                    one("id", Text),
                    one("name", Text),
                    one("args", Struct),
                    many("partial_args", Struct).vertex(),
                    one("will_continue", Flag).vertex(),
                ]
            }
        }
        "FunctionResponse" => {
            const {
                &[
                    one("id", Text),
                    one("name", Text),
                    one("response", Struct),
                    many("parts", Message("FunctionResponsePart")),
                    one("will_continue", Flag).studio(),
                    one("scheduling", Choice("Scheduling")),
                ]
            }
        }
        "FunctionResponsePart" => {
            const {
                &[
                    one("inline_data", Message("FunctionResponseBlob")).of("data"),
                    one("file_data", Message("FileData")).of("data").vertex(),
                ]
            }
        }
        "ExecutableCode" => {
            const { &[one("id", Text), one("language", Choice("Language")), one("code", Text)] }
        }
        "CodeExecutionResult" => {
            const { &[one("id", Text), one("outcome", Choice("Outcome")), one("output", Text)] }
        }
        "ToolCall" => const { &[one("id", Text), one("tool_type", Text), one("args", Struct)] },
        "ToolResponse" => const { &[one("id", Text), one("tool_type", Text), one("response", Struct)] },
        "VideoMetadata" => {
            const { &[one("start_offset", Duration), one("end_offset", Duration), one("fps", Number)] }
        }
        "PartMediaResolution" => {
            const { &[one("level", Choice("MediaResolution")), one("num_tokens", Integer).studio()] }
        }
        "FunctionDeclaration" => {
            const {
                &[
                    one("name", Text),
                    one("description", Text),
                    one("parameters", Message("Schema")),
                    one("parameters_json_schema", Any),
                    one("response", Message("Schema")),
                    one("response_json_schema", Any),
                    one("behavior", Choice("Behavior")),
                ]
            }
        }
        "GoogleSearch" => {
            const {
                &[
                    one("search_types", Struct),
                    one("time_range_filter", Struct).studio(),
                    one("blocking_confidence", Text).vertex(),
                    many("exclude_domains", Text).vertex(),
                ]
            }
        }
        "ToolConfig" => {
            const {
                &[
                    one("function_calling_config", Message("FunctionCallingConfig")),
                    one("retrieval_config", Struct),
                    one("include_server_side_tool_invocations", Flag).studio(),
                ]
            }
        }
        "FunctionCallingConfig" => {
            const {
                &[
                    one("mode", Choice("Mode")),
                    many("allowed_function_names", Text),
                    one("stream_function_call_arguments", Flag).vertex(),
                ]
            }
        }
        "SafetySetting" => {
            const {
                &[
                    one("category", Choice("HarmCategory")),
                    one("threshold", Choice("HarmBlockThreshold")),
                    one("method", Choice("HarmBlockMethod")).vertex(),
                ]
            }
        }
        "ThinkingConfig" => {
            const {
                &[
                    one("include_thoughts", Flag),
                    one("thinking_budget", Integer),
                    one("thinking_level", Choice("ThinkingLevel")),
                ]
            }
        }
        "SpeechConfig" => {
            const {
                &[
                    one("voice_config", Struct),
                    one("multi_speaker_voice_config", Struct),
                    one("language_code", Text),
                ]
            }
        }
        "CountTokensRequest" => {
            const {
                &[
                    one("model", Text),
                    many("contents", Message("Content")),
                    one("generate_content_request", Message("GenerateContentRequest")).studio(),
                    one("system_instruction", Message("Content")).vertex(),
                    many("tools", Message("Tool")).vertex(),
                    one("generation_config", Message("GenerationConfig")).vertex(),
                    many("instances", Any).vertex(),
                ]
            }
        }
        "EmbedContentRequest" => {
            const {
                &[
                    one("model", Text),
                    one("content", Message("Content")),
                    one("task_type", Choice("TaskType")),
                    one("title", Text),
                    one("output_dimensionality", Integer),
                    one("auto_truncate", Flag).vertex(),
                    one("embed_content_config", Message("EmbedContentConfig")).vertex(),
                ]
            }
        }
        "EmbedContentConfig" => {
            const {
                &[
                    one("task_type", Choice("TaskType")),
                    one("title", Text),
                    one("output_dimensionality", Integer),
                    one("auto_truncate", Flag),
                    one("document_ocr", Flag),
                    one("audio_track_extraction", Flag),
                ]
            }
        }
        "BatchEmbedContentsRequest" => {
            const { &[one("model", Text), many("requests", Message("EmbedContentRequest"))] }
        }
        "PredictRequest" => {
            const { &[many("instances", Any), one("parameters", Any), one("labels", Struct)] }
        }
        _ => &[],
    }
}

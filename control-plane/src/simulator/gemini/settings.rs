//! `generationConfig` and `safetySettings`: how the model is told to reply, and what it may not be told.
//!
//! Spec: <https://ai.google.dev/api/generate-content#v1beta.GenerationConfig>,
//! <https://ai.google.dev/gemini-api/docs/thinking>

use super::ability::Ability;
use super::schema::Flavour;
use super::{error, openapi};
use crate::simulator::catalog::Model;
use crate::simulator::shape::{Checked, Node, Object, Violation};
use crate::simulator::turn::Format;

/// How to reply.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// How many candidates.
    pub(crate) candidates: usize,
    /// Texts before which to stop.
    pub(crate) stops: Vec<String>,
    /// The most to say, in tokens.
    pub(crate) limit: Option<u64>,
    /// The form of the reply.
    pub(crate) format: Format,
    /// Whether the reply is one of a list, without quotes.
    pub(crate) bare: bool,
    /// Whether each token comes with its probability, and with how many alternatives.
    pub(crate) logprobs: Option<usize>,
    /// How to think.
    pub(crate) thinking: Thinking,
}

/// How to think.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Thinking {
    /// The request asks for it.
    pub(crate) asked: bool,
    /// It is switched off.
    pub(crate) off: bool,
    /// Thoughts are shown.
    pub(crate) shown: bool,
}

/// Bounds of numbers: name, least, most, and whether the most is out of bounds itself.
const BOUNDS: &[(&str, f64, f64, bool)] = &[
    ("temperature", 0.0, 2.0, false),
    ("topP", 0.0, 1.0, false),
    ("topK", 1.0, f64::MAX, false),
    ("presencePenalty", -2.0, 2.0, true),
    ("frequencyPenalty", -2.0, 2.0, true),
    ("candidateCount", 1.0, 8.0, false),
    ("logprobs", 0.0, 20.0, false),
];

/// Checks `generationConfig`; without one everything is as usual.
pub(crate) fn read(
    root: &Object<'_>,
    model: &Model,
    flavour: Flavour,
    has_functions: bool,
) -> Checked<Settings> {
    let ability = Ability::of(model);
    let mut settings = Settings { candidates: 1, ..Settings::default() };
    let Some(node) = root.get("generationConfig") else { return Ok(settings) };
    let config = node.object()?;
    for (name, least, most, open) in BOUNDS {
        within(&config, name, *least, *most, *open, flavour)?;
    }
    if let Some(count) = config.get("candidateCount") {
        settings.candidates = count.count(1)?;
        if settings.candidates > 1 && !ability.candidates {
            return Err(rule("Multiple candidates is not enabled for this model"));
        }
    }
    settings.stops = stops(&config)?;
    settings.limit = limit(&config, model, flavour)?;
    settings.logprobs = logprobs(&config)?;
    (settings.format, settings.bare) = format(&config, flavour)?;
    if settings.format != Format::Text && has_functions && !ability.third {
        return Err(rule("Function calling with a response mime type: 'application/json' is unsupported"));
    }
    modalities(&config)?;
    if let Some(node) = config.get("thinkingConfig") {
        settings.thinking = thinking(&node.object()?, ability)?;
    }
    Ok(settings)
}

fn rule(message: impl Into<String>) -> Violation {
    Violation::rule(message, None)
}

fn within(
    config: &Object<'_>,
    name: &str,
    least: f64,
    most: f64,
    open: bool,
    flavour: Flavour,
) -> Checked<()> {
    let Some(node) = config.get(name) else { return Ok(()) };
    let number = node.value.as_f64().unwrap_or(f64::NAN);
    if number >= least && (number < most || (!open && number <= most)) {
        return Ok(());
    }
    let end = if open { ')' } else { ']' };
    let field = super::proto::snake(name);
    Err(match flavour {
        Flavour::Vertex => {
            let edge = if open { "exclusive" } else { "inclusive" };
            rule(format!(
                "Unable to submit request because it has a {name} value of {} but the supported range is from {least} (inclusive) to \
                 {most} ({edge}). Update the value and try again.",
                node.value
            ))
        }
        Flavour::Stable | Flavour::Beta if name == "topK" => {
            error::at(&node, format!("{field} must be positive"))
        }
        Flavour::Stable | Flavour::Beta => {
            error::at(&node, format!("{field} must be in the range [{least:.1}, {most:.1}{end}"))
        }
    })
}

fn stops(config: &Object<'_>) -> Checked<Vec<String>> {
    let Some(node) = config.get("stopSequences") else { return Ok(Vec::new()) };
    let list = node.list()?;
    if list.len() > 5 {
        return Err(error::at(&node, "the number of stop_sequences must not exceed 5."));
    }
    let mut stops = Vec::new();
    for stop in list {
        if stop.text()?.is_empty() {
            return Err(error::at(&stop, "must not be empty."));
        }
        stops.push(stop.text()?.to_owned());
    }
    Ok(stops)
}

/// The most to say. Vertex refuses more than the model can; AI Studio is content with what the model can.
fn limit(config: &Object<'_>, model: &Model, flavour: Flavour) -> Checked<Option<u64>> {
    let Some(node) = config.get("maxOutputTokens") else { return Ok(None) };
    let asked = node.value.as_u64().filter(|asked| *asked > 0);
    match (asked, flavour) {
        (None, Flavour::Stable | Flavour::Beta) => {
            Err(error::at(&node, "max_output_tokens must be positive"))
        }
        (Some(asked), Flavour::Vertex) if asked <= model.max_output => Ok(Some(asked)),
        (_, Flavour::Vertex) => Err(rule(format!(
            "Unable to submit request because it has a maxOutputTokens value of {} but the supported range is from 1 (inclusive) to {} \
             (exclusive). Update the value and try again.",
            node.value,
            model.max_output.saturating_add(1)
        ))),
        (Some(asked), _) => Ok(Some(asked.min(model.max_output))),
    }
}

fn logprobs(config: &Object<'_>) -> Checked<Option<usize>> {
    let wanted = config.flag("responseLogprobs", false)?;
    match config.get("logprobs") {
        Some(node) if !wanted => {
            Err(error::at(&node, "logprobs can only be set if response_logprobs is true."))
        }
        Some(node) => Ok(Some(node.count(0)?)),
        None => Ok(wanted.then_some(0)),
    }
}

fn format(config: &Object<'_>, flavour: Flavour) -> Checked<(Format, bool)> {
    let types = ["", "text/plain", "application/json", "application/xml", "application/yaml", "text/x.enum"];
    let mime = config.text("responseMimeType")?.unwrap_or_default();
    if let Some(node) = config.get("responseMimeType").filter(|_| !types.contains(&mime)) {
        let text = "allowed mimetypes are `text/plain`, `application/json`, `application/xml`, `application/yaml` and `text/x.enum`.";
        return Err(error::at(&node, text));
    }
    if let Some(node) = config.get("responseFormat") {
        return newer_format(config, &node);
    }
    let subset = config.get("responseSchema");
    let whole = config.get("responseJsonSchema").or_else(|| config.get("responseJsonSchemaOrdered"));
    if let (Some(_), Some(node)) = (&subset, &whole) {
        return Err(error::at(node, "response_schema and response_json_schema are mutually exclusive."));
    }
    let bare = mime == "text/x.enum";
    let is_structured = bare || mime == "application/json";
    let schema = match (subset, whole) {
        (Some(node), _) | (None, Some(node)) if !is_structured => {
            return Err(schemaless(&node));
        }
        (Some(node), _) => {
            openapi::check(&node, flavour)?;
            Some(openapi::lowered(node.value))
        }
        (None, Some(node)) => {
            openapi::whole(&node)?;
            Some(node.value.clone())
        }
        (None, None) => None,
    };
    Ok(match schema {
        Some(schema) => (Format::Schema(schema), bare),
        None if mime == "application/json" => (Format::Json, false),
        None => (Format::Text, false),
    })
}

/// The form of the reply as Vertex has it since it gave up the other fields.
fn newer_format(config: &Object<'_>, node: &Node<'_>) -> Checked<(Format, bool)> {
    for name in ["responseMimeType", "responseSchema", "responseJsonSchema"] {
        if let Some(node) = config.get(name) {
            return Err(error::at(&node, "cannot be set together with response_format."));
        }
    }
    let mut format = Format::Text;
    for item in node.list()? {
        let members = item.object()?;
        members.only(&["text", "image", "audio", "video"])?;
        let Some(text) = members.get("text") else { continue };
        let text = text.object()?;
        text.only(&["mimeType", "schema"])?;
        let mime = text.choice("mimeType", &["MIME_TYPE_UNSPECIFIED", "APPLICATION_JSON", "TEXT_PLAIN"])?;
        format = match text.get("schema") {
            Some(schema) => {
                openapi::whole(&schema)?;
                Format::Schema(schema.value.clone())
            }
            None if mime == Some("APPLICATION_JSON") => Format::Json,
            None => Format::Text,
        };
    }
    Ok((format, false))
}

fn schemaless(node: &Node<'_>) -> Violation {
    error::at(node, "only allowed with response_mime_type `application/json` or `text/x.enum`.")
}

fn modalities(config: &Object<'_>) -> Checked<()> {
    let list = config.get("responseModalities").map(|node| node.list()).transpose()?.unwrap_or_default();
    let names: Vec<&str> = list.iter().map(|node| node.text()).collect::<Checked<_>>()?;
    if names.iter().all(|name| *name == "TEXT") {
        return Ok(());
    }
    let names = names.join(", ");
    Err(rule(format!(
        "The requested combination of response modalities ({names}) is not supported by the model."
    )))
}

fn thinking(config: &Object<'_>, ability: Ability) -> Checked<Thinking> {
    let shown = config.flag("includeThoughts", false)?;
    let level = config.text("thinkingLevel")?.filter(|level| *level != "THINKING_LEVEL_UNSPECIFIED");
    let budget = config.integer("thinkingBudget", i64::MIN, i64::MAX)?;
    if level.is_some() && budget.is_some() {
        return Err(rule("You can only set only one of thinking budget and thinking level."));
    }
    if let Some(level) = level
        && !ability.levels.contains(&level)
    {
        return Err(rule(if ability.levels.is_empty() {
            "Thinking level is not supported for this model.".to_owned()
        } else {
            format!(
                "Thinking level {level} is not supported for this model. Please retry with other thinking level."
            )
        }));
    }
    let limits = ability.budget;
    match budget {
        Some(0) if !limits.none => {
            return Err(rule("Budget 0 is invalid. This model only works in thinking mode."));
        }
        Some(0 | -1) | None => {}
        Some(budget) if (limits.least..=limits.most).contains(&budget) => {}
        Some(budget) => {
            let (least, most) = (if limits.none { 0 } else { limits.least }, limits.most);
            return Err(rule(format!(
                "The thinking budget {budget} is invalid. Please choose a value between {least} and {most}."
            )));
        }
    }
    let off = budget == Some(0);
    if off && shown {
        return Err(rule(
            "Unable to submit request because thinking_config.include_thoughts is only enabled when thinking is enabled.",
        ));
    }
    let asked =
        shown || budget.is_some_and(|budget| budget != 0) || level.is_some_and(|level| level != "MINIMAL");
    Ok(Thinking { asked, off, shown })
}

/// Categories that the models know.
const CATEGORIES: &[&str] = &[
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_CIVIC_INTEGRITY",
];

/// Checks `safetySettings`: a category that the models know, once each.
pub(crate) fn safety(root: &Object<'_>, flavour: Flavour) -> Checked<()> {
    let list = root.get("safetySettings").map(|node| node.list()).transpose()?.unwrap_or_default();
    let mut seen: Vec<&str> = Vec::new();
    for node in list {
        let category = node.object()?.text("category")?.unwrap_or_default();
        let is_known = CATEGORIES.contains(&category)
            || (flavour == Flavour::Vertex
                && (category.contains("_IMAGE_") || category == "HARM_CATEGORY_JAILBREAK"));
        if !is_known {
            let names: Vec<_> = CATEGORIES.iter().map(|name| format!("HarmCategory.{name}")).collect();
            let text = format!("element predicate failed: $.category in ({})", names.join(", "));
            return Err(error::at(&node, text));
        }
        if seen.contains(&category) {
            return Err(error::at(&node, "element predicate failed: duplicate category"));
        }
        seen.push(category);
    }
    Ok(())
}

//! Whether a request for pictures is one that OpenAI would take: each family of models has rules of its own.
//!
//! Spec: <https://platform.openai.com/docs/api-reference/images>

use super::Operation;
use crate::simulator::answer::{Call, Refusal};
use crate::simulator::catalog::Traits;
use crate::simulator::openai::{error, model};
use crate::simulator::shape::{Node, Object, Problem};
use crate::simulator::tokens;
use serde_json::Value;

/// A family of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// The GPT image models, and any other.
    Gpt,
    /// `dall-e-3`
    Three,
    /// `dall-e-2`
    Two,
}

impl Family {
    fn of(model: &str) -> Self {
        match model {
            "dall-e-2" => Self::Two,
            "dall-e-3" => Self::Three,
            _ => Self::Gpt,
        }
    }

    const fn sizes(self) -> &'static [&'static str] {
        match self {
            Self::Gpt => &["1024x1024", "1024x1536", "1536x1024", "auto"],
            Self::Three => &["1024x1024", "1024x1792", "1792x1024"],
            Self::Two => &["256x256", "512x512", "1024x1024"],
        }
    }

    const fn qualities(self) -> &'static [&'static str] {
        match self {
            Self::Gpt => &["low", "medium", "high", "auto"],
            Self::Three => &["standard", "hd"],
            Self::Two => &["standard"],
        }
    }

    const fn longest_prompt(self) -> usize {
        match self {
            Self::Gpt => 32_000,
            Self::Three => 4_000,
            Self::Two => 1_000,
        }
    }

    const fn fields(self, operation: Operation) -> &'static [&'static str] {
        match (self, operation) {
            (_, Operation::Vary) => &["model", "n", "response_format", "size", "user"],
            (Self::Gpt, Operation::Generate) => &[
                "background",
                "model",
                "moderation",
                "n",
                "output_compression",
                "output_format",
                "partial_images",
                "prompt",
                "quality",
                "safety_identifier",
                "size",
                "stream",
                "user",
            ],
            (Self::Gpt, Operation::Edit) => &[
                "background",
                "input_fidelity",
                "model",
                "n",
                "output_compression",
                "output_format",
                "partial_images",
                "prompt",
                "quality",
                "safety_identifier",
                "size",
                "stream",
                "user",
            ],
            (Self::Three, _) => {
                &["model", "n", "prompt", "quality", "response_format", "size", "style", "user"]
            }
            (Self::Two, _) => &["model", "n", "prompt", "quality", "response_format", "size", "user"],
        }
    }
}

/// A request that was found valid.
#[derive(Debug)]
pub(crate) struct Request {
    /// The family of its model.
    pub(crate) family: Family,
    /// What to draw.
    pub(crate) prompt: String,
    /// How many.
    pub(crate) count: usize,
    /// Of which size.
    pub(crate) size: String,
    /// How well.
    pub(crate) quality: String,
    /// On what.
    pub(crate) background: String,
    /// In which format.
    pub(crate) format: String,
    /// Whether the reply has addresses in place of the pictures.
    pub(crate) by_url: bool,
    /// Whether to stream.
    pub(crate) stream: bool,
    /// How many sketches come before each streamed picture.
    pub(crate) partial: usize,
    /// The prompt's length in tokens.
    pub(crate) text_tokens: u64,
}

/// Checks a request.
pub(crate) fn request(call: &Call<'_>, document: &Value, operation: Operation) -> Result<Request, Refusal> {
    let root = Node::root(document).lenient()?;
    let model = model(call, &root, |traits| traits == Traits::Image)?;
    let family = Family::of(&model.id);
    match (operation, family) {
        (Operation::Edit, Family::Three) | (Operation::Vary, Family::Three | Family::Gpt) => {
            let message = format!("Invalid value: '{}'. Value must be 'dall-e-2'.", model.id);
            return Err(error::refuse(400, &message, Some("model"), Some("invalid_value")).into());
        }
        _ => {}
    }
    root.only(family.fields(operation))?;
    let prompt = match operation {
        Operation::Vary => String::new(),
        Operation::Generate | Operation::Edit => prompt(&root, family)?,
    };
    let most = if family == Family::Three { 1 } else { 10 };
    let count = usize::try_from(root.integer("n", 1, most)?.unwrap_or(1)).unwrap_or(1);
    let choice = |name: &str, allowed: &'static [&'static str]| root.choice(name, allowed);
    choice("style", &["vivid", "natural"])?;
    choice("moderation", &["low", "auto"])?;
    choice("input_fidelity", &["high", "low"])?;
    for name in ["user", "safety_identifier"] {
        root.text(name)?;
    }
    let format = choice("output_format", &["png", "webp", "jpeg"])?.unwrap_or("png");
    let background = choice("background", &["transparent", "opaque", "auto"])?.unwrap_or("auto");
    if let ("jpeg", "transparent", Some(node)) = (format, background, root.get("background")) {
        return Err(node
            .rule_code("Transparent background is not supported for jpeg output format.", "invalid_value")
            .into());
    }
    if let (Some(compression), Some(node)) =
        (root.integer("output_compression", 0, 100)?, root.get("output_compression"))
        && format == "png"
        && compression != 100
    {
        return Err(node
            .rule_code(
                "Compression less than 100 is not supported for PNG output format",
                "invalid_png_output_compression",
            )
            .into());
    }
    let stream = root.flag("stream", false)?;
    let partial = root.integer("partial_images", 0, 3)?.unwrap_or(0);
    if let (false, true, Some(node)) = (stream, partial > 0, root.get("partial_images")) {
        return Err(node
            .rule("The 'partial_images' parameter is only allowed when 'stream' is enabled.")
            .into());
    }
    let size = choice("size", family.sizes())?.unwrap_or("auto");
    let quality = choice("quality", family.qualities())?.unwrap_or("auto");
    Ok(Request {
        family,
        text_tokens: tokens::count(&prompt),
        prompt,
        count,
        size: if size == "auto" { "1024x1024" } else { size }.to_owned(),
        quality: if quality == "auto" { "medium" } else { quality }.to_owned(),
        background: if background == "auto" { "opaque" } else { background }.to_owned(),
        format: format.to_owned(),
        by_url: family != Family::Gpt
            && choice("response_format", &["url", "b64_json"])?.unwrap_or("url") == "url",
        stream,
        partial: usize::try_from(partial).unwrap_or(0),
    })
}

fn prompt(root: &Object<'_>, family: Family) -> Result<String, Refusal> {
    let node = root.need("prompt")?;
    let text = node.text_within(family.longest_prompt())?;
    if text.is_empty() {
        let message = "Invalid 'prompt': empty string. Expected a string with minimum length 1, but got an empty string instead.";
        return Err(node.wrong(Problem::Rule(message.to_owned(), Some("empty_string"))).into());
    }
    Ok(text.to_owned())
}

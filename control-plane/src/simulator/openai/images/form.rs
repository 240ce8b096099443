//! A multipart body as a JSON document, so that one check serves both forms, and the pictures beside it.

use super::multipart::{self, Part};
use super::png;
use crate::simulator::answer::{Call, Refusal};
use crate::simulator::openai::error;
use serde_json::{Map, Value, json};

/// The fields and the pictures of a request.
#[derive(Debug)]
pub(crate) struct Form {
    /// All fields but files.
    pub(crate) document: Value,
    /// How many pictures it brings.
    pub(crate) images: usize,
}

const NUMBERS: &[&str] = &["n", "output_compression", "partial_images", "frame_count", "frame_duration_ms"];

/// Reads the body; at most `most` pictures, of the formats in `formats`.
pub(crate) fn read(call: &Call<'_>, files: &[&str], most: usize, formats: &[&str]) -> Result<Form, Refusal> {
    let kind = call.header("content-type");
    let Some(boundary) = multipart::boundary(kind) else {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        return Err(error::not_a_form(kind).into());
    };
    let parts = multipart::parts(call.body, boundary).ok_or_else(error::broken_form)?;
    let mut form = Form { document: Value::Null, images: 0 };
    let mut document = Map::new();
    for part in &parts {
        let name = part.name.trim_end_matches("[]");
        if files.contains(&name) {
            picture(part, name, formats)?;
            form.images += usize::from(name == "image");
            continue;
        }
        if part.filename.is_some() {
            return Err(error::refuse(
                400,
                &format!("Unknown parameter: '{name}'."),
                Some(name),
                Some("unknown_parameter"),
            )
            .into());
        }
        let value = value(part, name)?;
        if document.insert(name.to_owned(), value).is_some() {
            let message =
                format!("Duplicate parameter: '{name}'. You provided multiple values for this parameter.");
            return Err(error::refuse(400, &message, Some(name), Some("duplicate_parameter")).into());
        }
    }
    if form.images == 0 {
        let message = "Missing required parameter: 'image'.";
        return Err(error::refuse(400, message, Some("image"), Some("missing_required_parameter")).into());
    }
    if form.images > most {
        let message = format!(
            "Invalid 'image': array too long. Expected an array with maximum length {most}, but got an array with length {} instead.",
            form.images
        );
        return Err(error::refuse(400, &message, Some("image"), Some("array_above_max_length")).into());
    }
    form.document = Value::Object(document);
    Ok(form)
}

/// A field by its kind: numbers and flags are texts in a form.
fn value(part: &Part<'_>, name: &str) -> Result<Value, Refusal> {
    let text = std::str::from_utf8(part.bytes).map_err(|_| error::broken_form())?;
    let read: Option<Value> = match name {
        _ if NUMBERS.contains(&name) => text.parse::<i64>().ok().map(Value::from),
        "stream" => text.to_ascii_lowercase().parse::<bool>().ok().map(Value::from),
        _ => None,
    };
    Ok(read.unwrap_or_else(|| json!(text)))
}

fn picture(part: &Part<'_>, name: &str, formats: &[&str]) -> Result<(), Refusal> {
    let kind = part.kind.split(';').next().unwrap_or_default().trim();
    if !formats.contains(&kind) {
        let message = format!(
            "Invalid file '{name}': unsupported mimetype ('{kind}'). Supported file formats are {}.",
            formats.iter().map(|format| format!("'{format}'")).collect::<Vec<_>>().join(", ")
        );
        return Err(error::refuse(400, &message, Some(name), Some("unsupported_file_mimetype")).into());
    }
    if png::format(part.bytes) != Some(kind) {
        return Err(error::refuse(
            400,
            "Invalid image file or mode for image 1, please check your image file.",
            Some(name),
            Some("invalid_image_file"),
        )
        .into());
    }
    Ok(())
}

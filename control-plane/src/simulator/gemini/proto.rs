//! Reads a request as the vendor's JSON front reads it into a protocol buffer, and writes it down in one spelling.
//!
//! Invariant: what comes out is known by name and right by type: names in lower camel case, lists as lists, integers as
//! numbers, choices in their own spelling, nulls left out. Everything that is wrong is found, not only the first.
//!
//! Spec: <https://protobuf.dev/programming-guides/json/>, and the words of the vendor's own refusals.

use super::choices;
use super::schema::{self, Field, Flavour, Kind};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value, json};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Where, empty at the top.
    pub(crate) field: String,
    /// What, in the vendor's words.
    pub(crate) description: String,
}

/// The document as a message of that name.
pub(crate) fn read(flavour: Flavour, name: &'static str, document: &Value) -> Result<Value, Vec<Wrong>> {
    let mut reader = Reader { flavour, wrong: Vec::new() };
    let Value::Object(members) = document else {
        let description = "Invalid JSON payload received. Root element must be a message.".to_owned();
        return Err(vec![Wrong { field: String::new(), description }]);
    };
    let message = reader.message("", name, members);
    if reader.wrong.is_empty() { Ok(message) } else { Err(reader.wrong) }
}

/// `inline_data` as `inlineData`.
pub(crate) fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut camel, part| {
        let mut letters = part.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
        camel
    })
}

/// `inlineData` as `inline_data`.
pub(crate) fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// The bytes of a text in either alphabet, padded or not.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

struct Reader {
    flavour: Flavour,
    wrong: Vec<Wrong>,
}

impl Reader {
    fn complain(&mut self, field: &str, description: String) {
        self.wrong.push(Wrong { field: field.to_owned(), description });
    }

    fn unknown(&mut self, at: &str, name: &str, why: &str) {
        let place = if at.is_empty() { String::new() } else { format!(" at '{at}'") };
        self.complain(at, format!("Invalid JSON payload received. Unknown name \"{name}\"{place}: {why}"));
    }

    fn invalid(&mut self, at: &str, kind: &str, value: &Value) {
        let text = if value.is_object() || value.is_array() {
            "Starting an object on a scalar field".to_owned()
        } else {
            value.to_string()
        };
        self.complain(at, format!("Invalid value at '{at}' ({kind}), {text}"));
    }

    fn message(&mut self, at: &str, name: &'static str, members: &Map<String, Value>) -> Value {
        let flavour = self.flavour;
        let fields = || schema::message(name).iter().filter(move |field| field.is_known(flavour));
        let mut taken: Vec<&str> = Vec::new();
        let mut read = Map::new();
        for (key, value) in members {
            let Some(field) = fields().find(|field| field.name == key || camel(field.name) == *key) else {
                self.unknown(at, key, "Cannot find field.");
                continue;
            };
            if value.is_null() {
                continue;
            }
            if let Some(group) = field.group {
                if taken.contains(&group) {
                    let set = format!("oneof field '{group}' is already set. Cannot set '{key}'");
                    self.complain(at, format!("Invalid value at '{at}' (oneof), {set}"));
                    continue;
                }
                taken.push(group);
            }
            let place = if at.is_empty() { field.name.to_owned() } else { format!("{at}.{}", field.name) };
            if let Some(value) = self.field(at, &place, key, field, value) {
                read.insert(camel(field.name), value);
            }
        }
        Value::Object(read)
    }

    fn field(&mut self, at: &str, place: &str, key: &str, field: &Field, value: &Value) -> Option<Value> {
        let is_list = value.is_array() && !matches!(field.kind, Kind::Any);
        if is_list && !field.many {
            self.unknown(at, key, "Proto field is not repeating, cannot start list.");
            return None;
        }
        if !field.many {
            return self.value(place, field.kind, value);
        }
        // One thing may stand for a list of it.
        let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            list.extend(self.value(&format!("{place}[{index}]"), field.kind, item));
        }
        Some(Value::Array(list))
    }

    fn value(&mut self, at: &str, kind: Kind, value: &Value) -> Option<Value> {
        let read = match kind {
            Kind::Any => Some(value.clone()),
            Kind::Text | Kind::Duration => value.as_str().map(|text| json!(text)),
            Kind::Bytes => return self.bytes(at, value),
            Kind::Flag => match value.as_str() {
                Some("true") => Some(json!(true)),
                Some("false") => Some(json!(false)),
                _ => value.as_bool().map(|flag| json!(flag)),
            },
            Kind::Integer => integer(value)
                .filter(|number| (i64::from(i32::MIN)..=i64::from(i32::MAX)).contains(number))
                .map(|number| json!(number)),
            Kind::Long => integer(value).map(|number| json!(number)),
            Kind::Number => match value.as_str() {
                Some(text) => text.parse::<f64>().ok().map(|number| json!(number)),
                None => value.as_f64().map(|_| value.clone()),
            },
            Kind::Choice(choice) => choice_of(choices::of(choice), value).map(|name| json!(name)),
            Kind::Struct => value.as_object().map(|members| Value::Object(members.clone())),
            Kind::Message(name) => match value {
                Value::Object(members) => return Some(self.message(at, name, members)),
                _ => None,
            },
            Kind::Map(name) => match value {
                Value::Object(members) => return Some(self.map(at, name, members)),
                _ => None,
            },
        };
        if read.is_none() {
            self.invalid(at, &self.kind_name(kind), value);
        }
        read
    }

    fn map(&mut self, at: &str, name: &'static str, members: &Map<String, Value>) -> Value {
        let mut read = Map::new();
        for (index, (key, value)) in members.iter().enumerate() {
            // The vendor names an entry of a map by its position.
            let place = format!("{at}[{index}].value");
            read.extend(self.value(&place, Kind::Message(name), value).map(|value| (key.clone(), value)));
        }
        Value::Object(read)
    }

    fn bytes(&mut self, at: &str, value: &Value) -> Option<Value> {
        match value.as_str() {
            Some(text) if decode(text).is_some() => return Some(json!(text)),
            Some(text) => {
                let why = format!("Base64 decoding failed for {}", json!(text));
                self.complain(at, format!("Invalid value at '{at}' (TYPE_BYTES), {why}"));
            }
            None => self.invalid(at, "TYPE_BYTES", value),
        }
        None
    }

    fn kind_name(&self, kind: Kind) -> String {
        let name = match kind {
            Kind::Text => "TYPE_STRING",
            Kind::Bytes => "TYPE_BYTES",
            Kind::Flag => "TYPE_BOOL",
            Kind::Integer => "TYPE_INT32",
            Kind::Long => "TYPE_INT64",
            Kind::Number => "TYPE_FLOAT",
            Kind::Duration => "type.googleapis.com/google.protobuf.Duration",
            Kind::Struct | Kind::Map(_) | Kind::Any => "type.googleapis.com/google.protobuf.Struct",
            Kind::Choice(name) | Kind::Message(name) => {
                return format!("type.googleapis.com/{}.{name}", self.flavour.package());
            }
        };
        name.to_owned()
    }
}

/// An integer as a number or as a text.
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        _ => value.as_i64().or_else(|| {
            let whole = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15)?;
            format!("{whole:.0}").parse().ok()
        }),
    }
}

/// The choice's own spelling; the vendor reads it in any case, and by number.
fn choice_of(choices: &'static [&'static str], value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) => choices.iter().find(|known| known.eq_ignore_ascii_case(text)).copied(),
        _ => choices.get(usize::try_from(value.as_u64()?).ok()?).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(document: &Value) -> Vec<String> {
        let wrong = read(Flavour::Beta, "GenerateContentRequest", document).unwrap_err();
        wrong.into_iter().map(|wrong| wrong.description).collect()
    }

    #[test]
    fn both_spellings_are_one() {
        let snake = json!({"generation_config": {"max_output_tokens": "7", "top_p": "0.5", "seed": 3.0},
            "system_instruction": {"parts": {"text": "x"}}, "cachedContent": null,
            "tools": [{"functionDeclarations": [{"parameters": {"type": "object"}}]}]});
        let camel = json!({"generationConfig": {"maxOutputTokens": 7, "topP": 0.5, "seed": 3},
            "systemInstruction": {"parts": [{"text": "x"}]},
            "tools": [{"functionDeclarations": [{"parameters": {"type": "OBJECT"}}]}]});
        assert_eq!(read(Flavour::Beta, "GenerateContentRequest", &snake).unwrap(), camel);
    }

    #[test]
    fn everything_wrong_is_found_and_named() {
        let schema =
            json!({"type": "OBJECT", "properties": {"a": {"const": 1}, "b": {"type": "text"}}, "$ref": "x"});
        let document = json!({
            "foo": 1, "contents": [{"role": 3, "parts": [{"text": "x", "inlineData": {"data": "?"}}, "y"]}],
            "tools": [{"functionDeclarations": [{"name": ["n"], "parameters": schema}]}],
            "generationConfig": {"maxOutputTokens": "many", "stopSequences": [{"a": 1}]},
        });
        let package = "type.googleapis.com/google.ai.generativelanguage.v1beta";
        let at = "tools[0].function_declarations[0]";
        let mut expected = vec![
            "Invalid JSON payload received. Unknown name \"foo\": Cannot find field.".to_owned(),
            "Invalid value at 'contents[0].role' (TYPE_STRING), 3".to_owned(),
            format!("Invalid value at 'contents[0].parts[1]' ({package}.Part), \"y\""),
            "Invalid value at 'contents[0].parts[0]' (oneof), oneof field 'data' is already set. Cannot set 'text'".to_owned(),
            "Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding failed for \"?\"".to_owned(),
            format!("Invalid JSON payload received. Unknown name \"name\" at '{at}': Proto field is not repeating, cannot start list."),
            format!("Invalid JSON payload received. Unknown name \"const\" at '{at}.parameters.properties[0].value': Cannot find field."),
            format!("Invalid value at '{at}.parameters.properties[1].value.type' ({package}.Type), \"text\""),
            format!("Invalid JSON payload received. Unknown name \"$ref\" at '{at}.parameters': Cannot find field."),
            "Invalid value at 'generation_config.max_output_tokens' (TYPE_INT32), \"many\"".to_owned(),
            "Invalid value at 'generation_config.stop_sequences[0]' (TYPE_STRING), Starting an object on a scalar field".to_owned(),
        ];
        let mut found = wrong(&document);
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn base64_is_read_in_every_form_but_a_broken_one() {
        for text in ["+/8=", "-_8", "-_8=", "+/9="] {
            assert_eq!(decode(text).as_deref(), Some(&[251, 255][..]), "{text}");
        }
        assert!(decode("a b").is_none() && decode("A").is_none());
    }

    #[test]
    fn names_change_their_case_and_back() {
        for (one, other) in [
            ("inline_data", "inlineData"),
            ("text", "text"),
            ("google_search_retrieval", "googleSearchRetrieval"),
        ] {
            assert_eq!((camel(one), snake(other)), (other.to_owned(), one.to_owned()));
        }
    }
}

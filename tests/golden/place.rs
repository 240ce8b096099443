//! Paths in a client's request.

use serde_json::Value;
use sluice::config::Dialect;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Member(String),
    Index(usize),
}

/// `messages[3].content`
pub(crate) fn shown(path: &[Step]) -> String {
    path.iter().enumerate().fold(String::new(), |out, (at, step)| match step {
        Step::Member(name) if at == 0 => name.clone(),
        Step::Member(name) => format!("{out}.{name}"),
        Step::Index(index) => format!("{out}[{index}]"),
    })
}

/// The same without indices.
pub(crate) fn bare(path: &[Step]) -> String {
    let members = path.iter().filter_map(|step| match step {
        Step::Member(name) => Some(name.as_str()),
        Step::Index(_) => None,
    });
    members.collect::<Vec<_>>().join(".")
}

/// What stands at a path.
pub(crate) fn at<'v>(value: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Member(name) => value.get_mut(name),
        Step::Index(index) => value.get_mut(*index),
    })
}

/// Whether what a member holds is the client's own: schemas, arguments, labels, what only the vendor reads.
fn is_opaque(client: Dialect, path: &[Step]) -> bool {
    let members = bare(path);
    let ends = |names: &[&str]| names.iter().any(|name| members.ends_with(name));
    let of_client: &[&str] = match client {
        Dialect::Openai => &["json_schema.schema", "function.parameters"],
        Dialect::Responses => &["format.schema", "tools.parameters"],
        Dialect::Anthropic => &["format.schema", "tools.input_schema", "content.input"],
        Dialect::Gemini => &[
            "tools.functionDeclarations.parameters",
            "parametersJsonSchema",
            "responseSchema",
            "args",
            "response",
        ],
        Dialect::Bedrock => &[],
    };
    ends(of_client) || (client != Dialect::Anthropic && members == "metadata") || ends(&["stream_options"])
}

fn walk(client: Dialect, value: &Value, path: &mut Vec<Step>, visit: &mut dyn FnMut(&[Step], &Value)) {
    visit(path, value);
    if is_opaque(client, path) {
        return;
    }
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                path.push(Step::Member(name.clone()));
                walk(client, value, path, visit);
                path.pop();
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                path.push(Step::Index(index));
                walk(client, value, path, visit);
                path.pop();
            }
        }
        _ => {}
    }
}

/// All members of all objects that are the API's own.
pub(crate) fn members(client: Dialect, body: &Value) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    walk(client, body, &mut Vec::new(), &mut |path, _| {
        if matches!(path.last(), Some(Step::Member(_))) {
            found.push(path.to_vec());
        }
    });
    found
}

/// All objects that are the API's own.
pub(crate) fn objects(client: Dialect, body: &Value) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    walk(client, body, &mut Vec::new(), &mut |path, value| {
        if value.is_object() && !is_opaque(client, path) {
            found.push(path.to_vec());
        }
    });
    found
}

/// Whether a path leads to something. Names hold full stops, too; Gemini's clients write them in two ways.
pub(crate) fn resolves(client: Dialect, value: &Value, path: &str) -> bool {
    if path.is_empty() {
        return true;
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    match value {
        Value::Object(object) => object.iter().any(|(name, value)| {
            let spelt = [name.clone(), if client == Dialect::Gemini { camel(name) } else { name.clone() }];
            spelt.iter().any(|name| {
                path.strip_prefix(name.as_str()).is_some_and(|rest| {
                    (rest.is_empty() || rest.starts_with(['.', '['])) && resolves(client, value, rest)
                })
            })
        }),
        Value::Array(list) => path
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .and_then(|(index, rest)| Some((list.get(index.parse::<usize>().ok()?)?, rest)))
            .is_some_and(|(value, rest)| resolves(client, value, rest)),
        _ => false,
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |out, word| {
        let mut letters = word.chars();
        let head: String = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter().collect();
        out + &head + letters.as_str()
    })
}

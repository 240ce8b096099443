//! Reads `multipart/form-data` strictly: every boundary at its place, every part with a name, the end closed.
//!
//! Spec: <https://www.rfc-editor.org/rfc/rfc7578>

/// One part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    /// The field.
    pub(crate) name: String,
    /// The file's name, if it is a file.
    pub(crate) filename: Option<String>,
    /// What it says it is; empty if it does not say.
    pub(crate) kind: String,
    /// What it holds.
    pub(crate) bytes: &'a [u8],
}

/// The boundary that a content type names.
pub(crate) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })?;
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// All parts; absent if the body is not what its content type says.
pub(crate) fn parts<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<Part<'a>>> {
    let first = format!("--{boundary}");
    let between = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(first.as_bytes())?;
    let mut parts = Vec::new();
    loop {
        if let Some(end) = rest.strip_prefix(b"--") {
            return (end.is_empty() || end == b"\r\n").then_some(parts);
        }
        let inside = rest.strip_prefix(b"\r\n")?;
        let (one, after) = split(inside, between.as_bytes())?;
        parts.push(part(one)?);
        rest = after;
    }
}

/// The value of a text field of any such body, for the log alone.
pub(crate) fn text(body: &[u8], name: &str) -> Option<String> {
    let (line, _) = split(body, b"\r\n")?;
    let boundary = std::str::from_utf8(line.strip_prefix(b"--")?).ok()?;
    let parts = parts(body, boundary)?;
    let part = parts.iter().find(|part| part.name == name && part.filename.is_none())?;
    String::from_utf8(part.bytes.to_vec()).ok()
}

fn part(bytes: &[u8]) -> Option<Part<'_>> {
    let (head, bytes) = split(bytes, b"\r\n\r\n")?;
    let mut part = Part { name: String::new(), filename: None, kind: String::new(), bytes };
    for line in std::str::from_utf8(head).ok()?.split("\r\n") {
        let (name, value) = line.split_once(':')?;
        match name.trim().to_ascii_lowercase().as_str() {
            "content-disposition" => {
                let mut parameters = value.split(';').map(str::trim);
                if parameters.next()? != "form-data" {
                    return None;
                }
                for (name, value) in parameters.filter_map(|parameter| parameter.split_once('=')) {
                    let value = value.trim_matches('"').to_owned();
                    match name {
                        "name" => part.name = value,
                        "filename" => part.filename = Some(value),
                        _ => {}
                    }
                }
            }
            "content-type" => value.trim().clone_into(&mut part.kind),
            _ => {}
        }
    }
    (!part.name.is_empty()).then_some(part)
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let start = bytes.windows(at.len()).position(|window| window == at)?;
    Some((bytes.get(..start)?, bytes.get(start + at.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b\r\n\
        content-disposition: form-data; name=\"image\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\u{1}\r\n2\r\n--b--\r\n";

    #[test]
    fn parts_are_what_is_between_boundaries() {
        assert_eq!(boundary("multipart/form-data; boundary=\"b\""), Some("b"));
        let parts = parts(BODY.as_bytes(), "b").unwrap();
        assert_eq!((parts[0].name.as_str(), parts[0].bytes), ("model", &b"m"[..]));
        assert_eq!((parts[1].filename.as_deref(), parts[1].bytes), (Some("a.png"), &b"\x01\r\n2"[..]));
        assert_eq!(parts[1].kind, "image/png");
        assert_eq!(text(BODY.as_bytes(), "model").as_deref(), Some("m"));
    }

    #[test]
    fn what_is_not_whole_is_nothing() {
        for (index, _) in BODY.char_indices().filter(|(index, _)| *index < BODY.len() - 2) {
            assert_eq!(parts(&BODY.as_bytes()[..index], "b"), None, "{index}");
        }
        assert_eq!(parts(BODY.as_bytes(), "c"), None);
        for wrong in ["", "application/json", "multipart/form-data", "multipart/form-data; boundary="] {
            assert_eq!(boundary(wrong), None, "{wrong}");
        }
    }
}

use super::*;
use proptest::prelude::*;

const KIND: &str = "multipart/form-data; boundary=xyz";

fn form(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (head, value) in parts {
        body.extend_from_slice(format!("--xyz\r\n{head}\r\n\r\n").as_bytes());
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--xyz--\r\n");
    body
}

fn named(name: &str) -> String {
    format!("Content-Disposition: form-data; name=\"{name}\"")
}

fn names(body: &[u8]) -> Result<Vec<(String, bool, Vec<u8>)>, String> {
    let parts = parts(body, "xyz").map_err(|broken| broken.to_string())?;
    let read = |part: &Part<'_>| (part.name.to_string(), part.is_file, body[part.value.clone()].to_vec());
    Ok(parts.iter().map(read).collect())
}

#[test]
fn boundaries_are_read_as_the_header_says_them() {
    for (kind, wanted) in [
        (KIND, Some("xyz")),
        ("Multipart/Form-Data;charset=utf-8; Boundary=\"a b\\\"c\"", Some("a b\"c")),
        ("multipart/form-data; boundary=----WebKitFormBoundary7MA4", Some("----WebKitFormBoundary7MA4")),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/form-data; boundary=\"open", None),
        ("multipart/form-data; boundary=a; boundary=b", None),
        ("multipart/form-data; boundary=\"a \"", None),
        ("multipart/mixed; boundary=a", None),
        ("application/json", None),
    ] {
        assert_eq!(boundary(kind).as_deref(), wanted, "{kind}");
    }
    assert_eq!(boundary(&format!("multipart/form-data; boundary={}", "x".repeat(71))), None);
}

#[test]
fn parts_are_found_whatever_they_hold() {
    let file = format!("{}; filename=\"a;\\\"b.png\"\r\nContent-Type: image/png", named("image[]"));
    let binary: Vec<u8> = (0..=255).collect();
    let model = "content-disposition:form-data;name=model";
    let body =
        form(&[(model, b"gpt-image-1"), (&file, &binary), (&named("n"), b""), (&named("p"), b"\r\n-")]);
    let wanted = [
        ("model".to_owned(), false, b"gpt-image-1".to_vec()),
        ("image[]".to_owned(), true, binary),
        ("n".to_owned(), false, Vec::new()),
        ("p".to_owned(), false, b"\r\n-".to_vec()),
    ];
    assert_eq!(names(&body).unwrap(), wanted);
    assert_eq!(names(&[b"\r\n".to_vec(), body].concat()).unwrap(), wanted);
    assert_eq!(names(b"--xyz--").unwrap(), []);
}

#[test]
fn what_parsers_read_differently_is_refused() {
    let good = form(&[(&named("model"), b"m")]);
    let swap = |from: &str, to: &str| {
        let text = String::from_utf8(good.clone()).unwrap();
        assert!(text.contains(from), "{from}");
        text.replace(from, to).into_bytes()
    };
    for (body, expected) in [
        (Vec::new(), "the boundary"),
        (b"preamble\r\n--xyz--".to_vec(), "the boundary"),
        (swap("--xyz--", ""), "the last boundary"),
        (swap("--xyz--\r\n", "--xyz--\r\nmore"), "nothing behind"),
        (swap("m\r\n--xyz--", "m\n--xyz--"), "beginning of a line"),
        (swap("m\r\n--xyz--", "m--xyz--"), "beginning of a line"),
        (swap("--xyz\r\n", "--xyzz\r\n"), "a line end"),
        (swap("--xyz\r\n", "--xyz\n"), "a line end"),
        (swap("name=\"model\"", "name=\"model\"; name=\"x\""), "one plain name"),
        (swap("name=\"model\"", "name*=utf-8''model"), "one plain name"),
        (swap("name=\"model\"", "name=\"model"), "whole"),
        (swap("name=\"model\"", "name=\"model\"x"), "whole"),
        (swap("name=\"model\"", "filename=x"), "a name"),
        (swap("form-data;", "attachment;"), "form-data"),
        (swap("Content-Disposition", "X"), "a content-disposition"),
        (swap("\"model\"", "\"model\"\r\nContent-Disposition: form-data; name=x"), "one content-disposition"),
        (swap("\"model\"", "\"model\"\r\nContent-Transfer-Encoding: base64"), "without an encoding"),
        (swap("\"model\"", "\"mo\ndel\""), "no control"),
        (swap("\"model\"", "\"model\"\r\n folded"), "'name: value'"),
        (swap("\"model\"", &format!("\"model\"\r\nX: {}", "x".repeat(9_000))), "8 KiB"),
    ] {
        let problem = names(&body).unwrap_err();
        assert!(problem.contains(expected), "{problem}: {}", String::from_utf8_lossy(&body));
    }
    let many: Vec<(&str, &[u8])> = vec![("Content-Disposition: form-data; name=a", b"1"); 257];
    assert!(names(&form(&many)).unwrap_err().contains("256"));
    assert_eq!(names(&form(&many[..256])).unwrap().len(), 256);
}

proptest! {
    #[test]
    fn nothing_traps_and_spans_are_inside(body in "(--xyz|\r\n|--|;|name=|\"|Content-Disposition: form-data|\\PC){0,40}") {
        if let Ok(found) = parts(body.as_bytes(), "xyz") {
            for part in found {
                prop_assert!(body.as_bytes().get(part.value).is_some());
            }
        }
    }
}

use super::{is_void, to_json_schema, write};
use crate::ir::loss::Loss;

fn read(schema: &str) -> String {
    to_json_schema(schema).unwrap()
}

fn written(schema: &str) -> (String, Vec<String>) {
    let (mut out, mut loss) = (Vec::new(), Loss::default());
    write(schema, "s", &mut loss, &mut out);
    (String::from_utf8(out).unwrap(), loss.paths().to_vec())
}

#[test]
fn google_s_schemas_become_json_schema() {
    for (schema, expected) in [
        (r#"{"type":"STRING","nullable":true}"#, r#"{"type":["string","null"]}"#),
        (
            r#"{"type":"STRING","format":"enum","enum":["a"],"nullable":true}"#,
            r#"{"type":["string","null"],"enum":["a",null]}"#,
        ),
        (
            r#"{"any_of":[{"type":"INTEGER","format":"int32"}],"nullable":true}"#,
            r#"{"anyOf":[{"type":"integer","format":"int32"},{"type":"null"}]}"#,
        ),
        (
            r#"{"type":"OBJECT","propertyOrdering":["b","a"],"properties":{"a":{"type":"NUMBER"},"b":{"type":"ARRAY","minItems":"2","items":{"type":"BOOLEAN"}},"min_items":{}},"required":["a"]}"#,
            r#"{"type":"object","properties":{"b":{"type":"array","minItems":2,"items":{"type":"boolean"}},"a":{"type":"number"},"min_items":{}},"required":["a"]}"#,
        ),
        (
            r##"{"defs":{"N":{"type":"OBJECT"}},"properties":{"n":{"ref":"#/$defs/N"}},"example":1,"type":"TYPE_UNSPECIFIED"}"##,
            r##"{"$defs":{"N":{"type":"object"}},"properties":{"n":{"$ref":"#/$defs/N"}},"examples":[1]}"##,
        ),
        ("true", "true"),
        (
            r#"{"type":["STRING"],"properties":7,"items":true,"enum":7}"#,
            r#"{"type":["STRING"],"properties":7,"items":true,"enum":7}"#,
        ),
    ] {
        assert_eq!(read(schema), expected, "{schema}");
    }
}

#[test]
fn what_fits_is_not_touched() {
    for schema in [
        r##"{ "type" : "object", "properties":{"const":{"type":["string","null"],"format":"date-time"},"n":{"$ref":"#/$defs/N"}}, "$defs":{"N":{"anyOf":[{"$ref":"#/$defs/N"}]}}, "additionalProperties":false}"##,
        "true",
        "{}",
    ] {
        assert_eq!(written(schema), (schema.to_owned(), Vec::new()));
    }
}

#[test]
fn what_google_cannot_read_is_said_in_its_words_or_listed() {
    for (schema, expected, lost) in [
        (r#"{"$schema":"x","const":"a","x-y":1}"#, r#"{"enum":["a"]}"#, vec![]),
        (
            r#"{"properties":{"u":{"type":"string","format":"uri"},"m":{"multipleOf":2}}}"#,
            r#"{"properties":{"u":{"type":"string"},"m":{}}}"#,
            vec!["s.properties.u.format", "s.properties.m.multipleOf"],
        ),
        (
            r#"{"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":10}"#,
            r#"{"type":"integer","minimum":1,"maximum":9}"#,
            vec![],
        ),
        (r#"{"type":"number","exclusiveMinimum":0}"#, r#"{"type":"number"}"#, vec!["s.exclusiveMinimum"]),
        (
            r##"{"properties":{"a":{"$ref":"#/definitions/A"}},"definitions":{"A":{"type":"string"}}}"##,
            r##"{"properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"string"}}}"##,
            vec![],
        ),
        (
            r##"{"properties":{"a":{"$ref":"#/$defs/A","description":"d"}},"$defs":{"A":{"type":"string","description":"e"}}}"##,
            r##"{"properties":{"a":{"description":"d","type":"string"}},"$defs":{"A":{"type":"string","description":"e"}}}"##,
            vec![],
        ),
        (
            r#"{"allOf":[{"type":"string","title":"t"}],"title":"u"}"#,
            r#"{"title":"u","type":"string"}"#,
            vec![],
        ),
        (r#"{"allOf":[{},{}],"type":"string"}"#, r#"{"type":"string"}"#, vec!["s.allOf"]),
        (r#"{"allOf":[],"not":{}}"#, "{}", vec!["s.allOf", "s.not"]),
        (r##"{"$ref":"#/nowhere","type":"string"}"##, r#"{"type":"string"}"#, vec!["s.$ref"]),
        (r#"{"$ref":"https://x.y/z"}"#, "{}", vec!["s.$ref"]),
    ] {
        let (out, paths) = written(schema);
        assert_eq!(out, expected, "{schema}");
        assert_eq!(paths, lost, "{schema}");
    }
}

#[test]
fn circles_and_explosions_end() {
    let circle = r##"{"properties":{"a":{"$ref":"#","title":"t"}}}"##;
    let (out, lost) = written(circle);
    assert_eq!(lost, ["s.properties.a.properties.a.$ref"]);
    assert_eq!(out, r#"{"properties":{"a":{"title":"t","properties":{"a":{"title":"t"}}}}}"#);
    let wide = |n: usize| {
        let next = format!(r##"{{"$ref":"#/$defs/{}","title":"t"}}"##, n + 1);
        format!(r#""{n}":{{"anyOf":[{}]}}"#, vec![next; 9].join(","))
    };
    let defs: Vec<_> = (0..15).map(wide).collect();
    let bomb = format!(r##"{{"$ref":"#/$defs/0","title":"t","$defs":{{{},"15":{{}}}}}}"##, defs.join(","));
    let (out, lost) = written(&bomb);
    assert!(out.len() < 4 << 20, "{}", out.len());
    assert!(!lost.is_empty());
}

#[test]
fn a_schema_of_many_keywords_is_given_up() {
    let many =
        |prefix: char| (0..2_000).map(|at| format!(r#""{prefix}{at}":1"#)).collect::<Vec<_>>().join(",");
    assert_eq!(written(&format!("{{{}}}", many('a'))), ("{}".to_owned(), vec!["s".to_owned()]));
    let joined = format!(r##"{{"$ref":"#/$defs/A","title":"t","$defs":{{"A":{{{}}}}}}}"##, many('b'));
    assert_eq!(written(&joined).0, "{}");
}

#[test]
fn a_tool_without_arguments_has_no_schema() {
    for void in [
        r#"{"type":"object","properties":{ }}"#,
        "{}",
        r#"{"type":"object","additionalProperties":false,"required":[]}"#,
    ] {
        assert!(is_void(void), "{void}");
    }
    for full in [r#"{"properties":{"a":{}}}"#, r#"{"additionalProperties":true}"#, "[]", r#"{"anyOf":[]}"#] {
        assert!(!is_void(full), "{full}");
    }
}

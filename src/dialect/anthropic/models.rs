//! The model list. <https://platform.claude.com/docs/en/api/models/list>
//!
//! Invariant: one page holds everything, so `has_more` is always false.

use crate::config::Model;
use crate::wire::json::Object;

/// Appends the list.
pub(super) fn encode_list(models: &[&Model], out: &mut Vec<u8>) {
    let mut body = Object::new(out);
    body.array("data", |data| models.iter().for_each(|model| encode(model, data.element())));
    body.bool("has_more", false);
    for (name, model) in [("first_id", models.first()), ("last_id", models.last())] {
        match model {
            Some(model) => body.str(name, &model.id),
            None => body.null(name),
        };
    }
}

/// Appends one model.
pub(super) fn encode(model: &Model, out: &mut Vec<u8>) {
    let mut object = Object::new(out);
    object.str("type", "model").str("id", &model.id).str("display_name", &model.id);
    object.str("created_at", &rfc3339(model.created)).str("lifecycle", "active");
    for (name, count) in [("max_input_tokens", model.context_window), ("max_tokens", model.max_output_tokens)]
    {
        match count {
            Some(count) => object.int(name, count),
            None => object.null(name),
        };
    }
}

/// Unix seconds as `1970-01-01T00:00:00Z`.
fn rfc3339(seconds: u64) -> String {
    // Beyond the year 9999 there is no RFC 3339.
    let seconds = seconds.min(253_402_300_799);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years begin in March here, so that the leap day is a year's last; eras are the calendar's 400-year periods.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + era * 400 + carry;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_keep_the_calendar() {
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_799, "2000-02-29T23:59:59Z"),
            (1_709_251_200, "2024-03-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(seconds), date, "{seconds}");
        }
    }

    #[test]
    fn a_model_is_what_the_official_clients_know() {
        let model: Model = serde_json::from_str(
            r#"{"id":"claude-x","owner":"anthropic","created":1735689599,"context_window":200000}"#,
        )
        .unwrap();
        let mut out = Vec::new();
        encode_list(&[&model], &mut out);
        let expected = concat!(
            r#"{"data":[{"type":"model","id":"claude-x","display_name":"claude-x","created_at":"2024-12-31T23:59:59Z","#,
            r#""lifecycle":"active","max_input_tokens":200000,"max_tokens":null}],"#,
            r#""has_more":false,"first_id":"claude-x","last_id":"claude-x"}"#
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn an_empty_list_has_no_ends() {
        let mut out = Vec::new();
        encode_list(&[], &mut out);
        assert_eq!(out, br#"{"data":[],"has_more":false,"first_id":null,"last_id":null}"#);
    }
}

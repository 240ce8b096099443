//! Times as people and files write them.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Unix microseconds as RFC 3339 in UTC with six digits of the second, so that text sorts as time does.
pub(crate) fn format(us: u64) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(us) * 1000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, micros) = (time.date(), time.microsecond());
    let (hour, minute, second) = time.time().as_hms();
    format!("{date}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

/// Unix seconds as RFC 3339 in UTC; `None` beyond the year 9999, which it cannot write.
pub(crate) fn format_seconds(seconds: u64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    let (hour, minute, second) = time.time().as_hms();
    Some(format!("{}T{hour:02}:{minute:02}:{second:02}Z", time.date()))
}

/// RFC 3339 or whole Unix seconds, as Unix microseconds.
pub(crate) fn parse(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse::<u64>() {
        return seconds.checked_mul(1_000_000);
    }
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    u64::try_from(time.unix_timestamp_nanos() / 1000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_that_no_calendar_has_are_not_1970() {
        assert_eq!(format_seconds(1_763_637_000).as_deref(), Some("2025-11-20T11:10:00Z"));
        assert_eq!((format_seconds(u64::MAX), format_seconds(300_000_000_000)), (None, None));
    }

    #[test]
    fn times_survive() {
        let us = 1_763_637_000_000_042;
        assert_eq!(format(us), "2025-11-20T11:10:00.000042Z");
        assert_eq!(parse(&format(us)), Some(us));
        assert_eq!(parse("1763637000"), Some(1_763_637_000_000_000));
        assert_eq!(parse("2025-11-20T12:10:00+01:00"), Some(1_763_637_000_000_000));
        assert_eq!((parse("yesterday"), parse("-1"), parse("1900-01-01T00:00:00Z")), (None, None, None));
    }
}

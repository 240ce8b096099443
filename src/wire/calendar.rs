//! Dates from clocks: Unix seconds in the proleptic Gregorian calendar, UTC.
//!
//! Invariant: no clock is read here, and no date is later than the year 9999.

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// 1970 to 9999.
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
    /// 0 to 23.
    pub hour: u64,
    /// 0 to 59.
    pub minute: u64,
    /// 0 to 59.
    pub second: u64,
}

impl Moment {
    /// From Unix seconds; what is later than the year 9999 is its last second.
    #[must_use]
    pub fn of(unix: u64) -> Self {
        let seconds = unix.min(253_402_300_799);
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
        Self { year, month, day, hour: second / 3_600, minute: second / 60 % 60, second: second % 60 }
    }

    /// `1970-01-01T00:00:00Z`, as RFC 3339 has it.
    #[must_use]
    pub fn extended(&self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// `19700101T000000Z`, ISO 8601's basic format.
    #[must_use]
    pub fn basic(&self) -> String {
        let Self { year, month, day, hour, minute, second } = self;
        format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }
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
            let moment = Moment::of(seconds);
            assert_eq!(moment.extended(), date, "{seconds}");
            assert_eq!(moment.basic(), date.replace(['-', ':'], ""), "{seconds}");
        }
    }
}

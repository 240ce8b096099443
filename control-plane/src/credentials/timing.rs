//! When a token is asked for again: ahead of its end, and after a failure later and later.
//!
//! Invariant: pure; what is random comes in, so that many control planes do not ask in the same second.

use std::time::Duration;

/// The longest time before a token's end at which its renewal begins.
const MARGIN: Duration = Duration::from_secs(600);
/// The longest time for which a token that is about to end is no longer used.
const LEEWAY: Duration = Duration::from_secs(10);
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause after a failure that may pass by itself.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest pause after one that hardly will.
const LONGEST_LASTING: Duration = Duration::from_secs(300);

/// `whole` times a number between 0 and 1.
fn share(whole: Duration, random: u32) -> Duration {
    whole.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

/// How long after it was asked for a token of that lifetime is renewed: with a quarter of it left, at most ten minutes,
/// and up to half as much again.
pub(super) fn renewal(lifetime: Duration, random: u32) -> Duration {
    let margin = (lifetime / 4).min(MARGIN);
    lifetime.saturating_sub(margin + share(margin / 2, random))
}

/// How long after it was asked for a token of that lifetime is used: a request that carries it must still arrive.
pub(super) fn use_of(lifetime: Duration) -> Duration {
    lifetime.saturating_sub((lifetime / 10).min(LEEWAY))
}

/// How long to wait after so many failures in a row (the first is 1): twice as long each time, and no less than the
/// endpoint asks for.
pub(super) fn pause(failures: u32, lasting: bool, asked: Option<Duration>, random: u32) -> Duration {
    let longest = if lasting { LONGEST_LASTING } else { LONGEST };
    let whole = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest);
    let pause = whole / 2 + share(whole / 2, random);
    pause.max(asked.unwrap_or_default().min(LONGEST_LASTING))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_token_is_renewed_ahead_of_its_end() {
        assert_eq!(renewal(HOUR, 0), Duration::from_secs(3000));
        assert_eq!(renewal(HOUR, u32::MAX), Duration::from_secs(2700));
        assert_eq!(renewal(Duration::from_secs(4), 0), Duration::from_secs(3));
        assert_eq!(use_of(HOUR), Duration::from_secs(3590));
        for seconds in [1, 10, 60, 3599] {
            let lifetime = Duration::from_secs(seconds);
            assert!(renewal(lifetime, 0) < use_of(lifetime), "{seconds}");
        }
    }

    #[test]
    fn pauses_grow_to_an_end() {
        let seconds = |failures, lasting| pause(failures, lasting, None, u32::MAX).as_secs();
        assert_eq!([1, 2, 3, 7, 99].map(|failures| seconds(failures, false)), [1, 2, 4, 60, 60]);
        assert_eq!(seconds(99, true), 300);
        assert_eq!(pause(1, false, None, 0), Duration::from_millis(500));
        assert_eq!(pause(1, false, Some(Duration::from_secs(30)), 0), Duration::from_secs(30));
        assert_eq!(pause(1, false, Some(HOUR), 0), Duration::from_secs(300));
    }
}

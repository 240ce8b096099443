//! F4: one exchange from the client's first header to its record, without IO.
//!
//! The shell hands in bytes, headers and times, and carries out what comes back. Nothing here names Envoy's API, reads
//! a clock or logs; everything is tested on the host.

pub mod access;
pub mod array;
pub mod classify;
pub mod edge;
pub mod exchange;
pub mod headers;
pub mod kept;
pub mod outbox;
pub mod plan;
pub mod reject;
pub mod reply;
pub mod route;
pub mod state;
pub mod subscription;

/// A moment. The wall clock dates records and expiry; only the monotonic clock measures, because clocks jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Unix microseconds.
    pub wall_us: u64,
    /// Microseconds since some moment in this VM's past.
    pub mono_us: u64,
}

impl Now {
    /// Unix seconds.
    #[must_use]
    pub const fn unix(self) -> u64 {
        self.wall_us / 1_000_000
    }
}

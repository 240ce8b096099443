//! AWS event streams, `application/vnd.amazon.eventstream`: framed binary messages with checksums.
//! <https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html>,
//! <https://smithy.io/2.0/aws/amazon-eventstream.html>
//!
//! A message is `total length, headers length, CRC of these eight bytes, headers, payload, CRC of all before`; numbers
//! are big-endian, checksums are CRC-32 (IEEE).
//!
//! Invariant: the messages that come out do not depend on how the bytes were cut; a message is given on only when both
//! of its checksums are right; no more than one message is held.

mod message;

pub use message::{Message, Value, encode};

/// The longest header block, as AWS's own clients have it.
const MAX_HEADERS: usize = 128 << 10;
/// The longest payload, as AWS's own clients have it.
const MAX_PAYLOAD: usize = 24 << 20;
/// Two lengths and their checksum.
const PRELUDE: usize = 12;
/// A message without headers and payload: prelude and checksum.
const SHORTEST: usize = PRELUDE + 4;

/// Why bytes are no event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The prelude's checksum is wrong: this is something else, or the place in the stream is lost.
    #[error("the checksum of an event's lengths is wrong")]
    PreludeChecksum,
    /// The message's checksum is wrong.
    #[error("the checksum of an event is wrong")]
    Checksum,
    /// The lengths contradict each other, or are beyond what AWS sends.
    #[error("an event's lengths are impossible")]
    Length,
    /// The headers are not what their types say.
    #[error("the headers of an event are malformed")]
    Headers,
}

/// Cuts a byte stream into messages.
#[derive(Debug, Default)]
pub struct Splitter {
    pending: Vec<u8>,
    /// Length of the pending message, as far as it is known: its prelude's at first.
    wanted: usize,
}

impl Splitter {
    /// Takes the next bytes and hands every message that they complete to `sink`. After an error nothing that follows
    /// makes sense.
    pub fn push(&mut self, chunk: &[u8], mut sink: impl FnMut(&Message<'_>)) -> Result<(), Error> {
        let mut rest = chunk;
        while !rest.is_empty() {
            if self.pending.is_empty() {
                // Mostly a chunk is whole messages: those are not copied.
                if let Some(prelude) = rest.first_chunk()
                    && let Some((message, after)) = rest.split_at_checked(length(prelude)?)
                {
                    sink(&Message::parse(message)?);
                    rest = after;
                    continue;
                }
                self.wanted = PRELUDE;
            }
            let missing = self.wanted.saturating_sub(self.pending.len());
            let (head, after) = rest.split_at_checked(missing).unwrap_or((rest, &[]));
            self.pending.extend_from_slice(head);
            rest = after;
            if self.pending.len() < self.wanted {
                break;
            }
            match self.pending.first_chunk() {
                Some(prelude) if self.wanted == PRELUDE => self.wanted = length(prelude)?,
                _ => {
                    sink(&Message::parse(&self.pending)?);
                    self.pending.clear();
                }
            }
        }
        Ok(())
    }

    /// Whether the stream could end here: nothing is held of a message that is not whole.
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.pending.is_empty()
    }
}

/// A message's length, from its prelude.
fn length(prelude: &[u8; PRELUDE]) -> Result<usize, Error> {
    let [a, b, c, d, e, f, g, h, checksum @ ..] = prelude;
    if crc32fast::hash(&[*a, *b, *c, *d, *e, *f, *g, *h]) != u32::from_be_bytes(*checksum) {
        return Err(Error::PreludeChecksum);
    }
    let size = |bytes: [u8; 4]| usize::try_from(u32::from_be_bytes(bytes)).map_err(|_| Error::Length);
    let (total, headers) = (size([*a, *b, *c, *d])?, size([*e, *f, *g, *h])?);
    let payload =
        total.checked_sub(SHORTEST).and_then(|rest| rest.checked_sub(headers)).ok_or(Error::Length)?;
    if headers > MAX_HEADERS || payload > MAX_PAYLOAD {
        return Err(Error::Length);
    }
    Ok(total)
}

#[cfg(test)]
mod tests;

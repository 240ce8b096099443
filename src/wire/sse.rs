//! Server-sent events (WHATWG HTML, section 9.2), as raw blocks first: the patch lane passes blocks on untouched, and
//! only what must be understood is parsed.
//!
//! Invariant: the blocks that come out, joined, are the bytes that went in, however they were cut.

use std::borrow::Cow;

/// The longest block that is held while it is incomplete. An event may carry an image; nothing carries more.
pub const MAX_BLOCK: usize = 32 << 20;

/// A block grew beyond [`MAX_BLOCK`] without ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a server-sent event is longer than {MAX_BLOCK} bytes")]
pub struct TooLong;

/// Cuts a byte stream into blocks: everything up to and including a blank line.
#[derive(Debug, Default)]
pub struct Splitter {
    pending: Vec<u8>,
    /// The current line has bytes.
    in_line: bool,
    /// The last byte was a carriage return: a line feed now belongs to it.
    after_cr: bool,
}

impl Splitter {
    /// Takes the next bytes and hands every block that they complete to `sink`.
    pub fn push(&mut self, chunk: &[u8], mut sink: impl FnMut(&[u8])) -> Result<(), TooLong> {
        let mut start = 0;
        let mut at = 0;
        while let Some(found) = memchr::memchr2(b'\n', b'\r', chunk.get(at..).unwrap_or_default()) {
            let end = at + found;
            let return_ = chunk.get(end) == Some(&b'\r');
            if found > 0 {
                self.in_line = true;
                self.after_cr = false;
            }
            at = end + 1;
            if self.after_cr && !return_ {
                self.after_cr = false;
                continue;
            }
            self.after_cr = return_;
            if std::mem::replace(&mut self.in_line, false) {
                continue;
            }
            if return_ && chunk.get(at) == Some(&b'\n') {
                at += 1;
                self.after_cr = false;
            }
            let rest = chunk.get(start..at).unwrap_or_default();
            start = at;
            if self.pending.is_empty() {
                sink(rest);
            } else {
                self.pending.extend_from_slice(rest);
                sink(&self.pending);
                self.pending.clear();
            }
        }
        if at < chunk.len() {
            self.in_line = true;
            self.after_cr = false;
        }
        let rest = chunk.get(start..).unwrap_or_default();
        if self.pending.len() + rest.len() > MAX_BLOCK {
            return Err(TooLong);
        }
        self.pending.extend_from_slice(rest);
        Ok(())
    }

    /// What has come since the last complete block. At the end of a stream some servers leave the last blank line
    /// out; this is that block.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// Forgets and returns [`Splitter::pending`].
    pub fn take_pending(&mut self) -> Vec<u8> {
        self.in_line = false;
        self.after_cr = false;
        std::mem::take(&mut self.pending)
    }
}

/// What a block says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// The `event:` field; empty if absent.
    pub name: &'a str,
    /// The `data:` lines, joined by line feeds; `None` if the block has none (a comment, a blank line).
    pub data: Option<Cow<'a, str>>,
}

impl<'a> Event<'a> {
    /// Reads one block. Bytes that are not UTF-8 become U+FFFD.
    #[must_use]
    pub fn parse(block: &'a [u8]) -> Self {
        let mut event = Self { name: "", data: None };
        let block = block.strip_prefix(b"\xef\xbb\xbf").unwrap_or(block);
        for line in block.split(|byte| matches!(byte, b'\n' | b'\r')) {
            let (field, value) = match memchr::memchr(b':', line) {
                Some(at) => (line.get(..at).unwrap_or_default(), line.get(at + 1..).unwrap_or_default()),
                None => (line, &b""[..]),
            };
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match field {
                b"event" => event.name = std::str::from_utf8(value).unwrap_or_default(),
                b"data" => {
                    let value = String::from_utf8_lossy(value);
                    event.data = Some(match event.data.take() {
                        None => value,
                        // One text that grows: a block may have millions of lines.
                        Some(before) => {
                            let mut joined = before.into_owned();
                            joined.push('\n');
                            joined.push_str(&value);
                            Cow::Owned(joined)
                        }
                    });
                }
                _ => {}
            }
        }
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn blocks(chunks: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let mut splitter = Splitter::default();
        let mut out = Vec::new();
        for chunk in chunks {
            splitter.push(chunk, |block| out.push(block.to_vec())).unwrap();
        }
        (out, splitter.take_pending())
    }

    fn data(chunks: &[&[u8]]) -> Vec<(String, String)> {
        let (blocks, pending) = blocks(chunks);
        blocks
            .iter()
            .chain([&pending])
            .map(|block| Event::parse(block))
            .filter_map(|event| event.data.map(|data| (event.name.to_owned(), data.into_owned())))
            .collect()
    }

    #[test]
    fn line_ends_comments_and_spaces_are_as_the_specification_says() {
        let stream = b": hi\n\nevent: a\r\ndata:1\r\ndata: 2\r\n\r\ndata:  3\r\rdata\n\nid: 7\n\ndata: last";
        let got = data(&[stream]);
        let want = [("a", "1\n2"), ("", " 3"), ("", ""), ("", "last")];
        assert_eq!(got, want.map(|(name, data)| (name.to_owned(), data.to_owned())));
    }

    #[test]
    fn every_split_point_gives_the_same_events() {
        let stream = "event: a\r\ndata: é\r\n\r\n: c\n\ndata: {\"x\":\"😀\"}\n\ndata: y\r\rdata: [DONE]\n\n"
            .as_bytes();
        let whole = data(&[stream]);
        for at in 0..=stream.len() {
            let (left, right) = stream.split_at(at);
            assert_eq!(data(&[left, right]), whole, "split at {at}");
        }
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(data(&single), whole);
    }

    #[test]
    fn a_block_of_many_lines_is_read_once() {
        // Joining them one by one would copy some hundred gigabytes.
        let block = b"data:x\n".repeat(500_000);
        assert_eq!(Event::parse(&block).data.map(|data| data.len()), Some(999_999));
    }

    #[test]
    fn a_block_without_end_is_refused() {
        let mut splitter = Splitter::default();
        let chunk = vec![b'x'; MAX_BLOCK / 2 + 1];
        assert_eq!(splitter.push(&chunk, |_| ()), Ok(()));
        assert_eq!(splitter.push(&chunk, |_| ()), Err(TooLong));
    }

    proptest! {
        #[test]
        fn blocks_joined_are_the_input(stream in "[ab:\r\n ]{0,60}", cut in 0usize..60) {
            let (left, right) = stream.as_bytes().split_at(cut.min(stream.len()));
            let (blocks, pending) = blocks(&[left, right]);
            prop_assert_eq!([blocks.concat(), pending].concat(), stream.into_bytes());
        }
    }
}

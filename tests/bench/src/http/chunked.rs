//! Chunked bodies.

use crate::error::Error;

/// Reads a chunked body, however it is cut.
#[derive(Debug, Default)]
pub(super) struct Chunked {
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Within a size line; what it says so far, and whether its digits are over.
    Size { size: usize, over: bool },
    /// So many bytes of data are left.
    Data(usize),
    /// Within the line end behind the data.
    Behind,
    /// Within a trailer line of so many bytes.
    Trailer(usize),
    /// Past the end.
    Done,
}

impl Default for State {
    fn default() -> Self {
        Self::Size { size: 0, over: false }
    }
}

impl Chunked {
    /// Whether the body is over.
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes the next bytes, hands out the data in them, and returns how many of them belong to this body.
    pub(super) fn take(&mut self, bytes: &[u8], sink: &mut impl FnMut(&[u8])) -> Result<usize, Error> {
        let mut rest = bytes;
        while let Some((byte, after)) = rest.split_first() {
            self.state = match self.state {
                State::Done => break,
                State::Data(left) => {
                    let (data, after) = rest.split_at(left.min(rest.len()));
                    sink(data);
                    rest = after;
                    self.state =
                        if data.len() == left { State::Behind } else { State::Data(left - data.len()) };
                    continue;
                }
                State::Size { size: 0, .. } if *byte == b'\n' => State::Trailer(0),
                State::Size { size, .. } if *byte == b'\n' => State::Data(size),
                State::Size { size, over } if over || matches!(byte, b';' | b'\r') => {
                    State::Size { size, over: true }
                }
                State::Size { size, .. } => {
                    let digit = char::from(*byte).to_digit(16).ok_or(BAD)?;
                    let size = size.checked_mul(16).ok_or(BAD)? + digit as usize;
                    State::Size { size, over: false }
                }
                State::Behind if *byte == b'\n' => State::default(),
                State::Behind if *byte == b'\r' => State::Behind,
                State::Behind => return Err(BAD),
                State::Trailer(0) if *byte == b'\n' => State::Done,
                State::Trailer(_) if *byte == b'\n' => State::Trailer(0),
                State::Trailer(length) => State::Trailer(length + usize::from(*byte != b'\r')),
            };
            rest = after;
        }
        Ok(bytes.len() - rest.len())
    }
}

const BAD: Error = Error::Protocol("a chunk that is none");

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"5\r\nhello\r\n11;ext=1\r\n, chunked worlds!\r\n0\r\nx-trailer: 1\r\n\r\nHTTP/1.1";

    #[test]
    fn every_cut_gives_the_same() {
        for cut in 0..=BODY.len() {
            let (first, second) = BODY.split_at(cut);
            let mut chunked = Chunked::default();
            let mut out = Vec::new();
            let mut sink = |data: &[u8]| out.extend_from_slice(data);
            let used = chunked.take(first, &mut sink).unwrap() + chunked.take(second, &mut sink).unwrap();
            assert!(chunked.is_done());
            assert_eq!(out, b"hello, chunked worlds!");
            assert_eq!(BODY.len() - used, 8);
        }
    }

    #[test]
    fn what_is_no_chunk_is_an_error() {
        assert!(Chunked::default().take(b"hello\r\n", &mut |_| {}).is_err());
        assert!(Chunked::default().take(b"1\r\nab", &mut |_| {}).is_err());
    }
}

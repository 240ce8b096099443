//! Where a head ends and how its body is framed.

use crate::error::Error;
use memchr::memmem;

/// Larger heads are a mistake.
const MAX: usize = 64 << 10;

/// What a head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Bytes up to the body.
    pub(super) length: usize,
    /// The reply's status; 0 for a request.
    pub(super) status: u16,
    /// How the body ends.
    pub(super) framing: Framing,
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many bytes.
    Length(usize),
    /// With the empty chunk.
    Chunked,
}

/// Reads a head; `None` if it is not whole yet.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<Head>, Error> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        return if bytes.len() > MAX { Err(Error::Protocol("a head without an end")) } else { Ok(None) };
    };
    let mut lines = bytes.get(..end).unwrap_or_default().split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let status = first.strip_prefix(b"HTTP/1.1 ").and_then(|rest| number(rest.get(..3)?)).unwrap_or(0);
    let mut framing = Framing::Length(0);
    for line in lines {
        if let Some(value) = value(line, b"content-length:") {
            let length = number(value).ok_or(Error::Protocol("a content-length that is no number"))?;
            framing = Framing::Length(length);
        } else if let Some(value) = value(line, b"transfer-encoding:") {
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Error::Protocol("a transfer-encoding that is not chunked"));
            }
            framing = Framing::Chunked;
            break;
        }
    }
    Ok(Some(Head { length: end + 4, status: u16::try_from(status).unwrap_or(0), framing }))
}

fn value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then(|| rest.trim_ascii())
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Head {
        parse(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn heads_tell_status_and_framing() {
        let head = of("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 12\r\n\r\nhello");
        assert_eq!((head.length, head.status, head.framing), (50, 200, Framing::Length(12)));
        assert_eq!(of("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n").framing, Framing::Chunked);
        assert_eq!(of("GET / HTTP/1.1\r\n\r\n").framing, Framing::Length(0));
    }

    #[test]
    fn a_head_may_be_unfinished_or_wrong() {
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\n").unwrap(), None);
        assert!(parse(b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n").is_err());
        assert!(parse(&vec![b'x'; MAX + 1]).is_err());
    }
}

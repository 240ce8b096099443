//! Encrypts reasoning as the vendor does, as far as a client can tell: opaque text that only comes back unchanged.
//!
//! Invariant: stateless, so that any instance takes what another has sealed, as the vendor's accounts do.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use sha2::{Digest, Sha256};

const PREFIX: &str = "gAAAAAB";
const SALT: &str = "reasoning of the provider simulator";

/// What `encrypted_content` is for a reasoning item with that id and text.
pub(crate) fn seal(id: &str, text: &str) -> String {
    let body = URL_SAFE.encode(format!("{id}\n{text}"));
    format!("{PREFIX}{}.{body}", mark(&body))
}

/// The text that was sealed; absent if it was not sealed here.
pub(crate) fn open(sealed: &str) -> Option<String> {
    let (found, body) = sealed.strip_prefix(PREFIX)?.split_once('.')?;
    if found != mark(body) {
        return None;
    }
    let plain = String::from_utf8(URL_SAFE.decode(body).ok()?).ok()?;
    plain.split_once('\n').map(|(_, text)| text.to_owned())
}

fn mark(body: &str) -> String {
    URL_SAFE.encode(Sha256::new().chain_update(SALT).chain_update(body).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_seals_open() {
        let sealed = seal("rs_1", "a\nb");
        assert_eq!(open(&sealed).as_deref(), Some("a\nb"));
        assert_eq!(open(&format!("{sealed}x")), None);
        assert_eq!(open("gAAAAABforeign"), None);
    }
}

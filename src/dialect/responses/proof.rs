//! Encrypted reasoning as it travels.
//!
//! Invariant: at home a proof is `<item id>:<encrypted content>`, because the API wants both back; with a client of this
//! dialect another home's proof stands sealed in `encrypted_content`, and is never absent there: a reasoning item of ours
//! that comes back without it could not be told from the provider's own.

use crate::config::Dialect;
use crate::ir::Proof;
use crate::ir::proof::is_foreign;
use crate::wire::json::Text;

/// Marks, within a sealed proof, thinking of which there is no text: its home wants it back in another form.
const REDACTED: &str = "redacted:";

/// What stood in a reasoning item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept<'a> {
    /// The proof of the item's text.
    Proof(Proof<'a>),
    /// The whole of it.
    Redacted(Proof<'a>),
}

/// From an upstream's item, or from a client's that this dialect's provider made.
pub(super) fn at_home(id: Option<&Text<'_>>, encrypted: &Text<'_>) -> Option<Proof<'static>> {
    if encrypted.is_empty() {
        return None;
    }
    let id =
        id.map(Text::plain).filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    let value = format!("{}:{}", id.unwrap_or_default(), encrypted.plain());
    Some(Proof { home: Dialect::Responses, value: value.into() })
}

/// From a client's item.
pub(super) fn open<'a>(id: Option<&Text<'_>>, encrypted: Text<'a>) -> Option<Kept<'a>> {
    if !is_foreign(&encrypted.plain()) {
        return at_home(id, &encrypted).map(Kept::Proof);
    }
    let proof = Proof::open(Dialect::Responses, encrypted)?;
    let value = proof.value.plain().into_owned();
    Some(match value.strip_prefix(REDACTED) {
        Some(rest) => Kept::Redacted(Proof { home: proof.home, value: rest.to_owned().into() }),
        None => Kept::Proof(proof),
    })
}

/// Item id (if it is known) and encrypted content, at home.
pub(super) fn parts(value: &Text<'_>) -> (Option<String>, String) {
    let plain = value.plain();
    match plain.split_once(':') {
        Some((id, encrypted)) => (Some(id.to_owned()).filter(|id| !id.is_empty()), encrypted.to_owned()),
        None => (None, plain.into_owned()),
    }
}

/// The `encrypted_content` that a client keeps; empty without a proof.
pub(super) fn seal(proof: Option<&Proof<'_>>) -> String {
    match proof {
        None => String::new(),
        Some(proof) if proof.home == Dialect::Responses => parts(&proof.value).1,
        Some(proof) => proof.seal(Dialect::Responses).plain().into_owned(),
    }
}

/// The same for thinking that only its home can read.
pub(super) fn seal_redacted(data: &Proof<'_>) -> String {
    if data.home == Dialect::Responses {
        return seal(Some(data));
    }
    let marked = Proof { home: data.home, value: format!("{REDACTED}{}", data.value.plain()).into() };
    seal(Some(&marked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_kept_comes_home() {
        let id = Text::from("rs_1");
        let own = at_home(Some(&id), &"gAAA==".into()).unwrap();
        assert_eq!(parts(&own.value), (Some("rs_1".to_owned()), "gAAA==".to_owned()));
        assert_eq!(open(Some(&id), seal(Some(&own)).into()), Some(Kept::Proof(own)));
        let foreign = Proof { home: Dialect::Anthropic, value: "Eq/=".into() };
        assert_eq!(open(Some(&id), seal(Some(&foreign)).into()), Some(Kept::Proof(foreign.clone())));
        assert_eq!(open(Some(&id), seal_redacted(&foreign).into()), Some(Kept::Redacted(foreign)));
        assert_eq!(open(Some(&id), seal(None).into()), None);
    }

    #[test]
    fn an_odd_id_is_left_out() {
        let proof = at_home(Some(&"a:b\"".into()), &"x".into()).unwrap();
        assert_eq!(parts(&proof.value), (None, "x".to_owned()));
    }
}

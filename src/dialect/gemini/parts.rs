//! Parts of a reply for a Gemini client.
//!
//! Invariant: every call is whole, and its arguments an object.

use super::signature;
use crate::config::Dialect;
use crate::dialect::tool_call::write_input;
use crate::ir::Proof;
use crate::ir::chat::Logprob;
use crate::wire::json::{Array, Object, Text};

/// Text.
pub(super) fn text(text: &Text<'_>, parts: &mut Array<'_>) {
    parts.object(|part| {
        part.text("text", text);
    });
}

/// A thought, or what signs the text before it.
pub(super) fn thinking(text: &Text<'_>, proof: Option<&Proof<'_>>, alone: bool, parts: &mut Array<'_>) {
    let signs_text = alone && text.is_empty() && proof.is_some_and(|proof| proof.home == Dialect::Gemini);
    parts.object(|part| {
        part.text("text", text);
        if !signs_text {
            part.bool("thought", true);
        }
        if let Some(proof) = proof {
            part.text("thoughtSignature", &signature::write(proof));
        }
    });
}

/// Thinking that only its home can read.
pub(super) fn redacted(data: &Proof<'_>, parts: &mut Array<'_>) {
    parts.object(|part| {
        part.str("text", "").bool("thought", true);
        part.text("thoughtSignature", &signature::write_redacted(data));
    });
}

/// A call.
#[derive(Debug)]
pub(super) struct Call<'c> {
    /// Its id.
    pub(super) id: &'c Text<'c>,
    /// The tool.
    pub(super) name: &'c Text<'c>,
    /// JSON text, or the input of a custom tool.
    pub(super) arguments: &'c str,
    /// Whether the tool is a custom one.
    pub(super) custom: bool,
    /// What proves it.
    pub(super) proof: Option<&'c Proof<'c>>,
    /// Whether it is the first of its turn, which Google wants signed.
    pub(super) first: bool,
}

impl Call<'_> {
    /// Writes it.
    pub(super) fn write(&self, parts: &mut Array<'_>) {
        parts.object(|part| {
            part.object("functionCall", |call| {
                call.text("id", self.id).text("name", self.name);
                if self.custom {
                    call.object("args", |args| {
                        args.str("input", self.arguments);
                    });
                } else {
                    write_input(self.arguments, call.member("args"));
                }
            });
            match self.proof {
                Some(proof) => {
                    part.text("thoughtSignature", &signature::write(proof));
                }
                None if self.first => {
                    part.str("thoughtSignature", signature::UNPROVED);
                }
                None => {}
            }
        });
    }
}

/// Writes `logprobsResult`, unless there is nothing to say.
pub(super) fn logprobs(logprobs: &[Logprob<'_>], candidate: &mut Object<'_>) {
    if logprobs.is_empty() {
        return;
    }
    let token = |token: &Text<'_>, logprob: &str, list: &mut Array<'_>| {
        list.object(|object| {
            object.text("token", token).raw("logProbability", logprob);
        });
    };
    candidate.object("logprobsResult", |result| {
        result.array("topCandidates", |tops| {
            for logprob in logprobs {
                tops.object(|top| {
                    top.array("candidates", |list| {
                        logprob.top.iter().for_each(|(text, logprob)| token(text, logprob, list));
                    });
                });
            }
        });
        result.array("chosenCandidates", |list| {
            logprobs.iter().for_each(|logprob| token(&logprob.token, &logprob.logprob, list));
        });
    });
}

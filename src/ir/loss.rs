//! What could not be carried: dropped, and said.

use super::chat::Message;

/// JSON paths, in the client's own terms, of what the upstream's dialect cannot say. Order of discovery, no doubles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loss(Vec<String>);

impl Loss {
    /// A member of the request, such as `seed`.
    pub fn drop(&mut self, path: impl Into<String>) {
        let path = path.into();
        if !self.0.contains(&path) {
            self.0.push(path);
        }
    }

    /// A member of one part of a message: `messages[3].content[1].cache_control`.
    pub fn drop_in(&mut self, message: &Message<'_>, part: usize, member: &str) {
        let owner = message.at.map_or_else(|| "system".to_owned(), |at| format!("messages[{at}].content"));
        let member = if member.is_empty() { String::new() } else { format!(".{member}") };
        self.drop(format!("{owner}[{part}]{member}"));
    }

    /// What was dropped.
    #[must_use]
    pub fn paths(&self) -> &[String] {
        &self.0
    }
}

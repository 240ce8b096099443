//! What could not be carried: dropped, and said.

use super::chat::Message;

/// Paths that are kept. A request that loses more is not told better by a longer list, and a hostile one must not make
/// every new path be compared with a million others.
const MAX_PATHS: usize = 128;
/// Bytes of a path that are kept: member names are the client's, of any length.
const MAX_PATH: usize = 256;

/// JSON paths, in the client's own terms, of what the upstream's dialect cannot say. Order of discovery, no doubles;
/// at most 128.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loss(Vec<String>);

impl Loss {
    /// A member of the request, such as `seed`.
    pub fn drop(&mut self, path: impl Into<String>) {
        if self.0.len() >= MAX_PATHS {
            return;
        }
        let mut path = path.into();
        if path.len() > MAX_PATH {
            let cut = (0..=MAX_PATH).rev().find(|at| path.is_char_boundary(*at)).unwrap_or(0);
            path.truncate(cut);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_request_cannot_make_the_list_long() {
        let mut loss = Loss::default();
        (0..1_000).for_each(|at| loss.drop(format!("x{at}")));
        assert_eq!(loss.paths().len(), MAX_PATHS);
        let mut loss = Loss::default();
        loss.drop("é".repeat(1_000));
        loss.drop("é".repeat(1_001));
        assert_eq!(loss.paths(), ["é".repeat(MAX_PATH / 2)]);
    }
}

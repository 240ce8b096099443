//! What could not be carried: dropped, and said.

use super::chat::Message;

/// Paths that are kept. A request that loses more is not told better by a longer list, and a hostile one must not make
/// every new path be compared with a million others.
const MAX_PATHS: usize = 128;
/// Stands behind what a list has no room for, and behind a path that is too long.
pub const MORE: &str = "...";
/// Names of one object's members that a reader need not hold more of, until it knows how what holds them is told: one more
/// than there is room for, so that a list is seen to be cut.
pub const MAX_NAMES: usize = MAX_PATHS + 1;
/// Bytes of a path that are kept: member names are the client's, of any length.
const MAX_PATH: usize = 256;

/// JSON paths, in the client's own terms, of what the upstream's dialect cannot say. Order of discovery, no doubles;
/// at most 128, and behind them [`MORE`] if there are others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loss {
    paths: Vec<String>,
    /// [`Loss::words`].
    words: Vec<(&'static str, &'static str)>,
}

impl Loss {
    /// A member of the request, such as `seed`.
    pub fn drop(&mut self, path: impl Into<String>) {
        let cut = self.is_cut();
        let told = self.paths.len() - usize::from(cut);
        if cut && told >= MAX_PATHS {
            return;
        }
        let mut path = path.into();
        if path.len() > MAX_PATH {
            let cut = (0..=MAX_PATH).rev().find(|at| path.is_char_boundary(*at)).unwrap_or(0);
            path.truncate(cut);
            path.push_str(MORE);
        }
        if self.paths.contains(&path) {
            return;
        }
        match path.as_str() {
            MORE => self.paths.push(path),
            _ if told >= MAX_PATHS => self.paths.push(MORE.to_owned()),
            _ => self.paths.insert(told, path),
        }
    }

    /// Whether more was dropped than is listed.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.paths.last().is_some_and(|last| last == MORE)
    }

    /// A member of one part of a message: `messages[3].content[1].cache_control`.
    pub fn drop_in(&mut self, message: &Message<'_>, part: usize, member: &str) {
        let joint = if member.is_empty() { "" } else { "." };
        self.drop(format!("{}{joint}{member}", message.place(part)));
    }

    /// A member of something that a tool returned: `messages[3].content[1].content[0].detail`.
    pub fn drop_inside(&mut self, message: &Message<'_>, part: usize, inner: usize, member: &str) {
        let joint = if member.is_empty() { "" } else { "." };
        self.drop(format!("{}{joint}{member}", message.place(part).inside(inner)));
    }

    /// Everything of a turn in which a part stands.
    pub fn drop_turn(&mut self, message: &Message<'_>, part: usize) {
        self.drop(message.place(part).turn());
    }

    /// All that another list says.
    pub fn add(&mut self, other: &Self) {
        other.paths.iter().for_each(|path| self.drop(path.as_str()));
    }

    /// What was dropped.
    #[must_use]
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Of several names that the client's dialect has for one thing, this request uses `own` for what is `neutral`.
    pub fn call(&mut self, neutral: &'static str, own: &'static str) {
        self.words.push((neutral, own));
    }

    /// Neutral names, and what this request has in their place. The first that fits counts.
    #[must_use]
    pub fn words(&self) -> &[(&'static str, &'static str)] {
        &self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_request_cannot_make_the_list_long() {
        let mut loss = Loss::default();
        (0..1_000).for_each(|at| loss.drop(format!("x{at}")));
        assert_eq!(loss.paths().len(), MAX_PATHS + 1);
        assert_eq!(&loss.paths()[MAX_PATHS - 1..], ["x127", "..."], "and says so");
        // Others know that it was not whole, and so does what is made of both.
        let mut both = Loss::default();
        both.add(&loss);
        assert_eq!(both, loss);
        let mut cut = Loss::default();
        cut.drop("...");
        cut.drop("a");
        cut.drop("...");
        assert_eq!(cut.paths(), ["a", "..."]);
        let mut loss = Loss::default();
        loss.drop("é".repeat(1_000));
        loss.drop("é".repeat(1_001));
        assert_eq!(loss.paths(), [format!("{}...", "é".repeat(MAX_PATH / 2))]);
    }
}

//! JSON as spans (RFC 8259): a pull reader that never builds a tree, and a writer that never re-escapes.
//!
//! Strings are handed around as [`Text`], which keeps the escaped form it was read in: copying a prompt from
//! one dialect to another is one `memcpy`. Numbers stay text (`23` digits, `1e3`), so none is rounded.

mod reader;
mod scan;
mod text;
mod writer;

pub use reader::{Error, Kind, MAX_DEPTH, Reader};
pub use text::{Text, escape_into};
pub use writer::{Array, Object, write_int, write_str};

#[cfg(test)]
mod tests;

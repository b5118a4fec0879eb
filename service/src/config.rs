//! Configuration from one table of keys.
//!
//! A program lists its keys once, as [`Key`]s. From that table come the flags, the environment variables, the help text,
//! the defaults, and the check of every value's form, with messages that name file, line, key, what was expected and what
//! was found. A flag beats the environment, and that beats the file.

mod command;
mod document;
mod form;
mod key;
mod problem;
mod source;

pub use command::{Argument, Chosen, Command};
pub use document::Document;
pub use form::Form;
pub use key::{COMMON, Default, Key, environment_name, flag_name};
pub use problem::{Origin, Problem, Problems};
pub use source::{Inputs, Loaded, load};

use serde::Deserialize as _;
use std::time::Duration;

/// What a binary is called, and which configuration keys it knows.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// As it is typed, e.g. `footfall-gateway`.
    pub name: &'static str,
    /// The version that `--version` prints.
    pub version: &'static str,
    /// One line for `--help`.
    pub about: &'static str,
    /// Its own keys; [`COMMON`] is added to them.
    pub keys: &'static [Key],
    /// What it can do with a configuration besides serving.
    pub commands: &'static [Command],
}

impl Program {
    /// Its own keys and those of every binary.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> + Clone {
        self.keys.iter().chain(COMMON)
    }
}

/// For `#[serde(deserialize_with = "duration")]`: a checked document holds durations as whole milliseconds.
///
/// # Errors
/// When the value is not a non-negative integer.
pub fn duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

/// The same for a duration that may be left out; needs `#[serde(default)]` beside it.
///
/// # Errors
/// When the value is there and not a non-negative integer.
pub fn optional_duration<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    Option::<u64>::deserialize(deserializer).map(|millis| millis.map(Duration::from_millis))
}

#[cfg(test)]
mod tests;

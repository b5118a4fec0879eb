//! Where accepted events wait on disk while Kafka is slow, full or away.
//!
//! [`log`] knows what lies where and decides (pure), [`frame`] and [`segment`] are the formats on disk (pure), [`folder`]
//! is the files, and [`keeper`] the thread that writes them, so that no request ever waits for a disk.

pub(crate) mod folder;
pub(crate) mod frame;
pub(crate) mod keeper;
mod keys;
pub(crate) mod log;
mod ranges;
pub(crate) mod segment;
#[cfg(test)]
mod tests;

pub(crate) use folder::{Folder, Left, Unread};
pub(crate) use log::Log;

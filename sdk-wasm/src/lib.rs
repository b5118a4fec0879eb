//! The browser SDK's core: sessions, page views, masking, and what is sent when.
//!
//! All that decides anything is plain Rust and runs on any target; only `browser` meets a page, and
//! exists only on wasm32. What is made of strings and elements is TypeScript, in `script/`: there
//! the browser does most of it, and every byte here is downloaded by every visitor. So nothing here
//! formats with `core::fmt`, parses JSON or panics with a message.

#![expect(
    clippy::single_char_add_str,
    reason = "to push a character takes the code that encodes characters, which nothing else needs"
)]

pub mod delivery;
pub mod json;
pub mod ledger;
pub mod mask;
pub mod options;
pub mod queue;
pub mod retry;
pub mod scan;
pub mod session;
pub mod tracker;
pub mod uuid;
pub mod views;

#[cfg(target_arch = "wasm32")]
pub mod browser;

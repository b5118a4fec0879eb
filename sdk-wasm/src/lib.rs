//! The browser SDK: records page views, clicks and a site's own events, and sends them in batches.
//!
//! All that decides anything is plain Rust and runs on any target. Only `browser` touches a page,
//! and exists only on wasm32. Every byte is downloaded by every visitor, so nothing here formats
//! with `core::fmt`, parses JSON or panics with a message.

pub mod address;
pub mod delivery;
pub mod element;
pub mod event;
pub mod json;
pub mod ledger;
pub mod mask;
pub mod options;
pub mod queue;
pub mod retry;
pub mod scan;
pub mod session;
pub mod text;
pub mod tracker;
pub mod uuid;
pub mod views;

#[cfg(target_arch = "wasm32")]
pub mod browser;

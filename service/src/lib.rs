//! What every Footfall binary has in common: one way to be configured, to log, to say how it is, to be measured and to stop.
//!
//! A binary is a [`Program`] (its name and its table of configuration keys), a function that turns the checked document
//! into its own configuration, and a function that runs it; [`lifecycle::run`] is the rest.

pub mod config;
pub mod folder;
pub mod health;
pub mod http;
pub mod kafka;
pub mod lifecycle;
pub mod logs;
pub mod metrics;
pub mod shutdown;
pub mod thread;

pub use config::Program;

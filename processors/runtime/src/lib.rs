//! The Kafka shell that every processor stands on: consume, apply, write, commit.
//!
//! [`Runtime`] runs a [`Processor`](footfall_task::Processor) in a consumer group, at least once:
//! what a record leads to is written and acknowledged before the record's offset is committed. State
//! comes back from its changelog when a partition is assigned. Nothing here ends the process: what
//! fails is tried again, and [`Status`] says why nothing goes on.

mod clock;
mod config;
mod metrics;
mod quiet;
mod restore;
mod runtime;
mod session;
mod status;
mod topics;
mod watch;
mod writer;

pub use config::Config;
pub use metrics::Metrics;
pub use runtime::Runtime;
pub use status::Status;

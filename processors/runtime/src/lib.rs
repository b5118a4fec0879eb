//! The Kafka shell that every processor stands on: consume, apply, write, commit.
//!
//! [`Runtime`] runs a [`Processor`](footfall_task::Processor) in a consumer group. What a record
//! leads to is written in one transaction with the record's offset ([`Delivery::ExactlyOnce`]), or
//! is acknowledged before it ([`Delivery::AtLeastOnce`]). State comes back from its changelog when a
//! partition is assigned. Nothing here ends the process: what fails is tried again, and [`Status`]
//! says why nothing goes on.

mod changelogs;
mod clock;
mod config;
mod definition;
mod instance;
mod lag;
mod measure;
mod metrics;
mod native;
mod owners;
mod places;
mod policies;
mod properties;
mod quiet;
mod reach;
mod reader;
mod restore;
mod runtime;
mod session;
mod stand;
mod status;
mod store;
mod tables;
mod topics;
mod upstream;
mod watch;
mod writer;

pub use config::{Config, Delivery};
pub use metrics::{Metrics, Tally};
pub use places::{Lag, Owner, Places};
pub use runtime::Runtime;
pub use status::Status;

//! The shop in a real Chromium, and the records that lie in Kafka afterwards.

mod delivery;
mod opt_out;
mod policy;
mod refusal;
mod stage;
mod story;
mod twin;
mod visit;

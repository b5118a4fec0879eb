//! One test binary, a module a scenario: everything runs as it is shipped, and is seen from outside.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod browser;
mod configuration;
mod demo;
mod documentation;
mod gateway;
mod layout;
mod lifecycle;
mod packages;
mod pipeline;

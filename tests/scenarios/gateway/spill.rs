//! Nothing accepted is lost: what the spill does while Kafka is away, frozen or unwilling, and after a crash.

mod disk;
mod file_system;
mod large;
mod live;
mod outage;
mod refused;

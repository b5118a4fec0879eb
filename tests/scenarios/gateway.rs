//! The gateway against Apache Kafka: what is taken, what is refused, and how it behaves in faults.

mod bad_input;
mod faults;
mod records;

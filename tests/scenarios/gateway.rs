//! The gateway against Apache Kafka: what is taken, what is refused, and how it behaves in faults.

mod bad_input;
mod balancer;
mod faults;
mod hot_key;
mod kafka_tls;
mod records;

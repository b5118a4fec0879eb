//! The gateway against Apache Kafka: what is taken, what is refused, and how it behaves in faults.

mod abuse;
mod ack;
mod answers;
mod bad_input;
mod balancer;
mod bodies;
mod clocks;
mod codes;
mod delivery;
mod edge;
mod faults;
mod hot_key;
mod kafka_tls;
mod load;
mod odd_input;
mod operation;
mod otlp;
mod privacy;
mod records;
mod sdk;
mod sites;
mod spill;
mod tls;
mod visitors;

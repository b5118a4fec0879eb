//! The Kafka shell that every processor stands on.

//! The aggregation processor.

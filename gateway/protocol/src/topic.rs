//! Topic names.

/// Where the gateway puts accepted events.
pub const EVENTS: &str = "footfall.events.v1";

/// Where the gateway puts rejected events, byte for byte as they were sent.
pub const REJECTED: &str = "footfall.events.v1.rejected";

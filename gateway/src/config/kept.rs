use footfall_service::kafka::Kept;

/// The properties by which the gateway keeps what it promises.
pub(super) const KEPT: &[Kept] = &[
    Kept {
        name: "acks",
        values: &["1", "all", "-1"],
        why: "without acknowledgements nobody knows which events have arrived",
    },
    Kept {
        name: "enable.idempotence",
        values: &["false"],
        why: "such a producer stops for good at the first record that Kafka refuses; events have an `id`, by which what came twice is found",
    },
    Kept {
        name: "max.in.flight.requests.per.connection",
        values: &["1"],
        why: "with more, a request that is repeated comes after a newer one, and a key loses its order",
    },
    Kept {
        name: "transactional.id",
        values: &[],
        why: "the gateway writes no transactions",
    },
];

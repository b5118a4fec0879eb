//! The properties of Kafka's clients that are not the user's to choose.

use crate::{Config, status::Worker};
use footfall_service::{
    config::{Document, Problem},
    kafka::{self, Client, Kept, Kind},
};

/// Those by which a processor keeps what it promises.
const KEPT: &[Kept] = &[
    Kept {
        name: "group.id",
        values: &[],
        why: "it is `group` here",
    },
    Kept {
        name: "enable.auto.commit",
        values: &["false"],
        why: "offsets are committed behind their effects, by `commit_interval`",
    },
    Kept {
        name: "enable.auto.offset.store",
        values: &["false"],
        why: "offsets are committed behind their effects, by `commit_interval`",
    },
    Kept {
        name: "isolation.level",
        values: &["read_committed"],
        why: "what a transaction has taken back would count",
    },
    Kept {
        name: "auto.offset.reset",
        values: &["earliest"],
        why: "it would hold for changelogs too; where a stream begins is its own `start`",
    },
    Kept {
        name: "enable.partition.eof",
        values: &[],
        why: "each consumer says itself whether it has to know where a partition ends",
    },
    Kept {
        name: "partition.assignment.strategy",
        values: &["cooperative-sticky"],
        why: "processes of one group have to agree on it; `group.protocol` is the user's to choose",
    },
    Kept {
        name: "acks",
        values: &["all", "-1"],
        why: "results and state must not be lost with one broker",
    },
    Kept {
        name: "enable.idempotence",
        values: &["true"],
        why: "a request that is repeated would count twice",
    },
    Kept {
        name: "transactional.id",
        values: &[],
        why: "it is made of `group` and of what `state_dir` holds; `delivery` says whether there are transactions",
    },
];

impl Config {
    /// What is wrong with the properties of Kafka's clients.
    #[must_use]
    pub fn check_properties(&self, document: &Document) -> Vec<Problem> {
        let worker = Worker::default();
        let consumer = |config| Client {
            kind: Kind::Consumer,
            config,
        };
        let producer = |config| Client {
            kind: Kind::Producer,
            config,
        };
        let clients = [
            consumer(self.source_consumer(worker)),
            consumer(self.observer()),
            producer(self.effect_producer("check", worker)),
            producer(self.kafka.admin()),
        ];
        kafka::check(document, &self.kafka, KEPT, &clients)
    }
}

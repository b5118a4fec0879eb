//! Where records go.

use crate::outgoing::Outgoing;
use footfall_service::health;

/// Takes the records of a request: all of them, or none.
pub trait Sink: Send + Sync + 'static {
    /// Takes the records into a bounded queue; never blocks.
    ///
    /// # Errors
    /// When there is no room for all of them; then none is taken.
    fn take(&self, outgoing: &Outgoing) -> Result<(), Unavailable>;

    /// How the sink is now; never blocks.
    fn health(&self) -> Health;
}

/// Nothing was taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Too much is waiting for Kafka.
    #[error("the queue to kafka has no room for this request")]
    Full,
    /// The gateway is stopping.
    #[error("the gateway is stopping")]
    Closed,
    /// Kafka's client takes nothing.
    #[error("kafka takes no events: {0}")]
    Refused(String),
}

/// How a sink is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether events can be taken.
    pub takes: bool,
    /// Whether Kafka is within reach.
    pub kafka: health::Kafka,
    /// In words, when something is not as it should be.
    pub reason: Option<String>,
}

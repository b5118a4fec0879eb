//! Where records go.

use crate::outgoing::Outgoing;
use footfall_service::health;
use std::time::Duration;
use tokio::{sync::oneshot, time::timeout};

/// Takes the records of a request: all of them, or none.
pub trait Sink: Send + Sync + 'static {
    /// Takes the records into a bounded queue, or into the spill; never blocks.
    ///
    /// # Errors
    /// When there is no room for all of them; then none is taken.
    fn take(&self, outgoing: Outgoing) -> Result<Receipt, Unavailable>;

    /// Whether no request at all can be taken now; never blocks.
    fn is_full(&self) -> bool;

    /// How the sink is now; never blocks.
    fn health(&self) -> Health;
}

/// Says that a request was taken, and, where that is waited for, what becomes of it.
#[derive(Debug)]
pub struct Receipt(Option<oneshot::Receiver<bool>>);

impl Receipt {
    /// Of records that need no more than to be taken.
    #[must_use]
    pub fn taken() -> Self {
        Self(None)
    }

    /// Of records whose fate `heard` will tell: whether Kafka has acknowledged all of them.
    #[must_use]
    pub fn pending(heard: oneshot::Receiver<bool>) -> Self {
        Self(Some(heard))
    }

    /// Waits for what was promised: nothing more, or Kafka's acknowledgement of every record.
    ///
    /// # Errors
    /// When Kafka has not acknowledged them within `ack_timeout`, or does not take one of them. Those that are on their
    /// way may still arrive.
    pub async fn honoured(self, ack_timeout: Duration) -> Result<(), Unavailable> {
        let Some(heard) = self.0 else {
            return Ok(());
        };
        match timeout(ack_timeout, heard).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false) | Err(_)) => Err(Unavailable::Lost),
            Err(_) => Err(Unavailable::Unacknowledged),
        }
    }
}

/// Why a request cannot be answered with a promise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Too much is waiting for Kafka. Nothing was taken.
    #[error("the queue to kafka has no room for this request")]
    Full,
    /// The gateway is stopping. Nothing was taken.
    #[error("the gateway is stopping")]
    Closed,
    /// The records were taken, and are still on their way.
    #[error("kafka has not acknowledged the events within `ack_timeout`; they may still arrive")]
    Unacknowledged,
    /// The records were taken, and Kafka has refused one of them, or the gateway had to stop.
    #[error("kafka did not take every event of this request")]
    Lost,
}

impl Unavailable {
    /// Whether the records were taken all the same.
    #[must_use]
    pub fn was_taken(&self) -> bool {
        matches!(self, Self::Unacknowledged | Self::Lost)
    }
}

/// How a sink is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether events can be taken.
    pub takes: bool,
    /// Whether Kafka is within reach.
    pub kafka: health::Kafka,
    /// The state of the spill.
    pub spill: health::Spill,
    /// In words, when something is not as it should be.
    pub reason: Option<String>,
}

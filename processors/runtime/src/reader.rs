//! What consumers meet while they read: counted, told once for each cause, and in `/readyz` while it
//! lasts.

use crate::{Metrics, Status, quiet::Quiet};
use footfall_service::kafka::reach::is_of_connection;
use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode as Code},
};
use std::{fmt, sync::Arc, time::Duration};

/// librdkafka tries again after half a second, or after ten when it is about a connection; what has
/// not come again for so long is over.
const UNTIL_OVER: Duration = Duration::from_secs(15);

/// What a consumer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    Sources,
    Tables,
    /// Changelogs, to bring state back.
    Changelogs,
    /// Changelogs, for the local store.
    Store,
    /// The oldest records that are not counted yet.
    Lag,
}

/// The context of a consumer, which hears of all its errors.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    reads: Reads,
    status: Arc<Status>,
    metrics: Metrics,
}

impl Reads {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sources => "sources",
            Self::Tables => "tables",
            Self::Changelogs => "changelogs",
            Self::Store => "store",
            Self::Lag => "lag",
        }
    }
}

impl fmt::Display for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sources => "reading sources",
            Self::Tables => "reading tables",
            Self::Changelogs => "reading changelogs",
            Self::Store => "following changelogs for the local store",
            Self::Lag => "measuring the lag",
        })
    }
}

impl Reader {
    pub(crate) fn new(reads: Reads, status: &Arc<Status>, metrics: &Metrics) -> Self {
        Self {
            reads,
            status: Arc::clone(status),
            metrics: metrics.clone(),
        }
    }

    /// Counts an error.
    pub(crate) fn count(&self, code: Code) {
        self.metrics.read_error(self.reads.name(), code);
    }

    /// Counts an error, and tells it unless it is about a connection, which the watch tells.
    fn failed(&self, code: Code, reason: &str) {
        // Where a partition ends is no error, though it comes as one.
        if code == Code::PartitionEOF {
            return;
        }
        self.count(code);
        if is_of_connection(code) {
            tracing::debug!(reader = self.reads.name(), "librdkafka: {reason}");
            return;
        }
        let cause = format!("{} {code:?}", self.reads.name());
        let reason = format!("{}: {reason}", self.reads);
        self.status.meets(cause, &reason, UNTIL_OVER);
    }
}

impl ClientContext for Reader {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        Quiet.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(code) = error.rdkafka_error_code() {
            self.failed(code, reason);
        }
    }
}

impl ConsumerContext for Reader {}

/// Whether this error means that what lies on the topic cannot be read as it is, so that nothing
/// behind it may be taken for all there is.
pub(crate) fn is_of_content(code: Code) -> bool {
    matches!(
        code,
        Code::BadCompression
            | Code::BadMessage
            | Code::NotImplemented
            | Code::MessageSizeTooLarge
            | Code::InvalidMessage
            | Code::InvalidMessageSize
            | Code::InvalidRecord
    )
}

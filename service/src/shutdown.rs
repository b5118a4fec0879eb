//! Signals: when to drain, when to reload.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The signals of this process, from now on.
#[derive(Debug)]
pub struct Signals {
    /// Cancelled by the first SIGTERM or SIGINT; further ones change nothing.
    pub stop: CancellationToken,
    /// SIGHUP: reload what can be reloaded.
    pub reload: Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn listen() -> std::io::Result<Self> {
        let stop = CancellationToken::new();
        for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
            let mut received = signal(kind)?;
            let stop = stop.clone();
            // The handler stays for ever, so that no later signal falls back to ending the process.
            tokio::spawn(async move {
                while received.recv().await.is_some() {
                    stop.cancel();
                }
            });
        }
        Ok(Self {
            stop,
            reload: signal(SignalKind::hangup())?,
        })
    }
}

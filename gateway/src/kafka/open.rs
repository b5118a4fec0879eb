//! What an earlier run has left in the spill: read at start, or, where it is much, while requests are already taken.

use super::Shared;
use crate::{
    config::Config,
    metrics::{Dropped, Metrics},
    spill::{
        Folder, Left, Log, Unread,
        log::{Found, Limits},
    },
};
use std::{thread, time::Duration};

/// How long until files that could not be read are tried again.
const RETRY: Duration = Duration::from_secs(1);

/// The spill, and what of it is still to be read.
pub(super) struct Opened {
    pub(super) folder: Folder,
    pub(super) log: Log,
    pub(super) unread: Option<Unread>,
}

/// Opens the spill, if there is to be one.
///
/// # Errors
/// When it cannot be written or read.
pub(super) fn spill(config: &Config, metrics: &Metrics) -> anyhow::Result<Option<Opened>> {
    let Some(dir) = &config.spill.dir else {
        return Ok(None);
    };
    let folder = Folder::open(dir)?;
    let (log, unread) = match folder.look(limits(config))? {
        Left::Read(log, found) => {
            count(&found, metrics);
            (log, None)
        }
        Left::Unread(log, unread) => {
            tracing::info!(
                bytes = log.bytes(),
                "the spill is read while requests are taken"
            );
            (log, Some(unread))
        }
    };
    Ok(Some(Opened {
        folder,
        log,
        unread,
    }))
}

pub(super) fn limits(config: &Config) -> Limits {
    Limits {
        disk: config.spill.max_bytes,
        memory: config.kafka.queue / 2,
    }
}

/// Reads the rest, and puts it before what has come since. Nothing is replayed until then.
pub(super) fn read_rest(shared: &Shared, folder: &Folder, unread: &Unread, limits: Limits) {
    while !shared.is_stopped() {
        match folder.restore(unread, limits, || shared.is_stopped()) {
            Ok((older, found)) => {
                if let Some(log) = shared.pending().log_mut() {
                    log.join(older);
                }
                count(&found, &shared.metrics);
                return;
            }
            Err(_) if shared.is_stopped() => return,
            Err(error) => {
                tracing::error!(
                    "the spill cannot be read, and is not replayed until it can: {error:#}"
                );
                thread::sleep(RETRY);
            }
        }
    }
}

fn count(found: &Found, metrics: &Metrics) {
    let Found {
        events,
        lost,
        damage,
    } = *found;
    if lost > 0 || damage > 0 {
        tracing::error!(
            records = lost,
            bytes = damage,
            "the spill is damaged: the rest of it is replayed"
        );
    }
    if events > 0 {
        tracing::info!(events, "events from the spill will be replayed");
    }
    metrics.recovered(events + lost);
    metrics.dropped(Dropped::SpillCorrupt, lost);
}

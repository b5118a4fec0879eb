//! Browsers that wait for the next test. Starting one takes more than most scenarios do.

use super::{Kind, session::Session};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{runtime::Handle, task::block_in_place, time::timeout};

/// A browser that takes longer than this to close its pages is not used again.
const LIMIT: Duration = Duration::from_secs(10);

static IDLE: Mutex<Vec<(Kind, Session)>> = Mutex::new(Vec::new());

/// One of this kind that nobody uses, if there is one.
pub(super) fn take(kind: Kind) -> Option<Session> {
    let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let newest = idle.iter().rposition(|(of, _)| *of == kind)?;
    Some(idle.remove(newest).1)
}

/// Makes it as good as new for the next test, or ends it.
pub(super) fn give_back(kind: Kind, session: Session) {
    let cleared = block_in_place(|| Handle::current().block_on(timeout(LIMIT, session.clear())));
    if matches!(cleared, Ok(Ok(()))) {
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((kind, session));
    }
}

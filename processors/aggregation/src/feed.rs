//! What goes on right now, for whoever watches: results as they are written, records as they come.
//! Watchers never hold up the work: one that is too slow misses what it could not take.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::broadcast;

/// Items as they come, and the last few of them.
#[derive(Debug)]
pub(crate) struct Feed {
    kept: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    last: VecDeque<Arc<str>>,
    sender: broadcast::Sender<Arc<str>>,
}

impl Feed {
    /// A feed that keeps the last `kept` items for who comes later, and holds the last `waiting`
    /// ones for who is slow.
    pub(crate) fn new(kept: usize, waiting: usize) -> Self {
        let inner = Inner {
            last: VecDeque::with_capacity(kept),
            sender: broadcast::Sender::new(waiting),
        };
        Self {
            kept,
            inner: Mutex::new(inner),
        }
    }

    /// Whether an item would reach anyone, now or later.
    pub(crate) fn is_of_use(&self) -> bool {
        self.kept > 0 || self.with(|inner| inner.sender.receiver_count() > 0)
    }

    pub(crate) fn push(&self, item: Arc<str>) {
        self.with(|inner| {
            if self.kept > 0 {
                if inner.last.len() == self.kept {
                    inner.last.pop_front();
                }
                inner.last.push_back(Arc::clone(&item));
            }
            // Nobody watching is no fault.
            let _watchers = inner.sender.send(item);
        });
    }

    /// The last items, and those to come, without one between missing or twice.
    pub(crate) fn watch(&self) -> (Vec<Arc<str>>, broadcast::Receiver<Arc<str>>) {
        self.with(|inner| {
            (
                inner.last.iter().cloned().collect(),
                inner.sender.subscribe(),
            )
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::Feed;

    #[tokio::test]
    async fn who_comes_later_gets_the_last_items_and_then_what_comes() {
        let feed = Feed::new(2, 8);
        for item in ["1", "2", "3"] {
            feed.push(item.into());
        }
        let (last, mut coming) = feed.watch();
        feed.push("4".into());
        assert_eq!(
            last.iter().map(|item| &**item).collect::<Vec<_>>(),
            ["2", "3"]
        );
        assert_eq!(&*coming.recv().await.unwrap(), "4");
    }
}

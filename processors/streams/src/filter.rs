use crate::{Extract, Extracted, Unusable};
use footfall_task::{Record, Timestamp};
use std::{fmt, sync::Arc};

type Predicate = dyn Fn(&Record<'_>) -> bool + Send + Sync;

/// Conditions that a record must meet, each of them.
#[derive(Clone, Default)]
pub(crate) struct Filters(Vec<Arc<Predicate>>);

impl Filters {
    pub(crate) fn push(&mut self, keep: impl Fn(&Record<'_>) -> bool + Send + Sync + 'static) {
        self.0.push(Arc::new(keep));
    }

    pub(crate) fn keep(&self, record: &Record<'_>) -> bool {
        self.0.iter().all(|keep| keep(record))
    }

    /// What they do, for people: that they are there is all there is to say.
    pub(crate) fn describe(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.0.iter().map(|_| ("where", "a function".to_owned()))
    }

    /// A reader that sees only what they keep.
    pub(crate) fn before(self, inner: Arc<dyn Extract>) -> Arc<dyn Extract> {
        if self.0.is_empty() {
            return inner;
        }
        Arc::new(Filtered {
            filters: self,
            inner,
        })
    }
}

impl fmt::Debug for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filters").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Filtered {
    filters: Filters,
    inner: Arc<dyn Extract>,
}

impl Extract for Filtered {
    fn extract(&self, record: &Record<'_>) -> Result<Option<Extracted>, Unusable> {
        if self.filters.keep(record) {
            self.inner.extract(record)
        } else {
            Ok(None)
        }
    }

    fn complete(
        &self,
        record: &Record<'_>,
        key: &[u8],
        time: Timestamp,
    ) -> Result<Option<Extracted>, Unusable> {
        self.inner.complete(record, key, time)
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        let filters = self.filters.describe();
        filters.chain(self.inner.describe()).collect()
    }
}

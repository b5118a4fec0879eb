use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The memory that all bodies may take together.
#[derive(Debug)]
pub(super) struct Memory {
    limit: usize,
    held: AtomicUsize,
}

/// A request's share of it, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    memory: Arc<Memory>,
    bytes: usize,
}

impl Memory {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        let held = AtomicUsize::new(0);
        Arc::new(Self { limit, held })
    }

    pub(super) fn share(self: &Arc<Self>) -> Share {
        Share {
            memory: self.clone(),
            bytes: 0,
        }
    }
}

impl Share {
    /// Takes so many bytes more, if they are there.
    #[must_use]
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        let held = self.memory.held.fetch_add(bytes, Ordering::Relaxed);
        let fits = held.saturating_add(bytes) <= self.memory.limit;
        if fits {
            self.bytes += bytes;
        } else {
            self.memory.held.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.memory.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_gives_back_another_may_take() {
        let memory = Memory::new(10);
        let (mut first, mut second) = (memory.share(), memory.share());
        assert!(first.grow(4) && first.grow(3) && second.grow(3));
        assert!(!second.grow(1));
        drop(first);
        assert!(second.grow(7) && !second.grow(1));
    }
}

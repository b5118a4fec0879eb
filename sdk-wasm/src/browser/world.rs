//! The tracker's world: this page.

use super::{globals, host, storage};
use crate::{tracker::World, uuid::RANDOM_BYTES};

/// This page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// Whether anything may be kept between pages.
    pub(super) stores: bool,
}

impl World for Page {
    fn random_bytes(&mut self) -> [u8; RANDOM_BYTES] {
        let mut bytes = [0; RANDOM_BYTES];
        globals::fill_random(&mut bytes);
        bytes
    }

    fn stored(&mut self, name: &str) -> Option<String> {
        self.stores.then(|| storage::read(name))?
    }

    fn store(&mut self, name: &str, value: &str) {
        if self.stores {
            storage::write(name, value);
        }
    }

    fn approve(&mut self, event: String) -> Option<String> {
        host::approve(&event)
    }
}

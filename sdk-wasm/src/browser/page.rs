//! The tracker's world: this page.

use super::{host, size};
use crate::{options::Settings, tracker::World};

/// This page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Whether anything may be kept between pages.
    pub(super) stores: bool,
}

impl World for Page {
    fn id(&mut self) -> String {
        host::id()
    }

    fn stored(&mut self, name: &str) -> Option<String> {
        self.stores.then(|| host::read(name))?
    }

    fn store(&mut self, name: &str, value: &str) -> bool {
        self.stores && host::write(name, value)
    }
}

impl Settings for Page {
    fn text(&self, name: &str) -> String {
        host::text(name)
    }

    fn number(&self, name: &str, default: u32) -> usize {
        size(host::number(name, default))
    }

    fn share(&self, name: &str) -> f64 {
        host::share(name)
    }
}

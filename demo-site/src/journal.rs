//! The journal: what the makers write. An entry's text is the template `journal/SLUG.html`.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

/// All entries, the newest first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journal {
    pub(crate) entries: Vec<Entry>,
}

/// One entry, without its text.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) slug: String,
    title: String,
    /// As people write it: `3 October`.
    date: String,
    summary: String,
}

impl Journal {
    /// # Errors
    /// When the file is missing or wrong.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        toml::from_str(&text).with_context(|| format!("read {}", file.display()))
    }

    /// An entry, and the one to read after it, round the end.
    pub(crate) fn entry(&self, slug: &str) -> Option<(&Entry, &Entry)> {
        let index = self.entries.iter().position(|entry| entry.slug == slug)?;
        let next = (index + 1) % self.entries.len();
        Some((self.entries.get(index)?, self.entries.get(next)?))
    }
}

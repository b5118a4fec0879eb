//! The tools that bundle the packed SDK in the tests, in `target/packages/`.

use crate::{cargo, sdk::node};
use anyhow::Context as _;
use std::{fs, path::Path};

/// Installs them, unless that is done.
///
/// # Errors
/// When npm fails, or a file cannot be copied.
pub(crate) fn install(root: &Path) -> anyhow::Result<()> {
    let folder = cargo::target().join("packages");
    fs::create_dir_all(&folder).with_context(|| format!("make folder {}", folder.display()))?;
    for name in ["package.json", "package-lock.json"] {
        let from = root.join("tests/packages").join(name);
        let wanted = fs::read(&from).with_context(|| format!("read {}", from.display()))?;
        let file = folder.join(name);
        // What is there already stays as old as it is, by which npm's work is known to be done.
        if fs::read(&file).ok().as_ref() != Some(&wanted) {
            fs::write(&file, wanted).with_context(|| format!("write {}", file.display()))?;
        }
    }
    node::install(&folder)
}

//! Folders that the configuration names.

use std::{fs, io, path::Path};

/// Tries to write to the folder, or, where it is still to be made, to the nearest one that is there. A full file system is
/// no error: it may have room again when the process runs.
///
/// # Errors
/// When it cannot be written.
pub fn check(path: &Path) -> io::Result<()> {
    let absolute = std::path::absolute(path)?;
    let mut folders = absolute.ancestors();
    let nearest = folders.find(|folder| folder.exists()).unwrap_or(path);
    let probe = nearest.join(format!(".footfall-{}", std::process::id()));
    let written = fs::write(&probe, b"probe");
    let removed = fs::remove_file(&probe);
    match written.map_err(|error| (error.kind(), error)) {
        Err((io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded, _)) => Ok(()),
        Err((_, error)) => Err(error),
        Ok(()) => removed,
    }
}

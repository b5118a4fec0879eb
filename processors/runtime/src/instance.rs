//! Who this process is to Kafka, over restarts.

use anyhow::{Context as _, bail};
use std::{
    fs::{self, File, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::Path,
};
use uuid::Uuid;

/// A name that no other running process has.
///
/// It is the end of the producer's `transactional.id`: when a process that was killed comes back
/// under its old name, Kafka aborts the transaction that it left open at once, instead of holding
/// up every reader until the transaction times out.
#[derive(Debug)]
pub(crate) struct Instance {
    name: String,
    /// Locked for as long as the process lives.
    _claim: Option<File>,
}

impl Instance {
    /// The name that `state_dir` holds, or a new one.
    ///
    /// # Errors
    /// When the folder cannot be used, or another process uses it.
    pub(crate) fn claim(state_dir: Option<&Path>) -> anyhow::Result<Self> {
        let Some(folder) = state_dir else {
            return Ok(Self {
                name: Uuid::new_v4().to_string(),
                _claim: None,
            });
        };
        let path = folder.join("instance");
        Self::claim_file(folder, &path)
            .with_context(|| format!("use `{}`, as `state_dir` says", path.display()))
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn claim_file(folder: &Path, path: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another process uses it; give each process a `state_dir` of its own")
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        // What is no name was not written to its end.
        let known = str::from_utf8(&bytes)
            .ok()
            .and_then(|text| Uuid::parse_str(text.trim()).ok());
        let name = match known {
            Some(name) => name.to_string(),
            None => {
                let name = Uuid::new_v4().to_string();
                file.set_len(0)?;
                file.rewind()?;
                writeln!(file, "{name}")?;
                file.sync_all()?;
                name
            }
        };
        Ok(Self {
            name,
            _claim: Some(file),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_name_and_lends_it_to_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("not/yet");
        let first = Instance::claim(Some(&inner)).unwrap();
        let error = Instance::claim(Some(&inner)).unwrap_err();
        assert!(format!("{error:#}").contains("another process uses it"));
        let name = first.name().to_owned();
        drop(first);
        assert_eq!(Instance::claim(Some(&inner)).unwrap().name(), name);
    }

    #[test]
    fn a_name_that_was_not_written_to_its_end_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("instance"), "3f2a").unwrap();
        let instance = Instance::claim(Some(folder.path())).unwrap();
        assert!(Uuid::parse_str(instance.name()).is_ok());
    }

    #[test]
    fn without_a_folder_every_name_is_new() {
        let names = [(); 2].map(|()| Instance::claim(None).unwrap().name);
        assert_ne!(names[0], names[1]);
    }
}

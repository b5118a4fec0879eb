//! File systems that are small, or cannot be written.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A file system in memory, mounted for one test. Dropping it unmounts it.
#[derive(Debug)]
pub struct Mount {
    path: PathBuf,
    _folder: TempDir,
}

impl Mount {
    /// Mounts one of so many KiB.
    ///
    /// # Panics
    /// When that is not permitted: only root may mount. A test that needs it fails then; it does not look passed.
    #[must_use]
    pub fn of_kib(kib: usize) -> Self {
        let folder = TempDir::new().expect("a folder to mount on");
        let path = folder.path().to_owned();
        let size = format!("size={kib}k");
        run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs"], &path);
        Self {
            path,
            _folder: folder,
        }
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// From now on nothing can be written to it. No file of it may be open for writing.
    ///
    /// # Panics
    /// When it cannot be remounted.
    pub fn make_read_only(&self) {
        run("mount", &["-o", "remount,ro"], &self.path);
    }

    /// It can be written again.
    ///
    /// # Panics
    /// When it cannot be remounted.
    pub fn make_writable(&self) {
        run("mount", &["-o", "remount,rw"], &self.path);
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // A program that a failed test leaves behind may still use it.
        let _gone = Command::new("umount")
            .arg("--lazy")
            .arg(&self.path)
            .status();
    }
}

fn run(command: &str, arguments: &[&str], path: &Path) {
    let arguments = arguments.iter().map(OsStr::new);
    let output = Command::new(command)
        .args(arguments.chain([path.as_os_str()]))
        .output()
        .unwrap_or_else(|error| panic!("start {command}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "this test has to mount a file system, which takes root: {said}"
    );
}

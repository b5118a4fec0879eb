//! The programs under test, as processes.

use crate::wait;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};
use tempfile::TempDir;

/// A built program of the workspace, beside the test's own binary.
///
/// # Panics
/// When it has not been built; says how to.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    let program = profile().join(name);
    assert!(
        program.exists(),
        "{} is not built; run `cargo xtask test`",
        program.display()
    );
    program
}

/// The folder that cargo builds into.
///
/// # Panics
/// Never: tests lie in it.
#[must_use]
pub fn target() -> PathBuf {
    let profile = profile();
    profile.parent().expect("target").to_owned()
}

/// Where the test's own binary lies, and the programs beside it.
fn profile() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let folder = test.ancestors().nth(2).expect("target/debug/deps/TEST");
    folder.to_owned()
}

/// The folder of the workspace.
///
/// # Panics
/// Never: this package lies in it.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
}

/// Runs a command until stdin is closed, then ends all that it has started, and removes its folders.
const ATTENDANT: &str = r#"
folder=$1
shift
"$@" <&- &
cat > /dev/null
kill "$!"
rm -rf "$PWD" "$folder"
kill -s KILL -- "-$$"
"#;

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    folder: TempDir,
    /// Whether it ends by itself, with all that it has started, when its stdin is closed.
    is_attended: bool,
}

impl Program {
    /// Starts a program of the workspace. It works in a folder of its own, and logs into it.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start<S: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = S>) -> Self {
        let mut command = Command::new(path(name));
        command.args(arguments);
        Self::start_command(name, command)
    }

    /// Starts any command, like [`Program::start`]; its stdin stays open until it is dropped.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start_command(name: &str, mut command: Command) -> Self {
        let folder = TempDir::new().expect("a folder for logs");
        let file = |name: &str| File::create(folder.path().join(name)).expect("a log file");
        let child = command
            .current_dir(folder.path())
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap_or_else(|error| panic!("start {name}: {error}"));
        Self {
            name: name.into(),
            child,
            folder,
            is_attended: false,
        }
    }

    /// Starts a command that may start others. When this is dropped, or the test's process ends in any way, they all
    /// end, and `folder` is removed, if there is one.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start_attended(name: &str, command: &Command, folder: Option<&Path>) -> Self {
        let mut attended = Command::new("setsid");
        attended
            .args(["sh", "-c", ATTENDANT, "sh"])
            .arg(folder.unwrap_or(Path::new("")));
        attended.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => attended.env(name, value),
                None => attended.env_remove(name),
            };
        }
        let mut program = Self::start_command(name, attended);
        program.is_attended = true;
        program
    }

    /// What it wrote to stdout so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.output("stdout")
    }

    /// What it wrote to stderr so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.output("stderr")
    }

    fn output(&self, name: &str) -> String {
        let bytes = fs::read(self.folder.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Its process id.
    ///
    /// # Panics
    /// Never on systems whose ids are positive 32-bit numbers.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"))
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap_or_else(|error| panic!("signal {}: {error}", self.name));
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn exit(&mut self) -> ExitStatus {
        let what = format!("{} to end", self.name);
        let child = &mut self.child;
        wait::until(&what, async || {
            child
                .try_wait()
                .map_err(|error| error.to_string())?
                .ok_or_else(|| "it runs".into())
        })
        .await
    }

    /// Waits for a line of stdout that starts with `prefix`, and returns the rest of it.
    ///
    /// # Panics
    /// When the program ends, or says no such line.
    pub async fn line_after(&mut self, prefix: &str) -> String {
        let what = format!("{} to say `{prefix}`", self.name);
        wait::until_within(wait::LIMIT * 4, &what, async || {
            let text = self.stdout();
            if let Some(rest) = text.lines().find_map(|line| line.strip_prefix(prefix)) {
                return Ok(rest.to_owned());
            }
            assert!(self.is_running(), "{} ended: {}", self.name, self.stderr());
            Err(self.stderr())
        })
        .await
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A test that fails shows what the program had to say.
        if std::thread::panicking() {
            eprintln!(
                "--- {} said:\n{}{}",
                self.name,
                self.stdout(),
                self.stderr()
            );
        }
        if self.is_attended {
            drop(self.child.stdin.take());
        } else {
            // It may have ended by itself.
            let _ended = self.child.kill();
        }
        let _reaped = self.child.wait();
    }
}

//! Programs that run together: started one after the other, watched, and stopped in order.

use crate::{process, requirements};
use anyhow::{Context as _, bail};
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

/// How many ticks a program gets to become ready.
const TICKS_TO_READY: u32 = 60 * 20;

/// Running programs. Dropping it stops them, the last one started first.
#[derive(Debug)]
pub(crate) struct Stack {
    logs: PathBuf,
    programs: Vec<Program>,
}

#[derive(Debug)]
struct Program {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Stack {
    /// Nothing runs yet; each program will write its log into `logs`.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub(crate) fn new(logs: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(&logs).with_context(|| format!("make folder {}", logs.display()))?;
        Ok(Self {
            logs,
            programs: Vec::new(),
        })
    }

    /// Starts a program by its command line; its stdout and stderr go to its log. Returns its pid.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(&mut self, name: &'static str, line: &[OsString]) -> anyhow::Result<u32> {
        let log = self.logs.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("write {}", log.display()))?;
        let mut command = ending_with_us(line);
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let child = process::spawn(&mut command)?;
        let pid = child.id();
        self.programs.push(Program { name, child, log });
        Ok(pid)
    }

    /// Waits until `ready` gives a value; what it says otherwise is told when it takes too long.
    ///
    /// # Errors
    /// When a program ends, time is up, or Ctrl-C was pressed.
    pub(crate) fn wait_for<T>(
        &mut self,
        name: &str,
        mut ready: impl FnMut(&Path) -> Result<T, String>,
    ) -> anyhow::Result<T> {
        let log = self.logs.join(format!("{name}.log"));
        let mut said = String::new();
        for _ in 0..TICKS_TO_READY {
            self.check()?;
            match ready(&log) {
                Ok(value) => return Ok(value),
                Err(why) => said = why,
            }
            sleep(process::TICK);
        }
        bail!(
            "{name} did not become ready: {said} (its log: {})",
            log.display()
        )
    }

    /// Waits until Ctrl-C is pressed.
    ///
    /// # Errors
    /// When a program ends before that.
    pub(crate) fn wait_for_stop(&mut self) -> anyhow::Result<()> {
        while !process::interrupted() {
            self.check_programs()?;
            sleep(process::TICK);
        }
        Ok(())
    }

    fn check(&mut self) -> anyhow::Result<()> {
        if process::interrupted() {
            bail!("interrupted");
        }
        self.check_programs()
    }

    fn check_programs(&mut self) -> anyhow::Result<()> {
        for program in &mut self.programs {
            if let Some(status) = program.child.try_wait()? {
                let (name, log) = (program.name, program.log.display());
                bail!(
                    "{name} ended ({status}): {} (its log: {log})",
                    last_line(&program.log)
                );
            }
        }
        Ok(())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        while let Some(mut program) = self.programs.pop() {
            if matches!(program.child.try_wait(), Ok(None)) {
                process::say(&format!("    stopping {}", program.name));
            }
            process::end(&mut program.child);
        }
    }
}

/// Fails when something else listens there already.
///
/// # Errors
/// Names the address, what it is for, and the flag that changes it.
pub(crate) fn require_free(address: &str, what: &str, flag: &str) -> anyhow::Result<()> {
    TcpListener::bind(address).map(drop).map_err(|error| {
        anyhow::anyhow!(
            "{what} cannot listen on {address} ({error}); free it, or choose another with {flag}"
        )
    })
}

/// The body of `GET path`, when it is answered with 200; else what was answered instead.
///
/// # Errors
/// In words, for a person.
pub(crate) fn fetch(address: &str, path: &str) -> Result<String, String> {
    let answer =
        exchange(address, path).map_err(|error| format!("{address} does not answer ({error})"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if head.starts_with("HTTP/1.1 200") {
        Ok(body.into())
    } else {
        Err(format!(
            "{address}{path} answers {} {body}",
            head.lines().next().unwrap_or("nothing")
        ))
    }
}

fn exchange(address: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn last_line(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it said nothing")
        .to_owned()
}

/// Runs a command line; the kernel ends it when this process is killed and cannot do it itself
/// (util-linux has a program for that; elsewhere the line is run as it is).
fn ending_with_us(line: &[OsString]) -> Command {
    let tie = ["setpriv", "--pdeathsig", "TERM", "--"].map(OsString::from);
    let tie = if requirements::find("setpriv").is_some() {
        &tie[..]
    } else {
        &[]
    };
    let words: Vec<_> = tie.iter().chain(line).collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("footfall-xtask-{}-{name}", std::process::id()))
    }

    fn shell(script: &str) -> Vec<OsString> {
        ["sh", "-c", script].map(OsString::from).to_vec()
    }

    #[test]
    fn a_program_that_ends_is_named_with_the_last_thing_it_said() {
        let mut stack = Stack::new(folder("ends")).unwrap();
        stack
            .start("gateway", &shell("echo first; echo no room >&2; exit 3"))
            .unwrap();
        let error = stack.wait_for_stop().unwrap_err().to_string();
        assert!(
            error.starts_with("gateway ended (exit status: 3): no room (its log: "),
            "{error}"
        );
    }

    #[test]
    fn dropping_a_stack_ends_what_its_programs_started_too() {
        let mut stack = Stack::new(folder("drops")).unwrap();
        stack
            .start("shop", &shell("sleep 600 & echo ready $!; wait"))
            .unwrap();
        let grandchild: String = stack
            .wait_for("shop", |log| {
                let text = fs::read_to_string(log).unwrap_or_default();
                let line = text.lines().find_map(|line| line.strip_prefix("ready "));
                line.map(str::to_owned).ok_or_else(|| "nothing said".into())
            })
            .unwrap();
        drop(stack);
        let state = fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "{state}");
    }

    #[test]
    fn a_port_in_use_is_named_with_the_flag_that_changes_it() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let error = require_free(&address, "the shop", "--site")
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(&format!("the shop cannot listen on {address} (")),
            "{error}"
        );
        assert!(
            error.ends_with("free it, or choose another with --site"),
            "{error}"
        );
    }
}

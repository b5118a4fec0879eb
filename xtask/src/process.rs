//! Commands that can be interrupted, and what is told to the person who waits for them.

use anyhow::{Context as _, bail};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, sleep},
    time::{Duration, Instant},
};

/// How often a waiting loop looks again.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// How many ticks a process gets to end by itself once it was asked to.
const TICKS_TO_END: u32 = 40 * 20;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// What the steps up to now have taken, in their order.
static STEPS: Mutex<Vec<(String, Duration)>> = Mutex::new(Vec::new());

/// From now on SIGINT, SIGTERM and SIGHUP ask for an orderly end instead of ending this process.
pub(crate) fn watch_signals() {
    if let Err(error) = ctrlc::set_handler(interrupt) {
        say(&format!("Ctrl-C will not stop in order: {error}"));
    }
}

/// Asks for an orderly end, as Ctrl-C does.
pub(crate) fn interrupt() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// Whether an orderly end was asked for.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Tells a line to the person at the terminal.
pub(crate) fn say(line: &str) {
    // With stderr closed there is nobody to tell.
    let _told = writeln!(std::io::stderr(), "{line}");
}

/// Announces a step and runs its command to the end; Ctrl-C ends the command and all that it started.
///
/// # Errors
/// When it cannot be started, ends with a failure, or is interrupted.
pub(crate) fn run(step: &str, command: &mut Command) -> anyhow::Result<()> {
    timed(step, || wait(command))
}

/// The same, and every line that the command writes to stdout goes to `read`.
///
/// # Errors
/// See [`run`].
pub(crate) fn run_reading(
    step: &str,
    command: &mut Command,
    mut read: impl FnMut(&str) + Send,
) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    timed(step, || {
        let mut child = spawn(command.stdout(Stdio::piped()))?;
        let stdout = child.stdout.take().map(BufReader::new);
        thread::scope(|scope| {
            scope.spawn(|| {
                let lines = stdout.into_iter().flat_map(|stdout| stdout.split(b'\n'));
                for line in lines.map_while(Result::ok) {
                    read(&String::from_utf8_lossy(&line));
                }
            });
            wait_for(&mut child, &program)
        })
    })
}

/// What each step has taken up to now, in their order.
pub(crate) fn steps() -> Vec<(String, Duration)> {
    STEPS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a command measures what its steps take"
)]
fn timed(step: &str, work: impl FnOnce() -> anyhow::Result<ExitStatus>) -> anyhow::Result<()> {
    say(&format!("==> {step}"));
    let start = Instant::now();
    let status = work()?;
    let mut steps = STEPS.lock().unwrap_or_else(PoisonError::into_inner);
    steps.push((step.to_owned(), start.elapsed()));
    if !status.success() {
        bail!("{step} failed ({status})");
    }
    Ok(())
}

/// Runs a command to the end, whatever that end is.
///
/// # Errors
/// When it cannot be started, or is interrupted.
pub(crate) fn wait(command: &mut Command) -> anyhow::Result<ExitStatus> {
    let program = command.get_program().to_string_lossy().into_owned();
    wait_for(&mut spawn(command)?, &program)
}

fn wait_for(child: &mut Child, program: &str) -> anyhow::Result<ExitStatus> {
    loop {
        if let Some(status) = child
            .try_wait()
            .with_context(|| format!("wait for {program}"))?
        {
            return Ok(status);
        }
        if interrupted() {
            end(child);
            bail!("interrupted");
        }
        sleep(TICK);
    }
}

/// Starts a command in a process group of its own, so that a Ctrl-C at the terminal reaches only
/// this process, which then stops the others in order.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn spawn(command: &mut Command) -> anyhow::Result<Child> {
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start `{program}`"))
}

/// Ends a child and all that it started: SIGTERM, then SIGKILL when it takes too long.
pub(crate) fn end(child: &mut Child) {
    let Ok(pid) = i32::try_from(child.id()) else {
        return;
    };
    let group = Pid::from_raw(pid);
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        if !matches!(child.try_wait(), Ok(None)) {
            break;
        }
        // It may have ended in between, which is what we want.
        let _sent = killpg(group, signal);
        for _ in 0..TICKS_TO_END {
            if !matches!(child.try_wait(), Ok(None)) {
                break;
            }
            sleep(TICK);
        }
    }
}

//! Commands that can be interrupted, and what is told to the person who waits for them.

use anyhow::{Context as _, bail};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use std::{
    io::Write as _,
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus},
    sync::atomic::{AtomicBool, Ordering},
    thread::sleep,
    time::Duration,
};

/// How often a waiting loop looks again.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// How many ticks a process gets to end by itself once it was asked to.
const TICKS_TO_END: u32 = 40 * 20;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

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
    say(&format!("==> {step}"));
    let status = wait(command)?;
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
    let mut child = spawn(command)?;
    loop {
        if let Some(status) = child
            .try_wait()
            .with_context(|| format!("wait for {program}"))?
        {
            return Ok(status);
        }
        if interrupted() {
            end(&mut child);
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

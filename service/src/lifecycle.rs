//! From the command line to the exit code, the same for every binary.

use crate::{
    config::{self, Chosen, Document, Inputs, Loaded, Problem, Problems, Program},
    logs,
    shutdown::Signals,
};
use std::{io::Write as _, process::ExitCode};
use tokio::runtime::Runtime;

/// Exit code of a wrong configuration.
const BAD_CONFIGURATION: u8 = 2;
/// Exit code of a command that a signal has ended.
const INTERRUPTED: i32 = 1;

/// Reads the configuration, starts logging, runs `serve` until it ends, and says how it went.
///
/// Exit codes: 0 for a clean stop, 2 for a wrong configuration, 1 for anything else.
/// `read` turns the checked document into the program's own configuration; `serve` gets that and the signals.
pub fn run<C, F>(
    program: &Program,
    read: impl FnOnce(&Document) -> Result<C, Problems>,
    serve: impl FnOnce(C, Signals) -> F,
) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    // Without commands, none can be chosen.
    run_with_commands(program, read, |_, _| Ok(String::new()), serve)
}

/// The same for a program with commands: `perform` says what the chosen one prints, or why its flags are wrong.
pub fn run_with_commands<C, F>(
    program: &Program,
    read: impl FnOnce(&Document) -> Result<C, Problems>,
    perform: impl FnOnce(&Chosen, &C) -> Result<String, Problem>,
    serve: impl FnOnce(C, Signals) -> F,
) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    // Before all else: a signal that comes early must find its handler.
    let (runtime, signals) = match begin() {
        Ok(begun) => begun,
        Err(error) => {
            say(program, &format!("the system refuses a thread: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let inputs = Inputs::of_this_process();
    let warnings = inputs.warnings(program);
    let checked = config::load(program, inputs).and_then(|loaded| {
        if loaded.check || loaded.command.is_some() {
            end_at_once(&runtime, &signals);
        }
        let config = read(&loaded.document)?;
        logs::init(&loaded.document)?;
        Ok((loaded, config))
    });
    match checked {
        Ok((loaded, config)) if !loaded.check && loaded.command.is_none() => {
            for warning in warnings {
                tracing::warn!("{warning}");
            }
            served(runtime, serve(config, signals))
        }
        other => {
            for warning in warnings {
                say(program, &format!("warning: {warning}"));
            }
            looked(program, other, perform)
        }
    }
}

fn served(runtime: Runtime, serving: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let served = runtime.block_on(serving);
    // A blocking call into Kafka must not hold up an exit that everything else has agreed to.
    runtime.shutdown_background();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Says what there is to say of a configuration, or does with it what the command says.
fn looked<C>(
    program: &Program,
    checked: Result<(Loaded, C), Problems>,
    perform: impl FnOnce(&Chosen, &C) -> Result<String, Problem>,
) -> ExitCode {
    let performed = match checked {
        Ok((loaded, config)) => match &loaded.command {
            Some(command) if !loaded.check => perform(command, &config).map_err(Problems::from),
            Some(_) | None => {
                say(program, "the configuration is right");
                return ExitCode::SUCCESS;
            }
        },
        Err(problems) => Err(problems),
    };
    match performed {
        Ok(text) => print(&text),
        Err(problems) => {
            say(program, &problems.to_string());
            ExitCode::from(BAD_CONFIGURATION)
        }
    }
}

fn begin() -> std::io::Result<(Runtime, Signals)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let signals = {
        let _inside = runtime.enter();
        Signals::listen()?
    };
    Ok((runtime, signals))
}

/// What only looks at the configuration has nothing to drain: the first signal to stop ends it.
fn end_at_once(runtime: &Runtime, signals: &Signals) {
    let stop = signals.stop.clone();
    runtime.spawn(async move {
        stop.cancelled().await;
        std::process::exit(INTERRUPTED);
    });
}

/// What is asked for goes to stdout, where it can be piped on.
fn print(text: &str) -> ExitCode {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// One line of a message may be many: each is told with the program's name, as compilers do.
fn say(program: &Program, message: &str) {
    let mut stderr = std::io::stderr().lock();
    for line in message.lines() {
        // With stderr closed there is nobody to tell; the exit code still says it.
        let _told = writeln!(stderr, "{}: {line}", program.name);
    }
}

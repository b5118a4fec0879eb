//! What every program does with signals, from its first moment on.

use footfall_tests::{client, port, program::Program};
use nix::{
    sys::{signal::Signal, stat::Mode},
    unistd::mkfifo,
};
use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
};
use tempfile::TempDir;

/// A program that is just reading its configuration: it waits for what its brokers are.
struct Starting {
    program: Program,
    url: String,
    brokers: File,
    _folder: TempDir,
}

impl Starting {
    async fn start(name: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let brokers = folder.path().join("brokers");
        mkfifo(&brokers, Mode::S_IRWXU).unwrap();
        let file = folder.path().join("footfall.toml");
        let config = match name {
            "footfall-gateway" => "[drain]\ndelay = '0s'\n",
            _ => {
                "[streams.views]\nfrom = 'views'\nto = 'counts'\nwindow = { size = '5m', grace = '1m' }\n"
            }
        };
        fs::write(&file, config).unwrap();
        let listen = port::free_address();
        let own = [
            "--listen",
            &listen,
            "--kafka-brokers",
            &format!("@{}", brokers.display()),
            "--config",
            &file.display().to_string(),
        ];
        let program = Program::start(name, own);
        // It can be opened as soon as the program has opened it.
        let opened =
            tokio::task::spawn_blocking(move || OpenOptions::new().write(true).open(brokers));
        Self {
            program,
            url: format!("http://{listen}"),
            brokers: opened.await.unwrap().unwrap(),
            _folder: folder,
        }
    }

    fn go_on(mut self) -> (Program, String) {
        let nobody = port::free_address();
        self.brokers.write_all(nobody.as_bytes()).unwrap();
        (self.program, self.url)
    }
}

const PROGRAMS: [&str; 2] = ["footfall-gateway", "footfall-aggregation"];

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_told_to_reload_while_it_starts_goes_on_starting() {
    for name in PROGRAMS {
        let starting = Starting::start(name).await;
        starting.program.signal(Signal::SIGHUP);
        let (mut program, url) = starting.go_on();
        client::until_answers(&format!("{url}/livez"), "ok").await;
        program.signal(Signal::SIGTERM);
        assert_eq!(program.exit().await.code(), Some(0), "{}", program.stderr());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_told_to_stop_while_it_starts_ends_as_one_that_has_served() {
    for (name, signal) in PROGRAMS.into_iter().zip([Signal::SIGTERM, Signal::SIGINT]) {
        let starting = Starting::start(name).await;
        starting.program.signal(signal);
        starting.program.signal(signal);
        let (mut program, _) = starting.go_on();
        assert_eq!(program.exit().await.code(), Some(0), "{}", program.stderr());
    }
}

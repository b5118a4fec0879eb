use crate::config::{self, Chosen, Default, Key, Program, environment_name, flag_name};
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::{ffi::OsString, path::PathBuf};

/// The flags of a program, as they were given.
#[derive(Debug)]
pub(super) struct CommandLine {
    pub(super) config: Option<PathBuf>,
    pub(super) check: bool,
    /// Path of the key and its text.
    pub(super) values: Vec<(String, String)>,
    /// `NAME=VALUE` each.
    pub(super) kafka_properties: Vec<String>,
    pub(super) command: Option<Chosen>,
}

impl CommandLine {
    pub(super) fn parse(program: &Program, arguments: Vec<OsString>) -> Self {
        let mut matches = command(program).get_matches_from(arguments);
        let mut values = Vec::new();
        for key in program.keys().filter(|key| key.form.is_scalar()) {
            if let Some(text) = matches.remove_one::<String>(key.path) {
                values.push((key.path.into(), text));
            }
        }
        if knows_topic_creation(program) && matches.get_flag("create-topics") {
            values.push(("topics.create".into(), "true".into()));
        }
        let command = chosen(program, &matches);
        Self {
            command,
            config: matches.remove_one("config"),
            check: matches.get_flag("check"),
            values,
            kafka_properties: matches
                .remove_many("kafka-property")
                .map(Iterator::collect)
                .unwrap_or_default(),
        }
    }
}

fn command(program: &Program) -> Command {
    let mut command = Command::new(program.name)
        .version(program.version)
        .about(program.about)
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help("the configuration file (TOML); flags beat the environment, and that beats the file"),
        )
        .arg(
            Arg::new("check")
                .long("check")
                .action(ArgAction::SetTrue)
                .help("say whether the configuration is right, and exit"),
        )
        .arg(
            Arg::new("kafka-property")
                .long("kafka-property")
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .help("a librdkafka property for all clients; may be repeated"),
        );
    if knows_topic_creation(program) {
        command = command.arg(
            Arg::new("create-topics")
                .long("create-topics")
                .action(ArgAction::SetTrue)
                .conflicts_with("topics.create")
                .help("the same as `--topics-create true`"),
        );
    }
    for key in program.keys().filter(|key| key.form.is_scalar()) {
        command = command.arg(argument(key));
    }
    if program.commands.is_empty() {
        return command;
    }
    // Every flag stands before or behind a command.
    let command = command.mut_args(|argument| argument.global(true));
    command.subcommands(program.commands.iter().map(subcommand))
}

fn subcommand(command: &config::Command) -> Command {
    let arguments = command.arguments.iter().map(|argument| {
        let config::Argument {
            name,
            placeholder,
            help,
        } = *argument;
        Arg::new(name)
            .long(name)
            .value_name(placeholder)
            .allow_hyphen_values(true)
            .help(help)
    });
    Command::new(command.name)
        .about(command.help)
        .args(arguments)
}

fn chosen(program: &Program, matches: &ArgMatches) -> Option<Chosen> {
    let (name, given) = matches.subcommand()?;
    let command = program.commands.iter().find(|known| known.name == name)?;
    let values = command.arguments.iter().filter_map(|argument| {
        let value = given.get_one::<String>(argument.name)?;
        Some((argument.name, value.clone()))
    });
    Some(Chosen {
        name: command.name,
        values: values.collect(),
    })
}

fn knows_topic_creation(program: &Program) -> bool {
    program.keys().any(|key| key.path == "topics.create")
}

fn argument(key: &'static Key) -> Arg {
    let default = match key.default {
        Default::Value(text) => format!(" [default: {text}]"),
        Default::Absent => String::new(),
        Default::Required => " [required]".into(),
    };
    Arg::new(key.path)
        .long(flag_name(key.path))
        .value_name(key.form.placeholder())
        .help(format!(
            "{}{default} [env: {}]",
            key.help,
            environment_name(key.path)
        ))
}

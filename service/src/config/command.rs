use std::collections::BTreeMap;

/// Something that a program does with its configuration instead of serving: `PROGRAM NAME --config FILE`.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// As it is typed.
    pub name: &'static str,
    /// Its effect, in one line, for `--help`.
    pub help: &'static str,
    /// Its own flags.
    pub arguments: &'static [Argument],
}

/// A flag of a command, with a value.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// Its flag without the dashes.
    pub name: &'static str,
    /// What stands for the value in the help.
    pub placeholder: &'static str,
    /// Its effect, in one line, for `--help`.
    pub help: &'static str,
}

/// The command that was typed.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Its name.
    pub name: &'static str,
    /// The values of its own flags, by their names, as far as they were given.
    pub values: BTreeMap<&'static str, String>,
}

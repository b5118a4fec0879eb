//! Reads the three sources of values into one [`Document`].

mod command_line;
mod file;

use super::document::insert;
use super::{
    Chosen, Default, Document, Form, Key, Origin, Problem, Problems, Program, environment_name,
    flag_name,
};
use command_line::CommandLine;
use serde_json::{Map, Value};
use std::{ffi::OsString, path::Path};

/// What a process is started with.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The arguments, the program's name first.
    pub arguments: Vec<OsString>,
    /// The environment's variables.
    pub environment: Vec<(String, String)>,
}

impl Inputs {
    /// Those of this process. Variables that are not UTF-8 cannot be ours and are left out.
    #[must_use]
    pub fn of_this_process() -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            arguments: std::env::args_os().collect(),
            environment,
        }
    }

    /// What is odd but no error: variables that look like ours and are not.
    #[must_use]
    pub fn warnings(&self, program: &Program) -> Vec<String> {
        let names = self.environment.iter().map(|(name, _)| name);
        let unknown =
            names.filter(|name| name.starts_with(PREFIX) && variable(program, name).is_none());
        let warning = |name| {
            format!(
                "environment variable {name} is not one that {} knows; it has no effect",
                program.name
            )
        };
        unknown.map(warning).collect()
    }
}

/// What the variables of all keys begin with.
const PREFIX: &str = "FOOTFALL_";

/// The key that a variable is for.
fn variable(program: &Program, name: &str) -> Option<&'static Key> {
    let mut keys = program.keys().filter(|key| key.form.is_scalar());
    keys.find(|key| environment_name(key.path) == name)
}

/// A document and what the flags ask for besides.
#[derive(Debug)]
pub struct Loaded {
    /// The checked values.
    pub document: Document,
    /// `--check`: say whether the configuration is right, and exit.
    pub check: bool,
    /// What to do instead of serving.
    pub command: Option<Chosen>,
}

/// Reads flags, environment and file.
///
/// `--help`, `--version` and malformed flags print and end the process, as users of a command line expect.
///
/// # Errors
/// Everything that is wrong with the values, all at once.
pub fn load(program: &Program, inputs: Inputs) -> Result<Loaded, Problems> {
    let command_line = CommandLine::parse(program, inputs.arguments);
    let mut reader = Reader {
        document: Document::default(),
        problems: Vec::new(),
    };
    if let Some(path) = &command_line.config {
        let whole = Origin::WholeFile(path.clone());
        reader.document.origins.insert(String::new(), whole);
        file::read(&mut reader, program, path);
    }
    reader.read_environment(program, &inputs.environment);
    reader.read_flags(program, &command_line);
    reader.fill_defaults(program.keys());
    if !reader.problems.is_empty() {
        return Err(Problems(reader.problems));
    }
    Ok(Loaded {
        document: reader.document,
        check: command_line.check,
        command: command_line.command,
    })
}

struct Reader {
    document: Document,
    problems: Vec<Problem>,
}

impl Reader {
    fn read_environment(&mut self, program: &Program, environment: &[(String, String)]) {
        for (name, text) in environment {
            if let Some(key) = variable(program, name) {
                self.read_text(key, text, Origin::Environment(name.clone()));
            }
        }
    }

    fn read_flags(&mut self, program: &Program, command_line: &CommandLine) {
        for (path, text) in &command_line.values {
            if let Some(key) = program.keys().find(|key| key.path == path) {
                self.read_text(key, text, Origin::Flag(format!("--{}", flag_name(path))));
            }
        }
        for property in &command_line.kafka_properties {
            let origin = Origin::Flag("--kafka-property".into());
            match property.split_once('=') {
                Some((name, text)) if !name.is_empty() => {
                    self.read_property("kafka.properties", name, text, origin)
                }
                _ => self.problem(
                    origin,
                    "kafka.properties",
                    "`NAME=VALUE`".into(),
                    quoted(property),
                ),
            }
        }
    }

    fn read_text(&mut self, key: &Key, text: &str, origin: Origin) {
        if let Some(value) = self.form_of_text(key.path, &key.form, text, &origin) {
            self.document.set(key.path, value, origin);
        }
    }

    fn read_property(&mut self, table: &str, name: &str, text: &str, origin: Origin) {
        let path = format!("{table}.{name}");
        let Some(text) = self.without_indirection(&path, text, &origin) else {
            return;
        };
        // Property names have dots of their own, so the table is made first and the name put into it whole.
        let (head, last) = table.split_once('.').unwrap_or((table, ""));
        let mut place = self
            .document
            .values
            .entry(head)
            .or_insert_with(|| Value::Object(Map::new()));
        if !last.is_empty()
            && let Value::Object(outer) = place
        {
            place = outer
                .entry(last)
                .or_insert_with(|| Value::Object(Map::new()));
        }
        if let Value::Object(place) = place {
            place.insert(name.into(), text.into());
        }
        self.document.origins.insert(path, origin);
    }

    /// The value of a text, or a problem.
    fn form_of_text(
        &mut self,
        path: &str,
        form: &Form,
        text: &str,
        origin: &Origin,
    ) -> Option<Value> {
        let text = self.without_indirection(path, text, origin)?;
        let value = form.read_text(&text);
        if value.is_none() {
            self.problem(origin.clone(), path, form.expected(), quoted(&text));
        }
        value
    }

    /// `@FILE` stands for that file's content, without the line end at its end.
    fn without_indirection(&mut self, path: &str, text: &str, origin: &Origin) -> Option<String> {
        let Some(file) = text.strip_prefix('@') else {
            return Some(text.into());
        };
        match std::fs::read_to_string(Path::new(file)) {
            Ok(content) => Some(content.trim_end_matches(['\n', '\r']).into()),
            Err(error) => {
                self.problem(
                    origin.clone(),
                    path,
                    "a readable file after `@`".into(),
                    format!("`{file}` ({error})"),
                );
                None
            }
        }
    }

    fn fill_defaults(&mut self, keys: impl Iterator<Item = &'static Key>) {
        let mut values = std::mem::take(&mut self.document.values);
        self.fill_defaults_of(&mut values, keys, "", None);
        self.document.values = values;
    }

    /// `origin`: where the table is that the keys are in, if it is one of many.
    fn fill_defaults_of(
        &mut self,
        table: &mut Map<String, Value>,
        keys: impl Iterator<Item = &'static Key>,
        prefix: &str,
        origin: Option<&Origin>,
    ) {
        for key in keys.filter(|key| key.form.is_scalar()) {
            let path = format!("{prefix}{}", key.path);
            // A value of the wrong form has its problem already.
            if is_set(table, key.path) || self.problems.iter().any(|problem| problem.key == path) {
                continue;
            }
            match key.default {
                Default::Absent => {}
                Default::Value(text) => match key.form.read_text(text) {
                    Some(value) => insert(table, key.path, value),
                    None => self.problem(Origin::Nowhere, &path, key.form.expected(), quoted(text)),
                },
                Default::Required => {
                    let around = || self.document.origin_of(&path);
                    let origin = origin.cloned().unwrap_or_else(around);
                    self.problem(origin, &path, key.form.expected(), "nothing".into());
                }
            }
        }
    }

    fn problem(&mut self, origin: Origin, key: &str, expected: String, found: String) {
        self.problems.push(Problem {
            origin,
            key: key.into(),
            expected,
            found,
        });
    }
}

fn is_set(table: &Map<String, Value>, path: &str) -> bool {
    match path.split_once('.') {
        None => table.contains_key(path),
        Some((head, rest)) => {
            matches!(table.get(head), Some(Value::Object(inner)) if is_set(inner, rest))
        }
    }
}

fn quoted(text: &str) -> String {
    format!("`{}`", text.escape_debug())
}

use super::{Reader, quoted};
use crate::config::{Form, Key, Origin, Program};
use serde_json::{Map, Value};
use std::{ops::Range, path::Path};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Reads a TOML file into the reader's document.
pub(super) fn read(reader: &mut Reader, program: &Program, path: &Path) {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let found = format!("`{}` ({error})", path.display());
            let origin = Origin::Flag("--config".into());
            return reader.problem(
                origin,
                "the file",
                "a readable configuration file".into(),
                found,
            );
        }
    };
    let lines = Lines { path, text: &text };
    match DeTable::parse(&text) {
        Ok(table) => FileReader { reader, lines }.read_document(program, table.get_ref()),
        Err(error) => {
            let origin = lines.origin(error.span().unwrap_or_default());
            reader.problem(
                origin,
                "the file",
                "valid TOML".into(),
                error.message().into(),
            );
        }
    }
}

/// Finds the line of a byte range.
#[derive(Clone, Copy)]
struct Lines<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Lines<'_> {
    fn origin(&self, span: Range<usize>) -> Origin {
        let before = &self.text.as_bytes()[..span.start.min(self.text.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Origin::File {
            path: self.path.into(),
            line,
        }
    }
}

struct FileReader<'a> {
    reader: &'a mut Reader,
    lines: Lines<'a>,
}

impl FileReader<'_> {
    fn read_document(&mut self, program: &Program, table: &DeTable<'_>) {
        let keys: Vec<&'static Key> = program.keys().collect();
        let values = self.read_table(&keys, table, "", "");
        self.reader.document.values = values;
    }

    /// Reads a table whose keys are listed. `inside` is the part of the listed paths that leads here, `prefix` what stands
    /// before them in messages; both are empty or end with a dot.
    fn read_table(
        &mut self,
        keys: &[&'static Key],
        table: &DeTable<'_>,
        prefix: &str,
        inside: &str,
    ) -> Map<String, Value> {
        let mut values = Map::new();
        for (name, value) in table {
            let path = format!("{inside}{}", name.get_ref());
            let full = format!("{prefix}{path}");
            let origin = self.lines.origin(name.span());
            if let Some(key) = keys.iter().find(|key| key.path == path) {
                if let Some(value) = self.read_value(&key.form, value, &full) {
                    self.reader.document.origins.insert(full, origin);
                    values.insert(name.get_ref().to_string(), value);
                }
                continue;
            }
            let deeper = format!("{path}.");
            let below: Vec<_> = keys
                .iter()
                .filter_map(|key| key.path.strip_prefix(&deeper))
                .collect();
            if below.is_empty() {
                let known = listing(keys.iter().filter_map(|key| key.path.strip_prefix(inside)));
                let expected = format!("a known key ({known})");
                self.reader
                    .problem(origin, &full, expected, "an unknown one".into());
            } else if let DeValue::Table(table) = value.get_ref() {
                self.reader.document.origins.insert(full, origin);
                let inner = self.read_table(keys, table, prefix, &deeper);
                values.insert(name.get_ref().to_string(), Value::Object(inner));
            } else {
                let expected = format!("a table with {}", listing(below.into_iter()));
                self.reader
                    .problem(origin, &full, expected, describe(value.get_ref()));
            }
        }
        values
    }

    fn read_value(
        &mut self,
        form: &Form,
        value: &Spanned<DeValue<'_>>,
        path: &str,
    ) -> Option<Value> {
        let origin = self.lines.origin(value.span());
        let read = match (form, value.get_ref()) {
            (Form::Properties, DeValue::Table(table)) => {
                return Some(self.read_properties(table, path));
            }
            (Form::Named(keys), DeValue::Table(table)) => {
                return Some(self.read_named(keys, table, path));
            }
            (Form::Tables(keys), DeValue::Array(tables)) => {
                let read = tables.iter().enumerate().map(|(index, table)| {
                    self.read_inner(keys, table, &format!("{path}[{index}]"))
                        .unwrap_or_default()
                });
                return Some(read.collect());
            }
            (Form::List, DeValue::Array(items)) => items
                .iter()
                .map(|item| item.get_ref().as_str().map(Value::from))
                .collect::<Option<Vec<_>>>()
                .map(Value::from),
            (form, DeValue::String(text)) => {
                return self.reader.form_of_text(path, form, text, &origin);
            }
            (Form::Boolean, DeValue::Boolean(value)) => Some(Value::from(*value)),
            (form @ Form::Share, DeValue::Float(number)) => form.read_text(number.as_str()),
            (form, DeValue::Integer(number)) => {
                i64::from_str_radix(number.as_str(), number.radix())
                    .ok()
                    .and_then(|number| form.read_integer(number))
            }
            // Written out, so that a new kind of TOML value is thought about here.
            (
                _,
                DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_)
                | DeValue::Table(_),
            ) => None,
        };
        if read.is_none() {
            self.reader
                .problem(origin, path, form.expected(), describe(value.get_ref()));
        }
        read
    }

    fn read_properties(&mut self, table: &DeTable<'_>, path: &str) -> Value {
        let mut values = Map::new();
        for (name, value) in table {
            let full = format!("{path}.{}", name.get_ref());
            let origin = self.lines.origin(name.span());
            let text = match value.get_ref() {
                DeValue::String(text) => self.reader.without_indirection(&full, text, &origin),
                DeValue::Integer(number) => Some(number.as_str().into()),
                DeValue::Float(number) => Some(number.as_str().into()),
                DeValue::Boolean(value) => Some(value.to_string()),
                other @ (DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_)) => {
                    self.reader.problem(
                        origin.clone(),
                        &full,
                        "a text, a number or a boolean".into(),
                        describe(other),
                    );
                    None
                }
            };
            if let Some(text) = text {
                self.reader.document.origins.insert(full, origin);
                values.insert(name.get_ref().to_string(), text.into());
            }
        }
        Value::Object(values)
    }

    fn read_named(&mut self, keys: &'static [Key], table: &DeTable<'_>, path: &str) -> Value {
        let mut values = Map::new();
        for (name, inner) in table {
            if let Some(inner) = self.read_inner(keys, inner, &format!("{path}.{}", name.get_ref()))
            {
                values.insert(name.get_ref().to_string(), inner);
            }
        }
        Value::Object(values)
    }

    /// One table of many: its own keys, its own defaults.
    fn read_inner(
        &mut self,
        keys: &'static [Key],
        value: &Spanned<DeValue<'_>>,
        path: &str,
    ) -> Option<Value> {
        let origin = self.lines.origin(value.span());
        let DeValue::Table(table) = value.get_ref() else {
            self.reader
                .problem(origin, path, "a table".into(), describe(value.get_ref()));
            return None;
        };
        let prefix = format!("{path}.");
        let listed: Vec<&'static Key> = keys.iter().collect();
        let mut values = self.read_table(&listed, table, &prefix, "");
        self.reader
            .fill_defaults_of(&mut values, keys.iter(), &prefix, Some(&origin));
        self.reader.document.origins.insert(path.into(), origin);
        Some(Value::Object(values))
    }
}

/// The names at this level, each once: `kafka.brokers` and `kafka.topic` are both `kafka`.
fn listing<'a>(paths: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = paths
        .map(|path| path.split('.').next().unwrap_or(path))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => format!("`{}`", number.as_str()),
        DeValue::Float(number) => format!("`{}`", number.as_str()),
        DeValue::Boolean(value) => format!("`{value}`"),
        DeValue::Datetime(value) => format!("`{value}`"),
        DeValue::Array(_) => "an array".into(),
        DeValue::Table(_) => "a table".into(),
    }
}

//! From one `[streams.NAME]` to a stream.

use super::{StartWord, StreamTable, Tables, join::JoinReader};
use crate::core::{Condition, Field, JsonReader, Pointer, Time, Wanted, aggregate};
use footfall_service::config::{Document, Form, Problem};
use footfall_streams::{
    Aggregation, Codec, Definition, Emit, Function, Span, Windows, millis, stream,
};
use footfall_task::Start;
use std::sync::Arc;

/// Names in the output that are not an aggregate's.
const RESERVED: [&str; 6] = ["key", "key_base64", "start", "end", "final", "closed_by"];

/// Reads one table; what is wrong with it goes to `problems`.
pub(super) struct StreamReader<'a> {
    pub(super) document: &'a Document,
    pub(super) group: &'a str,
    pub(super) name: &'a str,
    pub(super) table: &'a StreamTable,
    pub(super) tables: &'a Tables,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl StreamReader<'_> {
    /// The stream, if nothing is wrong with it.
    pub(super) fn read(mut self) -> Option<Definition> {
        let before = self.problems.len();
        let table = self.table;
        self.check_names();
        let condition = table.r#where.as_ref().and_then(|text| self.condition(text));
        let joins = JoinReader {
            document: self.document,
            path: self.path(""),
            tables: self.tables,
            passes_deletions: false,
            problems: self.problems,
        };
        let (joins, condition) = joins.read(&table.join, condition);
        let key = table
            .key
            .as_ref()
            .and_then(|text| self.pointer("key", text));
        let time = match table.time.as_str() {
            "record" => Some(Time::Record),
            text => self.pointer("time", text).map(Time::Field),
        };
        let dedupe = self.dedupe();
        self.check_idle_timeout();
        let max_ahead = self.max_ahead();
        let windows = self.windows();
        let (aggregates, fields): (Vec<_>, Vec<_>) = self.aggregates().into_iter().unzip();
        self.check_codec(&aggregates);
        if self.problems.len() > before {
            return None;
        }
        let (id, within) = dedupe.unzip();
        let wanted = Wanted {
            id,
            condition,
            key,
            time: time?,
            null_values: table.null_values,
            fields,
        };
        let definition = self.definition(wanted, windows?, aggregates);
        Some(Definition {
            joins,
            dedupe: within,
            idle_timeout: table.idle_timeout.map(millis),
            version: table.version,
            start: match table.start {
                StartWord::Earliest => Start::Earliest,
                StartWord::Latest => Start::Latest,
            },
            max_ahead,
            ..definition
        })
    }

    fn definition(
        &self,
        wanted: Wanted,
        windows: Windows,
        aggregates: Vec<Aggregation>,
    ) -> Definition {
        let table = self.table;
        let is_rekeyed = wanted.key.is_some();
        let stream = stream(&table.from).read_with(JsonReader::from(wanted));
        let grouped = match is_rekeyed {
            true => stream.group_by_read_key(),
            false => stream.group_by_key(),
        };
        let emit = match table.emit.as_str() {
            "final" => Emit::Final,
            "both" => Emit::Both,
            _ => Emit::Updates,
        };
        let definition = grouped.windowed_by(windows).aggregate(aggregates);
        let codec = match table.codec.as_str() {
            "streams" => Codec::Streams,
            _ => Codec::Json,
        };
        let definition = definition.named(self.name).emit(emit).codec(codec);
        let definition = definition.to(&table.to);
        Definition {
            late: topic(&table.late, definition.late),
            dlq: topic(&table.dlq, definition.dlq),
            ..definition
        }
    }

    /// The stream's name is a part of topics' names, and so are those that defaults are made from.
    fn check_names(&mut self) {
        let (group, name, table) = (self.group, self.name, self.table);
        let is_topic = |name: &str| Form::Topic.read_text(name).is_some();
        let version = match table.version {
            ..=1 => String::new(),
            version => format!("-v{version}"),
        };
        if !is_topic(&format!("{group}-{name}{version}-repartition")) {
            let expected = "a name of `A-Z a-z 0-9 . _ -`, short enough for topics that are named `GROUP-NAME-repartition`";
            let problem = self
                .document
                .problem(&self.path(""), expected, format!("`{name}`"));
            self.problems.push(problem);
        }
        let defaults = [
            ("late", &table.late, format!("{}.late", table.to)),
            ("dlq", &table.dlq, format!("{}.dlq", table.from)),
        ];
        for (key, given, default) in defaults {
            if given.is_none() && !is_topic(&default) {
                let expected = format!("a topic name, because `{default}` is too long for one");
                self.problem(key, &expected, "nothing");
            }
        }
    }

    fn condition(&mut self, text: &str) -> Option<Condition> {
        match Condition::parse(text) {
            Ok(condition) => Some(condition),
            Err(error) => {
                self.problem("where", "a CEL expression", &format!("`{text}` ({error})"));
                None
            }
        }
    }

    fn pointer(&mut self, key: &str, text: &str) -> Option<Pointer> {
        let pointer = Pointer::parse(text);
        if pointer.is_none() {
            let expected = match key {
                "time" => "`record`, or a JSON pointer such as `/page/url`",
                _ => "a JSON pointer such as `/page/url`",
            };
            self.problem(key, expected, &format!("`{text}`"));
        }
        pointer
    }

    /// What duplicates are known by, and for how long.
    fn dedupe(&mut self) -> Option<(Pointer, Span)> {
        let dedupe = self.table.dedupe.as_ref()?;
        let by = match &dedupe.by {
            Some(text) => self.pointer("dedupe.by", text),
            None => {
                self.problem("dedupe.by", "a JSON pointer such as `/id`", "nothing");
                None
            }
        };
        let expected = "a duration of more than `0ms`";
        let within = match dedupe.within {
            Some(within) if within > 0 => Some(millis(within)),
            Some(_) => {
                self.problem("dedupe.within", expected, "`0ms`");
                None
            }
            None => {
                self.problem("dedupe.within", expected, "nothing");
                None
            }
        };
        by.zip(within)
    }

    fn check_idle_timeout(&mut self) {
        if self.table.idle_timeout == Some(0) {
            self.problem("idle_timeout", "more than `0ms`", "`0ms`");
        }
    }

    fn max_ahead(&mut self) -> Option<Span> {
        let text = self.table.max_ahead.as_str();
        if text == "none" {
            return None;
        }
        let limit = Form::Duration.read_text(text);
        let limit = limit.and_then(|limit| limit.as_i64());
        if limit.is_none() {
            let expected = format!("`none`, or {}", Form::Duration.expected());
            self.problem("max_ahead", &expected, &format!("`{text}`"));
        }
        limit.map(millis)
    }

    fn aggregates(&mut self) -> Vec<(Aggregation, Option<Field>)> {
        let table = self.table;
        let mut aggregates = Vec::new();
        for (name, text) in &table.aggregate {
            let key = format!("aggregate.{name}");
            let found = format!("`{text}`");
            match aggregate(name, text) {
                _ if RESERVED.contains(&name.as_str()) => {
                    let expected = format!("a name other than {}", RESERVED.join(", "));
                    self.problem(&key, &expected, &format!("`{name}`"));
                }
                Ok(read) => aggregates.push(read),
                Err(expected) => self.problem(&key, &expected, &found),
            }
        }
        if table.aggregate.is_empty() {
            let count = Aggregation {
                name: "count".into(),
                function: Function::Count,
                field: "".into(),
            };
            aggregates.push((count, None));
        }
        aggregates
    }

    /// What Kafka Streams calls a long is all that its codec has room for.
    fn check_codec(&mut self, aggregates: &[Aggregation]) {
        let is_whole = |aggregation: &Aggregation| {
            matches!(aggregation.function, Function::Count | Function::Distinct)
        };
        if self.table.codec == "streams" && !matches!(aggregates, [only] if is_whole(only)) {
            let expected = "`json`, or a single aggregate that is a whole number: `count()` or `distinct(/pointer)`";
            self.problem("codec", expected, "`streams`");
        }
    }

    pub(super) fn problem(&mut self, key: &str, expected: &str, found: &str) {
        let problem = self.document.problem(&self.path(key), expected, found);
        self.problems.push(problem);
    }

    fn path(&self, key: &str) -> String {
        let dot = if key.is_empty() { "" } else { "." };
        format!("streams.{}{dot}{key}", self.name)
    }
}

/// Version 2 of `s` and version 1 of `s-v2` would have the same internal topics.
pub(super) fn one_place_each(document: &Document, streams: &[Definition]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, stream) in streams.iter().enumerate() {
        let others = &streams[..index];
        if let Some(other) = others.iter().find(|other| other.id() == stream.id()) {
            let expected = format!(
                "another name or version than those that come to the internal topics of `{}`",
                other.name
            );
            let path = format!("streams.{}.version", stream.name);
            problems.push(document.problem(&path, expected, format!("`{}`", stream.version)));
        }
    }
    problems
}

fn topic(given: &Option<String>, default: Option<Arc<str>>) -> Option<Arc<str>> {
    match given.as_deref() {
        Some("none") => None,
        Some(topic) => Some(topic.into()),
        None => default,
    }
}

//! From one `[routes.NAME]` to a route.

use super::{RouteTable, Tables, join::JoinReader};
use crate::core::{Condition, Converter, Edits, Pointer};
use footfall_service::config::{Document, Form, Problem};
use footfall_streams::{Inlet, Route};
use std::{collections::BTreeSet, sync::Arc};

/// Reads one table; what is wrong with it goes to `problems`.
pub(super) struct RouteReader<'a> {
    pub(super) document: &'a Document,
    pub(super) name: &'a str,
    pub(super) table: &'a RouteTable,
    pub(super) tables: &'a Tables,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl RouteReader<'_> {
    /// The route, if nothing is wrong with it.
    pub(super) fn read(mut self) -> Option<Route> {
        let before = self.problems.len();
        let table = self.table;
        self.check_topics();
        let condition = table.r#where.as_ref();
        let condition = condition.and_then(|text| self.condition("where", text));
        let joins = JoinReader {
            document: self.document,
            path: format!("routes.{}", self.name),
            tables: self.tables,
            passes_deletions: true,
            problems: self.problems,
        };
        let (joins, condition) = joins.read(&table.join, condition);
        let key = table
            .key
            .as_ref()
            .and_then(|text| self.pointer("key", text));
        let edits = self.edits();
        let mut split = Vec::new();
        for (index, branch) in table.split.iter().enumerate() {
            if let Some(condition) =
                self.condition(&format!("split[{index}].where"), &branch.r#where)
            {
                split.push((condition, Arc::from(branch.to.as_str())));
            }
        }
        if self.problems.len() > before {
            return None;
        }
        let converter = Converter {
            condition,
            skips_deletions: table.deletions == "skip",
            key,
            edits,
            split,
            to: table.to.as_deref().map(Arc::from),
        };
        let to: BTreeSet<_> = self.outputs().map(Arc::from).collect();
        Some(Route {
            name: self.name.into(),
            from: table.from.iter().map(|topic| self.inlet(topic)).collect(),
            to: to.into_iter().collect(),
            joins,
            convert: Arc::new(converter),
        })
    }

    fn outputs(&self) -> impl Iterator<Item = &str> {
        let split = self.table.split.iter().map(|branch| branch.to.as_str());
        split.chain(self.table.to.as_deref())
    }

    fn inlet(&self, topic: &str) -> Inlet {
        let dlq = match self.table.dlq.as_deref() {
            Some("none") => None,
            Some(topic) => Some(topic.into()),
            None => Some(format!("{topic}.dlq").into()),
        };
        Inlet {
            topic: topic.into(),
            dlq,
        }
    }

    fn check_topics(&mut self) {
        let is_topic = |name: &str| Form::Topic.read_text(name).is_some();
        let sources = &self.table.from;
        if sources.is_empty() {
            self.problem("from", "one topic or more", "none");
        }
        for source in sources {
            if !is_topic(&format!("{source}.dlq")) {
                self.problem("from", &Form::Topic.expected(), &format!("`{source}`"));
            }
        }
        if self.outputs().next().is_none() {
            self.problem("to", "a topic, or some in `split`", "nothing");
        }
    }

    fn edits(&mut self) -> Edits {
        let table = self.table;
        let keep = table
            .keep
            .iter()
            .filter_map(|text| self.pointer("keep", text))
            .collect();
        let drop = table
            .drop
            .iter()
            .filter_map(|text| self.pointer("drop", text))
            .collect();
        let mut rename = Vec::new();
        for (from, to) in &table.rename {
            let key = format!("rename.{from}");
            rename.extend(self.pointer(&key, from).zip(self.pointer(&key, to)));
        }
        let mut set = Vec::new();
        for (to, text) in &table.set {
            let key = format!("set.{to}");
            let expression = self.expression(&key, text, Condition::parse_any);
            set.extend(self.pointer(&key, to).zip(expression));
        }
        Edits {
            keep,
            drop,
            rename,
            set,
        }
    }

    fn pointer(&mut self, key: &str, text: &str) -> Option<Pointer> {
        let pointer = Pointer::parse(text);
        if pointer.is_none() {
            self.problem(
                key,
                "a JSON pointer such as `/page/url`",
                &format!("`{text}`"),
            );
        }
        pointer
    }

    fn condition(&mut self, key: &str, text: &str) -> Option<Condition> {
        self.expression(key, text, Condition::parse)
    }

    fn expression(
        &mut self,
        key: &str,
        text: &str,
        read: impl Fn(&str) -> Result<Condition, String>,
    ) -> Option<Condition> {
        match read(text) {
            Ok(condition) => Some(condition),
            Err(error) => {
                self.problem(key, "a CEL expression", &format!("`{text}` ({error})"));
                None
            }
        }
    }

    fn problem(&mut self, key: &str, expected: &str, found: &str) {
        let path = format!("routes.{}.{key}", self.name);
        self.problems
            .push(self.document.problem(&path, expected, found));
    }
}

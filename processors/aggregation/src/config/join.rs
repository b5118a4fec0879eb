//! From `join = [{ … }]` to joins.

use super::{JoinTable, Tables};
use crate::core::{Condition, JsonJoin, Pointer};
use footfall_service::config::{Document, Problem};
use footfall_streams::{Join, Missing};
use std::sync::Arc;

/// Reads the joins of one stream or route; what is wrong with them goes to `problems`.
pub(super) struct JoinReader<'a> {
    pub(super) document: &'a Document,
    /// Of the stream or route.
    pub(super) path: String,
    pub(super) tables: &'a Tables,
    /// Whether a record without a value passes conditions that look at values.
    pub(super) passes_deletions: bool,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl JoinReader<'_> {
    /// The joins, and `condition` if it must wait for them: one that looks at nothing of theirs
    /// decides before them, so that no row is looked for in vain or missed.
    pub(super) fn read(
        mut self,
        joins: &[JoinTable],
        condition: Option<Condition>,
    ) -> (Vec<Join>, Option<Condition>) {
        let mut read = Vec::new();
        for (index, join) in joins.iter().enumerate() {
            let table = self.tables.get(&join.table).cloned();
            if table.is_none() {
                let names = self.tables.keys().map(|name| format!("`{name}`"));
                let expected = match names.collect::<Vec<_>>() {
                    names if names.is_empty() => "the name of a `[tables.NAME]`".to_owned(),
                    names => format!("the name of a table: {}", names.join(", ")),
                };
                self.problem(index, "table", &expected, &join.table);
            }
            let by = join.by.as_ref();
            let by = by.map(|text| self.pointer(index, "by", text));
            let at = self.pointer(index, "as", &join.r#as);
            read.extend(
                table
                    .zip(at)
                    .map(|(table, at)| (table, by.flatten(), at, missing(join))),
            );
        }
        let is_of_a_row = |condition: &Condition| {
            let mut members = read.iter().filter_map(|(_, _, at, _)| at.first());
            members.any(|member| condition.names(member))
        };
        let (mut before, after) = match condition {
            Some(condition) if !read.is_empty() && !is_of_a_row(&condition) => {
                (Some(condition), None)
            }
            condition => (None, condition),
        };
        let joins = read.into_iter().map(|(table, by, at, missing)| {
            let condition = before.take();
            let with = Arc::new(JsonJoin {
                condition,
                passes_deletions: self.passes_deletions,
                by,
                at,
            });
            Join {
                table,
                with,
                missing,
            }
        });
        (joins.collect(), after)
    }

    fn pointer(&mut self, index: usize, key: &str, text: &str) -> Option<Pointer> {
        let pointer = Pointer::parse(text);
        if pointer.is_none() {
            let expected = "a JSON pointer such as `/user`";
            self.problem(index, key, expected, text);
        }
        pointer
    }

    fn problem(&mut self, index: usize, key: &str, expected: &str, found: &str) {
        let path = format!("{}.join[{index}].{key}", self.path);
        let found = format!("`{}`", found.escape_debug());
        self.problems
            .push(self.document.problem(&path, expected, found));
    }
}

fn missing(join: &JoinTable) -> Missing {
    match join.missing.as_str() {
        "skip" => Missing::Skip,
        "dlq" => Missing::DeadLetter,
        _ => Missing::Keep,
    }
}

use super::{
    Pointer, Pointers,
    cel::{self, Parsed, Scope},
};
use footfall_task::Record;
use serde_json::value::RawValue;
use std::fmt;

/// A CEL expression over a record: its value's members by their names, and `record.key`,
/// `record.timestamp`, `record.headers`, `record.topic`, `record.partition`, `record.offset`.
pub struct Condition {
    text: String,
    parsed: Parsed,
    members: Vec<Pointer>,
    pointers: Pointers,
}

impl Condition {
    /// Reads an expression that is to be true or false.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        cel::parse(text)?
            .into_condition()
            .map(|parsed| Self::of(text, parsed))
    }

    /// Reads an expression that may say anything.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn parse_any(text: &str) -> Result<Self, String> {
        cel::parse(text).map(|parsed| Self::of(text, parsed))
    }

    fn of(text: &str, parsed: Parsed) -> Self {
        let members = parsed.members.iter();
        let members: Vec<_> = members.map(|name| Pointer::member(name)).collect();
        Self {
            text: text.to_owned(),
            parsed,
            pointers: Pointers::new(&members),
            members,
        }
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it looks at this member of the value.
    #[must_use]
    pub fn names(&self, member: &str) -> bool {
        self.parsed.members.iter().any(|name| name == member)
    }

    /// Whether it holds. An expression over a missing member, or one that is no boolean in the end,
    /// does not.
    ///
    /// # Errors
    /// When the value is looked at and is not JSON.
    pub fn holds(&self, record: &Record<'_>) -> serde_json::Result<bool> {
        Ok(self.holds_with(record, &self.pointers.find_in(record)?))
    }

    /// The same where it is known what its pointers lead to.
    pub(super) fn holds_with(&self, record: &Record<'_>, members: &[Option<&RawValue>]) -> bool {
        self.parsed.holds(Scope::new(record, members))
    }

    /// Whether a record has no value, and what it says depends on one: the row that is deleted may
    /// have met it or not.
    pub(super) fn is_open_for(&self, record: &Record<'_>) -> bool {
        record.value.is_none() && !self.members.is_empty()
    }

    /// How many members of the value it looks at.
    pub(super) fn members(&self) -> usize {
        self.members.len()
    }

    /// Where they are.
    pub(super) fn pointers(&self) -> impl Iterator<Item = &Pointer> {
        self.members.iter()
    }

    /// What it says, if that has a form in JSON. Over a missing member it says nothing.
    ///
    /// # Errors
    /// When the value is looked at and is not JSON.
    pub fn json(&self, record: &Record<'_>) -> serde_json::Result<Option<Box<RawValue>>> {
        let members = self.pointers.find_in(record)?;
        let json = self.parsed.json(Scope::new(record, &members));
        json.map(RawValue::from_string).transpose()
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use footfall_task::{Offset, Partition, Timestamp};

    fn record(value: &'static str) -> Record<'static> {
        Record {
            topic: "events",
            partition: Partition(3),
            offset: Offset(41),
            timestamp: Some(Timestamp(1_764_000_000_001)),
            key: Some(b"demo/v1"),
            value: Some(value.as_bytes()),
            headers: vec![("footfall-replayed", Some(b"1"))],
        }
    }

    #[track_caller]
    fn holds(expression: &str, json: &'static str) -> bool {
        Condition::parse(expression)
            .unwrap()
            .holds(&record(json))
            .unwrap()
    }

    #[test]
    fn members_are_compared_by_name() {
        let json = r#"{"type":"page_view","page":{"url":"/cart"},"seq":7,"amount":12.5,"tags":["a","b"],"ok":true,"none":null}"#;
        for expression in [
            r#"type == "page_view""#,
            r#"page.url.startsWith("/c")"#,
            "seq == 7",
            "seq > 6 && seq < 8",
            "amount > 12",
            "amount == 12.5",
            "amount >= 12.5",
            r#""b" in tags"#,
            r#"tags.exists(tag, tag == "a")"#,
            "ok",
            "none == null",
            "has(page.url)",
            "size(tags) == 2",
            r#"page.url.matches("^/[a-z]+$")"#,
        ] {
            assert!(holds(expression, json), "{expression}");
        }
        for expression in [
            r#"type == "click""#,
            "seq == 8",
            "has(page.title)",
            r#"type == 5"#,
        ] {
            assert!(!holds(expression, json), "{expression}");
        }
    }

    #[test]
    fn a_missing_member_makes_it_false() {
        for expression in [
            r#"type == "page_view""#,
            r#"type != "page_view""#,
            r#"!(type == "page_view")"#,
            r#"page.url == """#,
        ] {
            assert!(!holds(expression, r#"{"page":{}}"#), "{expression}");
        }
    }

    #[test]
    fn a_missing_member_makes_it_false_whatever_it_is_called() {
        for name in [
            "list",
            "string",
            "int",
            "uint",
            "bytes",
            "null_type",
            "type",
            "double",
            "map",
            "bool",
            "dyn",
            "optional_type",
            "timestamp",
            "duration",
            "size",
            "has",
            "all",
            "package",
            "for",
            "namespace",
            "import",
            "function",
            "google",
            "optional",
            "e",
            "r",
            "b",
            "`in`",
            "`a-b`",
        ] {
            for rest in [
                "!= 5",
                "!= null",
                "== 5 || false",
                ".x != 5",
                "!= \"a\" && true",
            ] {
                let expression = format!("{name} {rest}");
                assert!(!holds(&expression, r#"{"other":1}"#), "{expression}");
            }
            let json: String = format!(r#"{{"{}":7}}"#, name.trim_matches('`'));
            let condition = Condition::parse(&format!("{name} == 7")).unwrap();
            let record = Record {
                value: Some(json.as_bytes()),
                ..record("")
            };
            assert!(condition.holds(&record).unwrap(), "{name}");
        }
    }

    #[test]
    fn values_of_any_kind_may_stand_beside_what_is_looked_at() {
        for beside in [
            r#""\ud800""#,
            "1e400",
            "-1e999999",
            "123456789012345678901234567890123456789012345678901234567890",
            r#"{"\ud800":1}"#,
            r#"{"a":1,"a":2}"#,
            "[1e400]",
        ] {
            for json in [
                format!(r#"{{"properties":{{"plan":"pro","beside":{beside}}}}}"#),
                format!(r#"{{"properties":{{"beside":{beside},"plan":"free","plan":"pro"}}}}"#),
                format!(r#"{{"properties":{{"plan":"pro","\udfff":{beside}}},"\ud800":{beside}}}"#),
            ] {
                let record = Record {
                    value: Some(json.as_bytes()),
                    ..record("")
                };
                for expression in [
                    r#"properties.plan == "pro""#,
                    r#"properties["plan"] == "pro""#,
                    r#"has(properties.plan) && !has(properties.none)"#,
                    r#"properties.exists(name, properties[name] == "pro")"#,
                    r#""plan" in properties"#,
                    r#"[properties].exists(each, each.plan == "pro")"#,
                ] {
                    let condition = Condition::parse(expression).unwrap();
                    assert!(condition.holds(&record).unwrap(), "{expression} in {json}");
                }
            }
        }
        assert!(holds("n > 5 && n > 1e308", r#"{"n":1e400}"#));
        assert!(holds(r#"n != "a" && size(n) == 2"#, r#"{"n":"a\ud800"}"#));
    }

    #[test]
    fn it_knows_which_members_it_looks_at() {
        let condition = Condition::parse("profile.vip && record.key != \"a\"").unwrap();
        assert!(condition.names("profile") && !condition.names("vip"));
    }

    #[test]
    fn an_expression_that_is_no_boolean_does_not_hold() {
        assert!(!holds("seq", r#"{"seq":1}"#));
    }

    #[test]
    fn what_kafka_knows_is_in_record() {
        for expression in [
            r#"record.key == "demo/v1""#,
            "record.timestamp == 1764000000001",
            r#"record.headers["footfall-replayed"] == "1""#,
            r#"record.topic == "events""#,
            "record.partition == 3",
            "record.offset == 41",
        ] {
            assert!(
                holds(expression, "not json, and not looked at"),
                "{expression}"
            );
        }
    }

    #[test]
    fn a_value_that_is_looked_at_must_be_json() {
        let condition = Condition::parse(r#"type == "click""#).unwrap();
        assert!(condition.holds(&record("{")).is_err());
        let without = Record {
            value: None,
            ..record("")
        };
        assert!(!condition.holds(&without).unwrap());
    }

    #[test]
    fn a_wrong_expression_is_refused_in_one_line() {
        let refusal = Condition::parse("type ==").unwrap_err();
        assert!(!refusal.is_empty() && !refusal.contains('\n'), "{refusal}");
    }
}

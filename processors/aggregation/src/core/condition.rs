use super::{Pointer, Pointers};
use cel::{Context, Env, Program, Value, objects};
use footfall_task::Record;
use serde_json::value::RawValue;
use std::{collections::HashMap, fmt, sync::Arc};

/// The variable that stands for what Kafka knows of a record.
const RECORD: &str = "record";

/// CEL's name for the type of types, which nobody compares with; events have a member of this name,
/// and without one the name must not stand for anything else.
const TYPE: &str = "type";

/// A CEL expression over a record: its value's members by their names, and `record.key`,
/// `record.timestamp`, `record.headers`, `record.topic`, `record.partition`, `record.offset`.
pub struct Condition {
    text: String,
    program: Program,
    env: Arc<Env>,
    members: Vec<(String, Pointer)>,
    pointers: Pointers,
    reads_record: bool,
}

impl Condition {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let env = Arc::new(Env::stdlib());
        let program = env.compile(text).map_err(|errors| {
            let errors = errors.errors.iter().map(|error| error.msg.clone());
            errors.collect::<Vec<_>>().join("; ")
        })?;
        let references = program.references();
        let names = references.variables().into_iter();
        let members: Vec<_> = names
            .filter(|name| *name != RECORD)
            .map(|name| (name.to_owned(), Pointer::member(name)))
            .collect();
        Ok(Self {
            reads_record: references.has_variable(RECORD),
            text: text.to_owned(),
            program,
            env,
            pointers: Pointers::new(members.iter().map(|(_, pointer)| pointer)),
            members,
        })
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it looks at this member of the value.
    #[must_use]
    pub fn names(&self, member: &str) -> bool {
        self.members.iter().any(|(name, _)| name == member)
    }

    /// Whether it holds. An expression over a missing member, or one that is no boolean in the end,
    /// does not.
    ///
    /// # Errors
    /// When the value is looked at and is not JSON.
    pub fn holds(&self, record: &Record<'_>) -> serde_json::Result<bool> {
        self.holds_with(record, &self.pointers.find_in(record)?)
    }

    /// The same where it is known what its pointers lead to.
    ///
    /// # Errors
    /// When that is not JSON.
    pub(super) fn holds_with(
        &self,
        record: &Record<'_>,
        members: &[Option<&RawValue>],
    ) -> serde_json::Result<bool> {
        let value = self.value(record, members)?;
        Ok(matches!(value, Some(Value::Bool(true))))
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
        self.members.iter().map(|(_, pointer)| pointer)
    }

    /// What it says, if that has a form in JSON. Over a missing member it says nothing.
    ///
    /// # Errors
    /// When the value is looked at and is not JSON.
    pub fn json(&self, record: &Record<'_>) -> serde_json::Result<Option<serde_json::Value>> {
        let value = self.value(record, &self.pointers.find_in(record)?)?;
        Ok(value.and_then(|value| value.json().ok()))
    }

    fn value(
        &self,
        record: &Record<'_>,
        members: &[Option<&RawValue>],
    ) -> serde_json::Result<Option<Value>> {
        let mut context = Context::with_env(Arc::clone(&self.env));
        for ((name, _), found) in self.members.iter().zip(members) {
            match found {
                Some(found) => context.add_variable_from_value(name.as_str(), value(found)?),
                None if name == TYPE => return Ok(None),
                None => {}
            }
        }
        if self.reads_record {
            context.add_variable_from_value(RECORD, known(record));
        }
        Ok(self.program.execute(&context).ok())
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.text).finish()
    }
}

fn value(raw: &RawValue) -> serde_json::Result<Value> {
    serde_json::from_str(raw.get()).map(from_json)
}

/// Whole numbers are CEL's `int`, because that is what its number literals are.
fn from_json(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => value.into(),
        serde_json::Value::String(text) => text.into(),
        serde_json::Value::Array(items) => {
            items.into_iter().map(from_json).collect::<Vec<_>>().into()
        }
        serde_json::Value::Object(members) => {
            let members = members.into_iter();
            map(members.map(|(name, value)| (name, from_json(value))))
        }
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => whole.into(),
            (None, Some(whole)) => whole.into(),
            (None, None) => number.as_f64().map_or(Value::Null, Value::from),
        },
    }
}

fn known(record: &Record<'_>) -> Value {
    let text = |bytes: &[u8]| {
        std::str::from_utf8(bytes)
            .map(|text| Value::from(text.to_owned()))
            .ok()
    };
    let headers = record
        .headers
        .iter()
        .filter_map(|(name, value)| Some(((*name).to_owned(), text(value.unwrap_or_default())?)));
    let members = [
        ("topic", Some(record.topic.to_owned().into())),
        ("partition", Some(i64::from(record.partition.0).into())),
        ("offset", Some(record.offset.0.into())),
        ("timestamp", record.timestamp.map(|time| time.0.into())),
        ("key", record.key.and_then(text)),
        ("headers", Some(map(headers))),
    ];
    map(members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?))))
}

fn map(members: impl Iterator<Item = (String, Value)>) -> Value {
    let members: HashMap<String, Value> = members.collect();
    Value::Map(objects::Map::from(members))
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

use super::{
    Condition, Edits, Pointer,
    reader::{identity, not_json},
};
use footfall_streams::{Convert, Converted, Unusable};
use footfall_task::Record;
use std::sync::Arc;

/// Does with JSON records what a `[routes.NAME]` table says.
#[derive(Debug)]
pub struct Converter {
    /// Which records are for it; left out, all.
    pub condition: Option<Condition>,
    /// The new key; left out, the record's own.
    pub key: Option<Pointer>,
    /// What is changed in the value. A record without one has nothing to change.
    pub edits: Edits,
    /// Where records go for which the condition holds, and none before it did.
    pub split: Vec<(Condition, Arc<str>)>,
    /// Where the others go; left out: nowhere.
    pub to: Option<Arc<str>>,
}

impl Convert for Converter {
    fn convert(&self, record: &Record<'_>) -> Result<Option<Converted>, Unusable> {
        if let Some(condition) = &self.condition
            && !holds(condition, record)?
        {
            return Ok(None);
        }
        let Some(to) = self.topic(record)? else {
            return Ok(None);
        };
        let mut converted = Converted::unchanged(to, record);
        if let Some(pointer) = &self.key {
            let missing = || Unusable::null_key(&format!("a value at `{pointer}` as the key"));
            converted.key = Some(identity(pointer, record)?.ok_or_else(missing)?);
        }
        if let Some(json) = record.value
            && !self.edits.is_empty()
        {
            let edited = self.edits.apply(json, record);
            converted.value = Some(edited.map_err(|error| not_json(&error))?);
        }
        Ok(Some(converted))
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        let text = |condition: &Condition| condition.text().to_owned();
        let edits = &self.edits;
        let mut steps = Vec::new();
        steps.extend(
            self.condition
                .as_ref()
                .map(|condition| ("where", text(condition))),
        );
        steps.extend(
            edits
                .keep
                .iter()
                .map(|pointer| ("keep", pointer.to_string())),
        );
        steps.extend(
            edits
                .drop
                .iter()
                .map(|pointer| ("drop", pointer.to_string())),
        );
        let renamed = edits.rename.iter();
        steps.extend(renamed.map(|(from, to)| ("rename", format!("{from} to {to}"))));
        let set = edits.set.iter();
        steps.extend(set.map(|(to, expression)| ("set", format!("{to} = {}", text(expression)))));
        steps.extend(
            self.key
                .as_ref()
                .map(|pointer| ("key", pointer.to_string())),
        );
        let split = self.split.iter();
        steps.extend(
            split.map(|(condition, to)| ("split", format!("{to} where {}", text(condition)))),
        );
        steps
    }
}

impl Converter {
    fn topic(&self, record: &Record<'_>) -> Result<Option<&Arc<str>>, Unusable> {
        for (condition, topic) in &self.split {
            if holds(condition, record)? {
                return Ok(Some(topic));
            }
        }
        Ok(self.to.as_ref())
    }
}

fn holds(condition: &Condition, record: &Record<'_>) -> Result<bool, Unusable> {
    condition.holds(record).map_err(|error| not_json(&error))
}

#[cfg(test)]
mod tests {
    use super::{super::sample::record, *};

    fn converter() -> Converter {
        Converter {
            condition: Condition::parse("type != \"vital\"").ok(),
            key: Pointer::parse("/user"),
            edits: Edits {
                drop: vec![Pointer::parse("/client").unwrap()],
                ..Edits::default()
            },
            split: vec![
                (
                    Condition::parse("type == \"click\"").unwrap(),
                    "clicks".into(),
                ),
                (Condition::parse("user == \"u1\"").unwrap(), "first".into()),
            ],
            to: Some("others".into()),
        }
    }

    fn convert(json: &str) -> Result<Option<Converted>, Unusable> {
        converter().convert(&record(Some(json)))
    }

    #[test]
    fn a_record_goes_to_the_first_topic_whose_condition_holds_or_else_to_the_last() {
        let topic = |json| {
            convert(json)
                .unwrap()
                .map(|converted| converted.to.to_string())
        };
        let both = r#"{"type":"click","user":"u1"}"#;
        assert_eq!(topic(both).as_deref(), Some("clicks"));
        let second = r#"{"type":"custom","user":"u1"}"#;
        assert_eq!(topic(second).as_deref(), Some("first"));
        let neither = r#"{"type":"custom","user":"u2"}"#;
        assert_eq!(topic(neither).as_deref(), Some("others"));
        assert_eq!(topic(r#"{"type":"vital","user":"u1"}"#), None);
    }

    #[test]
    fn key_and_value_are_those_that_were_asked_for() {
        let json = r#"{"type":"click","user":"u1","client":{"ip":"::1"}}"#;
        let expected = Converted {
            to: "clicks".into(),
            key: Some(b"u1".to_vec()),
            value: Some(br#"{"type":"click","user":"u1"}"#.to_vec()),
        };
        assert_eq!(convert(json), Ok(Some(expected)));
    }

    #[test]
    fn what_has_no_key_or_is_no_json_cannot_be_used() {
        assert_eq!(convert(r#"{"type":"click"}"#).unwrap_err().code, "null_key");
        assert_eq!(convert("{").unwrap_err().code, "undecodable");
    }
}

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
    /// Whether records without a value go nowhere.
    pub skips_deletions: bool,
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
        if self.skips_deletions && record.value.is_none() {
            return Ok(None);
        }
        if let Some(condition) = &self.condition
            && !condition.is_open_for(record)
            && !holds(condition, record)?
        {
            return Ok(None);
        }
        let mut topics = self.topics(record)?;
        let Some(to) = topics.pop() else {
            return Ok(None);
        };
        let mut converted = Converted {
            also: topics.into_iter().map(Arc::clone).collect(),
            ..Converted::unchanged(to, record)
        };
        if let Some(pointer) = &self.key {
            let missing = || match record.value {
                Some(_) => Unusable::null_key(&format!("a value at `{pointer}` as the key")),
                None => Unusable::null_key(&format!(
                    "a value at `{pointer}` as the key, which a deletion cannot say"
                )),
            };
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
        let skip = self.skips_deletions.then(|| "skip".to_owned());
        steps.extend(skip.map(|skip| ("deletions", skip)));
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
    /// Where a record goes: to one topic at most, but that a deletion goes to all that its row may
    /// be on.
    fn topics(&self, record: &Record<'_>) -> Result<Vec<&Arc<str>>, Unusable> {
        let mut topics = Vec::new();
        let mut add = |topic| {
            if !topics.contains(&topic) {
                topics.push(topic);
            }
        };
        for (condition, topic) in &self.split {
            if condition.is_open_for(record) {
                add(topic);
            } else if holds(condition, record)? {
                add(topic);
                return Ok(topics);
            }
        }
        self.to.iter().for_each(add);
        Ok(topics)
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
            skips_deletions: false,
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
            also: Vec::new(),
            key: Some(b"u1".to_vec()),
            value: Some(br#"{"type":"click","user":"u1"}"#.to_vec()),
        };
        assert_eq!(convert(json), Ok(Some(expected)));
    }

    /// Where a deletion goes.
    fn deleted(converter: &Converter) -> Vec<String> {
        let converted = converter.convert(&record(None)).unwrap();
        let mut topics: Vec<_> = converted
            .into_iter()
            .flat_map(|converted| {
                assert_eq!(
                    (converted.key.as_deref(), &converted.value),
                    (Some(&b"own"[..]), &None)
                );
                [vec![converted.to], converted.also].concat()
            })
            .map(|topic| topic.to_string())
            .collect();
        topics.sort();
        topics
    }

    fn condition(text: &str) -> Condition {
        Condition::parse(text).unwrap()
    }

    #[test]
    fn a_deletion_goes_to_every_topic_that_its_row_may_be_on() {
        let keyless = || Converter {
            key: None,
            ..converter()
        };
        assert_eq!(deleted(&keyless()), ["clicks", "first", "others"]);
        let nowhere_else = Converter {
            to: None,
            ..keyless()
        };
        assert_eq!(deleted(&nowhere_else), ["clicks", "first"]);
        let skipping = Converter {
            skips_deletions: true,
            ..keyless()
        };
        assert_eq!(deleted(&skipping), [""; 0]);
    }

    #[test]
    fn what_looks_at_no_value_decides_over_deletions_too() {
        let of = |text, split: &[(&str, &str)]| Converter {
            condition: Some(condition(text)),
            key: None,
            split: split
                .iter()
                .map(|(text, to)| (condition(text), (*to).into()))
                .collect(),
            ..converter()
        };
        let own = r#"record.key == "own""#;
        let other = r#"record.key == "other""#;
        assert_eq!(deleted(&of(other, &[])), [""; 0]);
        assert_eq!(deleted(&of(own, &[])), ["others"]);
        // Of `own` no row is behind the topic that takes it, and one may be before.
        let split = [(other, "a"), ("x == 1", "b"), (own, "c"), ("x == 2", "d")];
        assert_eq!(deleted(&of(own, &split)), ["b", "c"]);
    }

    #[test]
    fn a_deletion_cannot_say_which_key_its_row_was_given() {
        let refusal = converter().convert(&record(None)).unwrap_err();
        assert_eq!(refusal.code, "null_key");
        let reason =
            "expected a value at `/user` as the key, which a deletion cannot say, found none";
        assert_eq!(refusal.reason, reason);
    }

    #[test]
    fn what_has_no_key_or_is_no_json_cannot_be_used() {
        assert_eq!(convert(r#"{"type":"click"}"#).unwrap_err().code, "null_key");
        assert_eq!(convert("{").unwrap_err().code, "undecodable");
    }
}

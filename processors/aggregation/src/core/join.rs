use super::{
    Condition, Pointer, edit,
    reader::{identity, not_json},
};
use footfall_streams::{Enrich, Unusable};
use footfall_task::Record;
use serde_json::value::RawValue;

/// Puts a row, which is JSON, into a record, which is, too, as an entry of `join` says.
#[derive(Debug)]
pub struct JsonJoin {
    /// Which records are for the stream, where that shows without a row; left out, all.
    pub condition: Option<Condition>,
    /// Whether a record without a value is for it, too, although the condition looks at values.
    pub passes_deletions: bool,
    /// Where the row's key is; left out, it is the record's own.
    pub by: Option<Pointer>,
    /// Where the row is put.
    pub at: Pointer,
}

impl Enrich for JsonJoin {
    fn wants(&self, record: &Record<'_>) -> Result<bool, Unusable> {
        let Some(condition) = &self.condition else {
            return Ok(true);
        };
        if self.passes_deletions && condition.is_open_for(record) {
            return Ok(true);
        }
        condition.holds(record).map_err(|error| not_json(&error))
    }

    fn by(&self, record: &Record<'_>) -> Result<Option<Vec<u8>>, Unusable> {
        match &self.by {
            Some(pointer) => identity(pointer, record),
            None => Ok(record.key.map(<[u8]>::to_vec)),
        }
    }

    fn join(&self, record: &Record<'_>, row: Option<&[u8]>) -> Result<Option<Vec<u8>>, Unusable> {
        let Some(json) = record.value else {
            return Ok(None);
        };
        let joined = match row {
            Some(row) => edit::put(json, &self.at, row_of(row)?).map(Some),
            // What stands at the row's place without being one must not be taken for one.
            None => edit::remove(json, &self.at),
        };
        joined.map_err(|error| not_json(&error))
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        let condition = self.condition.iter();
        let condition = condition.map(|condition| ("where", condition.text().to_owned()));
        let by = match &self.by {
            Some(pointer) => format!("by {pointer} as {}", self.at),
            None => format!("by the record's key as {}", self.at),
        };
        condition.chain([("join", by)]).collect()
    }
}

fn row_of(bytes: &[u8]) -> Result<&RawValue, Unusable> {
    serde_json::from_slice(bytes).map_err(|error| {
        Unusable::undecodable(format!("expected JSON in the row to join, found {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::{super::sample::record, *};

    fn join(by: Option<&str>) -> JsonJoin {
        JsonJoin {
            condition: Condition::parse("type == \"click\"").ok(),
            passes_deletions: false,
            by: by.and_then(Pointer::parse),
            at: Pointer::parse("/profile").unwrap(),
        }
    }

    #[test]
    fn a_row_is_put_into_the_record_and_the_rest_of_it_stays_byte_for_byte() {
        let record = record(Some(r#"{"user":"u1","n":1.50,"profile":7,"list":[1, 2]}"#));
        let joined = join(None).join(&record, Some(br#"{"vip": true}"#));
        let expected = r#"{"user":"u1","n":1.50,"profile":{"vip": true},"list":[1, 2]}"#;
        assert_eq!(joined, Ok(Some(expected.as_bytes().to_vec())));
    }

    #[test]
    fn without_a_row_nothing_stands_in_its_place() {
        let without = |json| {
            let joined = join(None).join(&record(Some(json)), None).unwrap();
            joined.map(|json| String::from_utf8(json).unwrap())
        };
        assert_eq!(without(r#"{"user":"u1"}"#), None);
        let forged = without(r#"{"user":"u1","profile":{"vip":true}}"#);
        assert_eq!(forged.as_deref(), Some(r#"{"user":"u1"}"#));
    }

    #[test]
    fn a_row_belongs_to_a_member_or_to_the_records_key() {
        let by = |by, json| join(by).by(&record(Some(json))).unwrap();
        assert_eq!(
            by(Some("/user"), r#"{"user":"u\u0031"}"#),
            Some(b"u1".to_vec())
        );
        assert_eq!(by(Some("/user"), r#"{"user":7}"#), Some(b"7".to_vec()));
        assert_eq!(by(Some("/user"), "{}"), None);
        assert_eq!(by(None, "not looked at"), Some(b"own".to_vec()));
    }

    #[test]
    fn a_record_that_is_not_for_the_stream_is_not_joined() {
        let wants = |json| join(None).wants(&record(Some(json)));
        assert_eq!(wants(r#"{"type":"click"}"#), Ok(true));
        assert_eq!(wants("{}"), Ok(false));
        assert_eq!(wants("{").unwrap_err().code, "undecodable");
    }

    #[test]
    fn a_deletion_is_for_a_route_whose_condition_looks_at_values_and_not_for_a_stream() {
        let wants = |passes_deletions| {
            let join = JsonJoin {
                passes_deletions,
                ..join(None)
            };
            join.wants(&record(None))
        };
        assert_eq!((wants(true), wants(false)), (Ok(true), Ok(false)));
    }

    #[test]
    fn a_row_or_a_record_that_is_no_json_cannot_be_used() {
        let code = |json, row| {
            join(None)
                .join(&record(Some(json)), Some(row))
                .unwrap_err()
                .code
        };
        assert_eq!(code("{}", b"{"), "undecodable");
        assert_eq!(code("{", b"{}"), "undecodable");
    }
}

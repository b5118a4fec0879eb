use super::{Condition, Found, Pointer, Pointers, json};
use footfall_streams::{
    Decimal, Extract, Extracted, Input, Reads, Real, Unusable, own_key, own_time,
};
use footfall_task::{Record, Timestamp};
use serde_json::value::RawValue;
use std::{borrow::Cow, slice};

/// Reads JSON records as a `[streams.NAME]` table says. A value is looked at only if the table
/// names a part of it, and then once for all of them.
#[derive(Debug)]
pub struct JsonReader {
    wanted: Wanted,
    /// Of the condition, the key, the time, and those after them.
    all: Pointers,
    /// Of what is still to be read once a record is with others of its key: the id and the fields.
    rest: Pointers,
}

/// What is read of records.
#[derive(Debug)]
pub struct Wanted {
    /// Which records count; left out, all.
    pub condition: Option<Condition>,
    /// What they are grouped by; left out, the record's own key.
    pub key: Option<Pointer>,
    /// When they happened.
    pub time: Time,
    /// Whether records without a value count.
    pub null_values: NullValues,
    /// What duplicates are known by; left out, there are none.
    pub id: Option<Pointer>,
    /// The field of each aggregate, for those that read one.
    pub fields: Vec<Option<Field>>,
}

/// What an aggregate looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where it is.
    pub pointer: Pointer,
    /// What it is taken for.
    pub reads: Reads,
}

/// Where a record's event time is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Time {
    /// The record's timestamp.
    Record,
    /// A field with milliseconds since the Unix epoch, or a text after RFC 3339.
    Field(Pointer),
}

/// What records without a value are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NullValues {
    /// Records like others, without any field.
    Count,
    /// Nothing.
    Skip,
}

impl From<Wanted> for JsonReader {
    fn from(wanted: Wanted) -> Self {
        let condition = wanted.condition.iter();
        let members = condition.flat_map(Condition::pointers);
        let before = members.chain(&wanted.key).chain(wanted.time.pointer());
        Self {
            all: Pointers::new(before.chain(wanted.rest())),
            rest: Pointers::new(wanted.rest()),
            wanted,
        }
    }
}

impl Extract for JsonReader {
    fn extract(&self, record: &Record<'_>) -> Result<Option<Extracted>, Unusable> {
        let wanted = &self.wanted;
        if record.value.is_none() && wanted.null_values == NullValues::Skip {
            return Ok(None);
        }
        let members = wanted.condition.as_ref().map_or(0, Condition::members);
        // What does not look at the value must not depend on it.
        if members == 0 && !wanted.holds(record, &[]) {
            return Ok(None);
        }
        let found = find(&self.all, record)?;
        let (members, found) = found.split_at(members);
        if !members.is_empty() && !wanted.holds(record, members) {
            return Ok(None);
        }
        let mut found = found.iter();
        let key = wanted.key(record, &mut found)?;
        let time = wanted.time(record, &mut found)?;
        let (id, inputs) = wanted.rest_of(found)?;
        Ok(Some(Extracted {
            key,
            time,
            inputs,
            id,
        }))
    }

    fn complete(
        &self,
        record: &Record<'_>,
        key: &[u8],
        time: Timestamp,
    ) -> Result<Option<Extracted>, Unusable> {
        let found = find(&self.rest, record)?;
        let (id, inputs) = self.wanted.rest_of(found.iter())?;
        Ok(Some(Extracted {
            key: key.to_vec(),
            time,
            inputs,
            id,
        }))
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        let wanted = &self.wanted;
        let condition = wanted.condition.as_ref();
        let condition = condition.map(|condition| condition.text().to_owned());
        let steps = [
            ("where", condition),
            ("key", wanted.key.as_ref().map(Pointer::to_string)),
            ("time", wanted.time.pointer().map(Pointer::to_string)),
            ("null_values", wanted.null_values.in_words()),
            ("dedupe by", wanted.id.as_ref().map(Pointer::to_string)),
        ];
        let steps = steps.into_iter();
        steps.filter_map(|(what, how)| Some((what, how?))).collect()
    }
}

/// So many bytes of a number are told.
const LONGEST_NUMBER: usize = 64;

/// What is found of pointers, one after the other.
type Next<'f, 'a> = slice::Iter<'f, Option<&'a RawValue>>;

/// What is there; a JSON `null` is nothing.
fn next<'a>(found: &mut Next<'_, 'a>) -> Option<&'a RawValue> {
    let found = found.next().copied().flatten();
    found.filter(|found| found.get() != "null")
}

impl Wanted {
    /// The pointers of the id and the fields.
    fn rest(&self) -> impl Iterator<Item = &Pointer> {
        let fields = self.fields.iter().flatten();
        self.id.iter().chain(fields.map(|field| &field.pointer))
    }

    fn holds(&self, record: &Record<'_>, members: &[Option<&RawValue>]) -> bool {
        let mut condition = self.condition.iter();
        condition.all(|condition| condition.holds_with(record, members))
    }

    fn key(&self, record: &Record<'_>, found: &mut Next<'_, '_>) -> Result<Vec<u8>, Unusable> {
        let Some(pointer) = &self.key else {
            return own_key(record).map(<[u8]>::to_vec);
        };
        next(found)
            .map(plain)
            .ok_or_else(|| Unusable::null_key(&format!("a value at `{pointer}` as the key")))
    }

    fn time(&self, record: &Record<'_>, found: &mut Next<'_, '_>) -> Result<Timestamp, Unusable> {
        let Time::Field(pointer) = &self.time else {
            return own_time(record);
        };
        let nothing = || {
            let expected = "milliseconds since the Unix epoch or an RFC 3339 time";
            Unusable::no_timestamp(format!("expected {expected} at `{pointer}`, found none"))
        };
        let found = next(found).ok_or_else(nothing)?;
        let millis = match json::exact_text(found.get()) {
            Some(text) => text
                .parse::<jiff::Timestamp>()
                .map(jiff::Timestamp::as_millisecond)
                .ok(),
            None => found.get().parse().ok(),
        };
        let millis = millis.filter(|millis| *millis >= 0);
        millis.map(Timestamp).ok_or_else(nothing)
    }

    /// The id and what each aggregate reads.
    fn rest_of(&self, mut found: Next<'_, '_>) -> Result<(Option<Vec<u8>>, Vec<Input>), Unusable> {
        let id = self.id.as_ref().and_then(|_| next(&mut found));
        let id = id.map(plain);
        let inputs = self.fields.iter().map(|field| match field {
            Some(field) => field.input(next(&mut found)),
            None => Ok(Input::Missing),
        });
        let inputs = inputs.collect::<Result<_, _>>()?;
        Ok((id, inputs))
    }
}

impl NullValues {
    /// What is to be said of it: nothing where it is as ever.
    fn in_words(self) -> Option<String> {
        match self {
            Self::Count => None,
            Self::Skip => Some("skip".to_owned()),
        }
    }
}

impl Time {
    fn pointer(&self) -> Option<&Pointer> {
        match self {
            Self::Record => None,
            Self::Field(pointer) => Some(pointer),
        }
    }
}

impl Field {
    fn input(&self, found: Option<&RawValue>) -> Result<Input, Unusable> {
        let Some(found) = found else {
            return Ok(Input::Missing);
        };
        match self.reads {
            Reads::Nothing => Ok(Input::Missing),
            Reads::Number => {
                let number = Decimal::parse(found.get());
                let wrong = || self.not_a_number("a number between -10^27 and 10^27", found);
                number.map(Input::Number).ok_or_else(wrong)
            }
            Reads::Real => {
                let number = Real::parse(found.get());
                let wrong = || self.not_a_number("a number between -1.8e308 and 1.8e308", found);
                number.map(Input::Real).ok_or_else(wrong)
            }
            Reads::Value => Ok(Input::Value(match json::exact_text(found.get()) {
                // One text may be written in several ways.
                Some(text) => serde_json::Value::from(text).to_string().into(),
                None => one_line(found.get()).into(),
            })),
        }
    }
}

impl Field {
    /// A number is told as it is; what is none may be anything, and is not.
    fn not_a_number(&self, expected: &str, found: &RawValue) -> Unusable {
        let is_number = found
            .get()
            .starts_with(|first: char| first == '-' || first.is_ascii_digit());
        let found = match found.get() {
            number if is_number && number.len() <= LONGEST_NUMBER => format!("`{number}`"),
            _ if is_number => "one of more digits than are of use".to_owned(),
            _ => "something else".to_owned(),
        };
        let pointer = &self.pointer;
        Unusable::not_a_number(format!("expected {expected} at `{pointer}`, found {found}"))
    }
}

/// JSON without the white space between its parts.
fn one_line(json: &str) -> String {
    let (mut is_text, mut is_escaped) = (false, false);
    let kept = json.chars().filter(|char| {
        let is_inside = is_text;
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_text = !is_text,
            _ => {}
        }
        is_inside || !char.is_ascii_whitespace()
    });
    kept.collect()
}

/// What is there, to know something by: the text of a string, the JSON of anything else.
pub(super) fn identity(
    pointer: &Pointer,
    record: &Record<'_>,
) -> Result<Option<Vec<u8>>, Unusable> {
    let found = find(&Pointers::new([pointer]), record)?;
    Ok(next(&mut found.iter()).map(plain))
}

/// The text of a string, the JSON of anything else: of a string, too, that is no text.
fn plain(found: &RawValue) -> Vec<u8> {
    let text = json::exact_text(found.get());
    text.map_or_else(|| found.get().to_owned(), Cow::into_owned)
        .into_bytes()
}

/// In a record without a value there is nothing.
fn find<'a>(pointers: &Pointers, record: &Record<'a>) -> Result<Found<'a>, Unusable> {
    let found = pointers.find_in(record);
    found.map_err(|error| not_json(&error))
}

pub(super) fn not_json(error: &serde_json::Error) -> Unusable {
    Unusable::undecodable(format!("expected JSON, found {error}"))
}

#[cfg(test)]
mod tests {
    use super::{super::sample::record, *};
    use footfall_task::DeadLetterCode;

    fn wanted() -> Wanted {
        Wanted {
            condition: None,
            key: None,
            time: Time::Record,
            null_values: NullValues::Count,
            id: None,
            fields: vec![None],
        }
    }

    fn field(pointer: &str, reads: Reads) -> Option<Field> {
        let pointer = Pointer::parse(pointer)?;
        Some(Field { pointer, reads })
    }

    fn code(reader: &JsonReader, value: &'static str) -> DeadLetterCode {
        reader.extract(&record(Some(value))).unwrap_err().code
    }

    #[test]
    fn a_value_is_not_looked_at_without_need() {
        let found = JsonReader::from(wanted())
            .extract(&record(Some("not json")))
            .unwrap()
            .unwrap();
        assert_eq!((found.key, found.time), (b"own".to_vec(), Timestamp(77)));
    }

    #[test]
    fn a_key_is_the_text_of_a_string_and_the_json_of_anything_else() {
        let reader = JsonReader::from(Wanted {
            key: Pointer::parse("/k"),
            ..wanted()
        });
        for (json, key) in [
            (r#"{"k":"/caf\u00e9"}"#, "/café"),
            (r#"{"k":""}"#, ""),
            (r#"{"k":12.50}"#, "12.50"),
            (r#"{"k":true}"#, "true"),
        ] {
            let found = reader.extract(&record(Some(json))).unwrap().unwrap();
            assert_eq!(String::from_utf8(found.key).unwrap(), key);
        }
        assert_eq!(code(&reader, r#"{"k":null}"#), "null_key");
        assert_eq!(code(&reader, "{}"), "null_key");
        assert_eq!(code(&reader, "{"), "undecodable");
    }

    #[test]
    fn a_time_is_milliseconds_or_rfc_3339() {
        let reader = JsonReader::from(Wanted {
            time: Time::Field(Pointer::parse("/at").unwrap()),
            ..wanted()
        });
        for (json, millis) in [
            (r#"{"at":1764000000123}"#, 1_764_000_000_123),
            (r#"{"at":"2025-11-24T16:00:00.123Z"}"#, 1_764_000_000_123),
            (r#"{"at":"2025-11-25T01:00:00+09:00"}"#, 1_764_000_000_000),
        ] {
            let found = reader.extract(&record(Some(json))).unwrap().unwrap();
            assert_eq!(found.time, Timestamp(millis), "{json}");
        }
        for json in [
            "{}",
            r#"{"at":null}"#,
            r#"{"at":-1}"#,
            r#"{"at":"yesterday"}"#,
            r#"{"at":[1]}"#,
        ] {
            assert_eq!(code(&reader, json), "no_timestamp", "{json}");
        }
    }

    #[test]
    fn a_missing_field_is_left_out_and_a_text_is_not_a_number() {
        let reader = JsonReader::from(Wanted {
            fields: vec![None, field("/amount", Reads::Number)],
            ..wanted()
        });
        let inputs = |json| reader.extract(&record(Some(json))).unwrap().unwrap().inputs;
        let number = Input::Number(Decimal::parse("12.5").unwrap());
        assert_eq!(inputs(r#"{"amount":12.5}"#), [Input::Missing, number]);
        assert_eq!(inputs("{}"), [Input::Missing, Input::Missing]);
        assert_eq!(
            inputs(r#"{"amount":null}"#),
            [Input::Missing, Input::Missing]
        );
        assert_eq!(code(&reader, r#"{"amount":"12.5"}"#), "not_a_number");
    }

    #[test]
    fn a_number_beyond_what_an_aggregate_can_hold_is_told_with_what_it_can() {
        let reader = |reads| {
            JsonReader::from(Wanted {
                fields: vec![field("/amount", reads)],
                ..wanted()
            })
        };
        let refusal = |reads, value: &'static str| {
            reader(reads)
                .extract(&record(Some(value)))
                .unwrap_err()
                .reason
        };
        for (reads, value, expected) in [
            (
                Reads::Number,
                r#"{"amount":1e27}"#,
                "between -10^27 and 10^27 at `/amount`, found `1e27`",
            ),
            (
                Reads::Real,
                r#"{"amount":-1e400}"#,
                "between -1.8e308 and 1.8e308 at `/amount`, found `-1e400`",
            ),
            (
                Reads::Real,
                r#"{"amount":"1"}"#,
                "between -1.8e308 and 1.8e308 at `/amount`, found something else",
            ),
        ] {
            assert_eq!(
                refusal(reads, value),
                format!("expected a number {expected}")
            );
            assert_eq!(code(&reader(reads), value), "not_a_number");
        }
        let found = reader(Reads::Real).extract(&record(Some(r#"{"amount":1e27}"#)));
        let real = Input::Real(Real::parse("1e27").unwrap());
        assert_eq!(found.unwrap().unwrap().inputs, [real]);
    }

    #[test]
    fn one_value_is_one_text_however_it_is_written() {
        let reader = JsonReader::from(Wanted {
            fields: vec![field("/v", Reads::Value)],
            ..wanted()
        });
        for (json, expected) in [
            (r#"{"v":"\u0061\/b"}"#, r#""a/b""#),
            (
                "{\"v\": { \"a b\" :\n [1, 2.50,\t\"x \\\" y\"] } }",
                r#"{"a b":[1,2.50,"x \" y"]}"#,
            ),
            (r#"{"v":1e400}"#, "1e400"),
            (r#"{"v":false}"#, "false"),
        ] {
            let found = reader.extract(&record(Some(json))).unwrap().unwrap();
            assert_eq!(found.inputs, [Input::Value(expected.into())], "{json}");
        }
    }

    #[test]
    fn records_without_a_value_count_or_are_skipped() {
        assert!(
            JsonReader::from(wanted())
                .extract(&record(None))
                .unwrap()
                .is_some()
        );
        let skipping = JsonReader::from(Wanted {
            null_values: NullValues::Skip,
            ..wanted()
        });
        assert!(skipping.extract(&record(None)).unwrap().is_none());
    }

    #[test]
    fn what_duplicates_are_known_by_is_read_where_there_is_one() {
        let reader = JsonReader::from(Wanted {
            id: Pointer::parse("/id"),
            ..wanted()
        });
        let id = |json| reader.extract(&record(Some(json))).unwrap().unwrap().id;
        assert_eq!(id(r#"{"id":"e1"}"#), Some(b"e1".to_vec()));
        assert_eq!(id(r#"{"id":7}"#), Some(b"7".to_vec()));
        assert_eq!(id("{}"), None);
        assert_eq!(id(r#"{"id":null}"#), None);
    }

    #[test]
    fn records_without_key_or_time_are_told_apart() {
        let keyless = Record {
            key: None,
            ..record(None)
        };
        let timeless = Record {
            timestamp: None,
            ..record(None)
        };
        assert_eq!(
            JsonReader::from(wanted())
                .extract(&keyless)
                .unwrap_err()
                .code,
            "null_key"
        );
        assert_eq!(
            JsonReader::from(wanted())
                .extract(&timeless)
                .unwrap_err()
                .code,
            "no_timestamp"
        );
    }
}

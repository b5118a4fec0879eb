use super::{Batch, Consent, Error, MAX_CONTEXT_LEN, MAX_DEPTH, MAX_EVENTS, MAX_TEXT_LEN};
use crate::{Text, Timestamp, WriteKey, json};
use serde_json::value::RawValue;

const NAMES: [&str; 9] = [
    "write_key",
    "sent_at",
    "sdk",
    "visitor",
    "session",
    "load",
    "user",
    "consent",
    "context",
];

impl<'a> Batch<'a> {
    /// Reads a body and checks the syntax of all of it.
    ///
    /// # Errors
    /// See [`Error`]; then nothing of the batch may be taken.
    pub fn read(body: &'a [u8]) -> Result<Self, Error> {
        let json = std::str::from_utf8(body).map_err(|error| {
            malformed(format!(
                "a byte that is not UTF-8 at {}",
                error.valid_up_to()
            ))
        })?;
        if json::is_deeper_than(json, MAX_DEPTH) {
            return Err(malformed(format!("more than {MAX_DEPTH} levels")));
        }
        let (members, events) = json::members_and_elements(json, &NAMES, "events")
            .map_err(|error| malformed(error.to_string()))?;
        if members.duplicate {
            return Err(malformed("a member twice".into()));
        }
        let [
            write_key,
            sent_at,
            sdk,
            visitor,
            session,
            load,
            user,
            consent,
            context,
        ] = members.values;
        Ok(Self {
            write_key: read_write_key(write_key)?,
            sent_at: read_sent_at(sent_at)?,
            sdk: read_text("#/sdk", sdk)?,
            visitor: read_text("#/visitor", visitor)?,
            session: read_text("#/session", session)?,
            load: read_text("#/load", load)?,
            user: read_text("#/user", user)?,
            consent: read_consent(consent)?,
            context: read_context(context)?,
            events: read_events(events)?,
        })
    }
}

fn malformed(found: String) -> Error {
    Error::Malformed { found }
}

fn read_write_key(value: Option<&RawValue>) -> Result<WriteKey<'_>, Error> {
    value
        .and_then(Text::from_json)
        .and_then(|text| WriteKey::new(text.into_inner()).ok())
        .ok_or(Error::Field {
            pointer: "#/write_key",
            expected: WriteKey::FORM,
        })
}

fn read_sent_at(value: Option<&RawValue>) -> Result<Timestamp, Error> {
    value
        .and_then(|raw| raw.get().parse().ok())
        .filter(|millis| *millis >= 0)
        .map(Timestamp::from_millis)
        .ok_or(Error::Field {
            pointer: "#/sent_at",
            expected: "an integer, milliseconds since the Unix epoch",
        })
}

fn read_text<'a>(
    pointer: &'static str,
    value: Option<&'a RawValue>,
) -> Result<Option<Text<'a>>, Error> {
    let Some(raw) = value else { return Ok(None) };
    Text::from_json(raw)
        .filter(|text| text.len() <= MAX_TEXT_LEN)
        .map(|text| (!text.is_empty()).then_some(text))
        .ok_or(Error::Field {
            pointer,
            expected: "a string of up to 128 bytes",
        })
}

fn read_consent(value: Option<&RawValue>) -> Result<Option<Consent>, Error> {
    let wrong = Error::Field {
        pointer: "#/consent",
        expected: "`granted`, `denied` or nothing",
    };
    let Some(raw) = value else { return Ok(None) };
    let text = Text::from_json(raw).ok_or_else(|| wrong.clone())?;
    if text.is_empty() {
        return Ok(None);
    }
    Consent::from_word(&text).map(Some).ok_or(wrong)
}

fn read_context(value: Option<&RawValue>) -> Result<Option<&RawValue>, Error> {
    let Some(raw) = value else { return Ok(None) };
    // An empty string is an empty value like any other here.
    if json::is_empty_object(raw) || raw.get() == "\"\"" {
        return Ok(None);
    }
    if !json::is_object(raw) || raw.get().len() > MAX_CONTEXT_LEN {
        return Err(Error::Field {
            pointer: "#/context",
            expected: "an object of up to 16 KiB",
        });
    }
    Ok(Some(raw))
}

fn read_events(value: Option<json::Elements<'_>>) -> Result<Vec<&RawValue>, Error> {
    let events = value.and_then(|json::Elements(events)| events);
    let events = events.ok_or(Error::Field {
        pointer: "#/events",
        expected: "an array of 1 to 500 events",
    })?;
    match events.len() {
        0 => Err(Error::Empty),
        1..=MAX_EVENTS => Ok(events),
        found => Err(Error::TooLarge { found }),
    }
}

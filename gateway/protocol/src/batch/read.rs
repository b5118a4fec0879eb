use super::{Batch, Consent, Error, MAX_EVENTS, MAX_TEXT_LEN};
use crate::{
    Json, Text, Timestamp, WriteKey,
    event::Sent,
    json::{self, Scanner, Value},
};

const NAMES: [&str; 10] = [
    "write_key",
    "sent_at",
    "sdk",
    "visitor",
    "session",
    "load",
    "user",
    "consent",
    "context",
    "events",
];
/// The place of `events`, which are read where they stand.
const EVENTS: usize = NAMES.len() - 1;

impl<'a> Batch<'a> {
    /// Reads a body, its events too, and checks the syntax of all of it.
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
        let (values, events) = read_members(json)?;
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
            _,
        ] = values;
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

    /// The same batch, if its context has at most so many bytes as sent: it goes into every record.
    ///
    /// # Errors
    /// [`Error::ContextTooLong`].
    pub fn with_context_within(self, max: usize) -> Result<Self, Error> {
        match self.context.map(|context| context.as_str().len()) {
            Some(found) if found > max => Err(Error::ContextTooLong { max, found }),
            _ => Ok(self),
        }
    }
}

/// The members by their names, and the events.
type Read<'a> = ([Option<Value<'a>>; NAMES.len()], Option<Events<'a>>);

/// The elements of an array, as far as there may be so many.
#[derive(Default)]
struct Events<'a> {
    kept: Vec<Sent<'a>>,
    found: usize,
}

fn read_members(json: &str) -> Result<Read<'_>, Error> {
    let mut scanner = Scanner::new(json);
    let (mut values, mut events) = ([None; NAMES.len()], None);
    let duplicate = scanner.named(&NAMES, |scanner, place| {
        if place == EVENTS && scanner.is_at(b'[') {
            events = Some(scan_events(scanner)?);
        } else {
            values[place] = scanner.present()?;
        }
        Ok(())
    });
    let checked = duplicate.and_then(|duplicate| scanner.end().map(|()| duplicate));
    match checked {
        Ok(false) => Ok((values, events)),
        Ok(true) => Err(malformed("a member twice".into())),
        Err(error) => Err(malformed(error.to_string())),
    }
}

fn scan_events<'a>(scanner: &mut Scanner<'a>) -> Result<Events<'a>, json::Error> {
    let mut events = Events::default();
    scanner.elements(|scanner| {
        events.found += 1;
        if events.found <= MAX_EVENTS {
            events.kept.push(Sent::scan(scanner)?);
        } else {
            scanner.value()?;
        }
        Ok(())
    })?;
    Ok(events)
}

fn malformed(found: String) -> Error {
    Error::Malformed { found }
}

fn read_write_key(value: Option<Value<'_>>) -> Result<WriteKey<'_>, Error> {
    value
        .and_then(Text::from_json)
        .and_then(|text| WriteKey::new(text.into_inner()).ok())
        .ok_or(Error::Field {
            pointer: "#/write_key",
            expected: WriteKey::FORM,
        })
}

fn read_sent_at(value: Option<Value<'_>>) -> Result<Timestamp, Error> {
    value
        .and_then(|value| value.json.as_str().parse().ok())
        .filter(|millis| *millis >= 0)
        .map(Timestamp::from_millis)
        .ok_or(Error::Field {
            pointer: "#/sent_at",
            expected: "an integer, milliseconds since the Unix epoch",
        })
}

fn read_text<'a>(
    pointer: &'static str,
    value: Option<Value<'a>>,
) -> Result<Option<Text<'a>>, Error> {
    let Some(value) = value else { return Ok(None) };
    Text::from_json(value)
        .filter(|text| text.len() <= MAX_TEXT_LEN)
        .map(|text| (!text.is_empty()).then_some(text))
        .ok_or(Error::Field {
            pointer,
            expected: "a string of up to 128 bytes",
        })
}

fn read_consent(value: Option<Value<'_>>) -> Result<Option<Consent>, Error> {
    let wrong = Error::Field {
        pointer: "#/consent",
        expected: "`granted`, `denied` or nothing",
    };
    let Some(value) = value else { return Ok(None) };
    let text = Text::from_json(value).ok_or_else(|| wrong.clone())?;
    if text.is_empty() {
        return Ok(None);
    }
    Consent::from_word(&text).map(Some).ok_or(wrong)
}

fn read_context(value: Option<Value<'_>>) -> Result<Option<Json<'_>>, Error> {
    let Some(Value { json, .. }) = value else {
        return Ok(None);
    };
    // An empty string is an empty value like any other here.
    if json.is_empty_object() || json.as_str() == "\"\"" {
        return Ok(None);
    }
    if !json.is_object() {
        return Err(Error::Field {
            pointer: "#/context",
            expected: "an object",
        });
    }
    Ok(Some(json))
}

fn read_events(events: Option<Events<'_>>) -> Result<Vec<Sent<'_>>, Error> {
    let Events { kept, found } = events.ok_or(Error::Field {
        pointer: "#/events",
        expected: "an array of 1 to 500 events",
    })?;
    match found {
        0 => Err(Error::Empty),
        1..=MAX_EVENTS => Ok(kept),
        _ => Err(Error::TooLarge { found }),
    }
}

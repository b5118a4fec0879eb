use super::{
    Element, Event, EventType, Fault, MAX_NAME_LEN, MAX_PROPERTIES_DEPTH, MAX_URL_LEN, Page,
};
use crate::{EventId, Text, Timestamp, answer::Code, json};
use serde_json::value::RawValue;
use std::borrow::Cow;

const EVENT: [&str; 8] = [
    "id",
    "time",
    "type",
    "name",
    "seq",
    "page",
    "element",
    "properties",
];
const PAGE: [&str; 3] = ["url", "title", "referrer"];
const ELEMENT: [&str; 8] = ["tag", "id", "name", "role", "text", "href", "path", "kind"];

impl<'a> Event<'a> {
    /// Reads an element of `events`. `max_len` is the longest event in bytes, as sent.
    ///
    /// # Errors
    /// The first fault that is met.
    pub fn read(raw: &'a RawValue, max_len: usize) -> Result<Self, Fault> {
        let members = json::is_object(raw)
            .then(|| json::members(raw.get(), &EVENT).ok())
            .flatten();
        let Some(members) = members else {
            let message = Cow::Borrowed("expected an object");
            return Err(Wrong(Code::NotAnObject, message).of(None));
        };
        let [id, ..] = members.values;
        let id = read_id(id).map_err(|wrong| wrong.of(None))?;
        read_rest(id, &members, raw.get().len(), max_len).map_err(|wrong| wrong.of(Some(id)))
    }
}

const TWICE: &str = "expected each member once, found one twice";

/// A fault of an event whose id is known elsewhere.
struct Wrong(Code, Cow<'static, str>);

impl Wrong {
    fn of(self, id: Option<EventId>) -> Fault {
        let Self(code, message) = self;
        Fault { id, code, message }
    }
}

fn wrong<T>(code: Code, message: impl Into<Cow<'static, str>>) -> Result<T, Wrong> {
    Err(Wrong(code, message.into()))
}

fn read_rest<'a>(
    id: EventId,
    members: &json::Members<'a, 8>,
    len: usize,
    max_len: usize,
) -> Result<Event<'a>, Wrong> {
    if len > max_len {
        let message = format!("expected up to {max_len} bytes as sent, found {len}");
        return wrong(Code::EventTooLarge, message);
    }
    if members.duplicate {
        return wrong(Code::FieldInvalid, TWICE);
    }
    let [_, time, r#type, name, seq, page, element, properties] = members.values;
    let time = read_time(time)?;
    let r#type = read_type(r#type)?;
    Ok(Event {
        id,
        time,
        r#type,
        name: read_name(r#type, name)?,
        seq: read_seq(seq)?,
        page: read_page(page)?,
        element: read_element(element)?,
        properties: read_properties(properties)?,
    })
}

fn read_id(value: Option<&RawValue>) -> Result<EventId, Wrong> {
    let Some(raw) = value else {
        return wrong(Code::IdMissing, "expected `id`, a UUID");
    };
    let id = Text::from_json(raw).and_then(|text| text.parse().ok());
    id.map_or_else(|| wrong(Code::IdInvalid, "`id`: expected a UUID"), Ok)
}

fn read_time(value: Option<&RawValue>) -> Result<Timestamp, Wrong> {
    let Some(raw) = value else {
        return wrong(
            Code::TimeMissing,
            "expected `time`, milliseconds since the Unix epoch",
        );
    };
    match raw.get().parse().map(Timestamp::from_millis) {
        Ok(time) if time >= Timestamp::YEAR_2000 => Ok(time),
        Ok(_) | Err(_) => wrong(
            Code::TimeInvalid,
            "`time`: expected an integer, milliseconds since the Unix epoch, not before the year 2000",
        ),
    }
}

fn read_type(value: Option<&RawValue>) -> Result<EventType, Wrong> {
    let Some(raw) = value else {
        return wrong(Code::TypeMissing, "expected `type`");
    };
    let known = Text::from_json(raw).and_then(|text| EventType::from_word(&text));
    known.map_or_else(
        || {
            let words: Vec<_> = EventType::ALL.iter().map(|known| known.as_str()).collect();
            let message = format!("`type`: expected one of {}", words.join(", "));
            wrong(Code::TypeUnknown, message)
        },
        Ok,
    )
}

fn read_name(r#type: EventType, value: Option<&RawValue>) -> Result<Option<Text<'_>>, Wrong> {
    let name = read_text("`name`", value)?.filter(|name| !name.is_empty());
    match name {
        Some(name) if name.len() > MAX_NAME_LEN => {
            let message = format!(
                "`name`: expected up to {MAX_NAME_LEN} bytes, found {}",
                name.len()
            );
            wrong(Code::NameTooLong, message)
        }
        None if r#type == EventType::Custom => wrong(
            Code::NameMissing,
            "expected `name`, for the type is `custom`",
        ),
        name => Ok(name),
    }
}

fn read_seq(value: Option<&RawValue>) -> Result<Option<u64>, Wrong> {
    let Some(raw) = value else { return Ok(None) };
    raw.get()
        .parse()
        .map(Some)
        .or_else(|_| wrong(Code::SeqInvalid, "`seq`: expected a non-negative integer"))
}

fn read_page(value: Option<&RawValue>) -> Result<Option<Page<'_>>, Wrong> {
    let Some(raw) = value else { return Ok(None) };
    let [url, title, referrer] = read_object("`page`", raw, &PAGE)?;
    let page = Page {
        url: read_text("`page.url`", url)?,
        title: read_text("`page.title`", title)?,
        referrer: read_text("`page.referrer`", referrer)?,
    };
    match &page.url {
        Some(url) if url.len() > MAX_URL_LEN => {
            let message = format!(
                "`page.url`: expected up to {MAX_URL_LEN} bytes, found {}",
                url.len()
            );
            wrong(Code::UrlTooLong, message)
        }
        _ => Ok((page != Page::default()).then_some(page)),
    }
}

fn read_element(value: Option<&RawValue>) -> Result<Option<Element<'_>>, Wrong> {
    let Some(raw) = value else { return Ok(None) };
    let [tag, id, name, role, text, href, path, kind] = read_object("`element`", raw, &ELEMENT)?;
    let element = Element {
        tag: read_text("`element.tag`", tag)?,
        id: read_text("`element.id`", id)?,
        name: read_text("`element.name`", name)?,
        role: read_text("`element.role`", role)?,
        text: read_text("`element.text`", text)?,
        href: read_text("`element.href`", href)?,
        path: read_text("`element.path`", path)?,
        kind: read_text("`element.kind`", kind)?,
    };
    Ok((element != Element::default()).then_some(element))
}

fn read_properties(value: Option<&RawValue>) -> Result<Option<&RawValue>, Wrong> {
    let Some(raw) = value else { return Ok(None) };
    if !json::is_object(raw) {
        return wrong(Code::PropertiesInvalid, "`properties`: expected an object");
    }
    if json::is_deeper_than(raw.get(), MAX_PROPERTIES_DEPTH) {
        let message = format!("`properties`: expected up to {MAX_PROPERTIES_DEPTH} levels");
        return wrong(Code::DepthExceeded, message);
    }
    Ok((!json::is_empty_object(raw)).then_some(raw))
}

fn read_object<'a, const N: usize>(
    field: &str,
    raw: &'a RawValue,
    names: &[&str; N],
) -> Result<[Option<&'a RawValue>; N], Wrong> {
    match json::members(raw.get(), names) {
        Ok(members) if !members.duplicate => Ok(members.values),
        Ok(_) => wrong(Code::FieldInvalid, format!("{field}: {TWICE}")),
        Err(_) => wrong(Code::FieldInvalid, format!("{field}: expected an object")),
    }
}

fn read_text<'a>(field: &str, value: Option<&'a RawValue>) -> Result<Option<Text<'a>>, Wrong> {
    let Some(raw) = value else { return Ok(None) };
    match Text::from_json(raw) {
        Some(text) => Ok(Some(text)),
        None => wrong(Code::FieldInvalid, format!("{field}: expected a string")),
    }
}

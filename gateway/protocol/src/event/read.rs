use super::{
    Element, Event, EventType, Fault, MAX_NAME_LEN, MAX_PROPERTIES_DEPTH, MAX_URL_LEN, Page, Sent,
};
use crate::{
    EventId, Json, Text, Timestamp,
    answer::Code,
    json::{self, Nested, Scanner, Value},
};
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

/// The members of an event.
struct Parts<'a> {
    /// `id`, `time`, `type`, `name` and `seq`.
    plain: [Option<Value<'a>>; 5],
    page: Nested<'a, 3>,
    element: Nested<'a, 8>,
    properties: Option<Value<'a>>,
    duplicate: bool,
}

impl<'a> Sent<'a> {
    /// The event byte for byte as it was sent.
    #[must_use]
    pub fn json(&self) -> Json<'a> {
        self.json
    }

    /// What was read. `max_len` is the longest event in bytes, as sent.
    ///
    /// # Errors
    /// The first fault that was met.
    pub fn read(&self, max_len: usize) -> Result<Event<'a>, Fault> {
        let id = match &self.event {
            Ok(event) => Some(event.id),
            Err(fault) => fault.id,
        };
        let len = self.json.as_str().len();
        if id.is_some() && len > max_len {
            let message = format!("expected up to {max_len} bytes as sent, found {len}");
            return Err(Wrong(Code::EventTooLarge, message.into()).of(id));
        }
        self.event.clone()
    }

    /// Reads an element of `events`.
    ///
    /// # Errors
    /// When it is no JSON.
    pub(crate) fn scan(scanner: &mut Scanner<'a>) -> Result<Self, json::Error> {
        let place = scanner.place();
        let event = if scanner.is_at(b'{') {
            read(&Parts::scan(scanner)?)
        } else {
            scanner.value()?;
            let message = Cow::Borrowed("expected an object");
            Err(Wrong(Code::NotAnObject, message).of(None))
        };
        let json = scanner.since(place);
        Ok(Self { json, event })
    }
}

impl<'a> Parts<'a> {
    fn scan(scanner: &mut Scanner<'a>) -> Result<Self, json::Error> {
        let mut parts = Self {
            plain: [None; 5],
            page: Nested::Absent,
            element: Nested::Absent,
            properties: None,
            duplicate: false,
        };
        parts.duplicate = scanner.named(&EVENT, |scanner, place| {
            match EVENT[place] {
                "page" => parts.page = scanner.members(&PAGE)?,
                "element" => parts.element = scanner.members(&ELEMENT)?,
                "properties" => parts.properties = scanner.present()?,
                _ => parts.plain[place] = scanner.present()?,
            }
            Ok(())
        })?;
        Ok(parts)
    }
}

fn read<'a>(parts: &Parts<'a>) -> Result<Event<'a>, Fault> {
    let [id, ..] = parts.plain;
    let id = read_id(id).map_err(|wrong| wrong.of(None))?;
    read_rest(id, parts).map_err(|wrong| wrong.of(Some(id)))
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

fn read_rest<'a>(id: EventId, parts: &Parts<'a>) -> Result<Event<'a>, Wrong> {
    if parts.duplicate {
        return wrong(Code::FieldInvalid, TWICE);
    }
    let [_, time, r#type, name, seq] = parts.plain;
    let time = read_time(time)?;
    let r#type = read_type(r#type)?;
    Ok(Event {
        id,
        time,
        r#type,
        name: read_name(r#type, name)?,
        seq: read_seq(seq)?,
        page: read_page(&parts.page)?,
        element: read_element(&parts.element)?,
        properties: read_properties(parts.properties)?,
    })
}

fn read_id(value: Option<Value<'_>>) -> Result<EventId, Wrong> {
    let Some(value) = value else {
        return wrong(Code::IdMissing, "expected `id`, a UUID");
    };
    let id = Text::from_json(value).and_then(|text| text.parse().ok());
    id.map_or_else(|| wrong(Code::IdInvalid, "`id`: expected a UUID"), Ok)
}

fn read_time(value: Option<Value<'_>>) -> Result<Timestamp, Wrong> {
    let Some(value) = value else {
        return wrong(
            Code::TimeMissing,
            "expected `time`, milliseconds since the Unix epoch",
        );
    };
    match value.json.as_str().parse().map(Timestamp::from_millis) {
        Ok(time) if time >= Timestamp::YEAR_2000 => Ok(time),
        Ok(_) | Err(_) => wrong(
            Code::TimeInvalid,
            "`time`: expected an integer, milliseconds since the Unix epoch, not before the year 2000",
        ),
    }
}

fn read_type(value: Option<Value<'_>>) -> Result<EventType, Wrong> {
    let Some(value) = value else {
        return wrong(Code::TypeMissing, "expected `type`");
    };
    let known = Text::from_json(value).and_then(|text| EventType::from_word(&text));
    known.map_or_else(
        || {
            let words: Vec<_> = EventType::ALL.iter().map(|known| known.as_str()).collect();
            let message = format!("`type`: expected one of {}", words.join(", "));
            wrong(Code::TypeUnknown, message)
        },
        Ok,
    )
}

fn read_name(r#type: EventType, value: Option<Value<'_>>) -> Result<Option<Text<'_>>, Wrong> {
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

fn read_seq(value: Option<Value<'_>>) -> Result<Option<u64>, Wrong> {
    let Some(value) = value else { return Ok(None) };
    value
        .json
        .as_str()
        .parse()
        .map(Some)
        .or_else(|_| wrong(Code::SeqInvalid, "`seq`: expected a non-negative integer"))
}

fn read_page<'a>(page: &Nested<'a, 3>) -> Result<Option<Page<'a>>, Wrong> {
    let Some([url, title, referrer]) = read_object("`page`", page)? else {
        return Ok(None);
    };
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

fn read_element<'a>(element: &Nested<'a, 8>) -> Result<Option<Element<'a>>, Wrong> {
    let Some(values) = read_object("`element`", element)? else {
        return Ok(None);
    };
    let [tag, id, name, role, text, href, path, kind] = values;
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

fn read_properties(value: Option<Value<'_>>) -> Result<Option<Json<'_>>, Wrong> {
    let Some(Value { json, levels, .. }) = value else {
        return Ok(None);
    };
    if !json.is_object() {
        return wrong(Code::PropertiesInvalid, "`properties`: expected an object");
    }
    if levels > MAX_PROPERTIES_DEPTH {
        let message = format!("`properties`: expected up to {MAX_PROPERTIES_DEPTH} levels");
        return wrong(Code::DepthExceeded, message);
    }
    Ok((!json.is_empty_object()).then_some(json))
}

fn read_object<'a, const N: usize>(
    field: &str,
    nested: &Nested<'a, N>,
) -> Result<Option<[Option<Value<'a>>; N]>, Wrong> {
    match nested {
        Nested::Absent => Ok(None),
        Nested::Object(members) if !members.duplicate => Ok(Some(members.values)),
        Nested::Object(_) => wrong(Code::FieldInvalid, format!("{field}: {TWICE}")),
        Nested::Other => wrong(Code::FieldInvalid, format!("{field}: expected an object")),
    }
}

fn read_text<'a>(field: &str, value: Option<Value<'a>>) -> Result<Option<Text<'a>>, Wrong> {
    let Some(value) = value else { return Ok(None) };
    match Text::from_json(value) {
        Some(text) => Ok(Some(text)),
        None => wrong(Code::FieldInvalid, format!("{field}: expected a string")),
    }
}

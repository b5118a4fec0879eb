use super::{
    super::json::{self, Members},
    Nothing,
    number::Number,
    time,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;
use std::{borrow::Cow, cmp::Ordering, collections::HashMap};

/// What an expression says.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    /// As it is written in the record, and not looked into yet.
    Json(&'a RawValue),
    Null,
    Bool(bool),
    /// CEL's own whole number: a literal, a size, what Kafka knows.
    Int(i128),
    /// One that JSON has, or a double.
    Number(Number),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    Timestamp(Timestamp),
    Duration(SignedDuration),
    Type(&'static str),
    List(Vec<Value<'a>>),
    Map(Vec<(Value<'a>, Value<'a>)>),
}

/// Deeper lists and objects than these are not compared.
const MAX_DEPTH: usize = 64;

impl<'a> Value<'a> {
    /// What it is; a list or an object of JSON is not looked into.
    pub(super) fn open(self) -> Result<Self, Nothing> {
        let Self::Json(raw) = self else {
            return Ok(self);
        };
        let json = raw.get();
        match json.as_bytes().first() {
            Some(b'{' | b'[') => Ok(self),
            Some(b'"') => json::text(json).map(Self::Text).ok_or(Nothing),
            Some(b't') => Ok(Self::Bool(true)),
            Some(b'f') => Ok(Self::Bool(false)),
            Some(b'n') => Ok(Self::Null),
            _ => Number::parse(json).map(Self::Number).ok_or(Nothing),
        }
    }

    pub(super) fn boolean(self) -> Result<bool, Nothing> {
        let Self::Bool(value) = self.open()? else {
            return Err(Nothing);
        };
        Ok(value)
    }

    pub(super) fn text(self) -> Result<Cow<'a, str>, Nothing> {
        let Self::Text(text) = self.open()? else {
            return Err(Nothing);
        };
        Ok(text)
    }

    /// Any number, whether CEL's or JSON's.
    pub(super) fn number(&self) -> Option<Number> {
        match self {
            Self::Int(whole) => Some(Number::Whole(*whole)),
            Self::Number(number) => Some(*number),
            Self::Json(_)
            | Self::Null
            | Self::Bool(_)
            | Self::Text(_)
            | Self::Bytes(_)
            | Self::Timestamp(_)
            | Self::Duration(_)
            | Self::Type(_)
            | Self::List(_)
            | Self::Map(_) => None,
        }
    }

    /// As `type()` has it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Json(raw) if raw.get().starts_with('{') => "map",
            Self::Json(_) | Self::List(_) => "list",
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Number(Number::Whole(_)) => "int",
            Self::Number(Number::Double(_)) => "double",
            Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Type(_) => "type",
            Self::Map(_) => "map",
        }
    }

    /// A list's items.
    pub(super) fn items(self) -> Result<Vec<Self>, Nothing> {
        if let Self::List(items) = self {
            return Ok(items);
        }
        let Self::Json(raw) = self else {
            return Err(Nothing);
        };
        // What is no list is refused by its reader.
        let items: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| Nothing)?;
        Ok(items.into_iter().map(Self::Json).collect())
    }

    /// A map's entries, each key once.
    pub(super) fn entries(self) -> Result<Vec<(Self, Self)>, Nothing> {
        if let Self::Map(entries) = self {
            return Ok(entries);
        }
        let mut places = HashMap::new();
        let mut entries: Vec<(Self, Self)> = Vec::new();
        for (name, value) in self.members()? {
            let name = json::text(name.get()).ok_or(Nothing)?;
            let place = *places.entry(name.clone()).or_insert(entries.len());
            // Where members have one name, the last one counts.
            match entries.get_mut(place) {
                Some(entry) => entry.1 = Self::Json(value),
                None => entries.push((Self::Text(name), Self::Json(value))),
            }
        }
        Ok(entries)
    }

    /// An object's members.
    fn members(self) -> Result<Vec<(&'a RawValue, &'a RawValue)>, Nothing> {
        let Self::Json(raw) = self else {
            return Err(Nothing);
        };
        let members = serde_json::from_str(raw.get()).map_err(|_| Nothing);
        members.map(|Members(members)| members)
    }

    /// The member of this name.
    pub(super) fn member(self, name: &str) -> Result<Self, Nothing> {
        let Self::Map(entries) = self else {
            let mut members = self.members()?.into_iter().rev();
            let found = members.find(|(written, _)| json::is_name(written, name));
            return found.map(|(_, value)| Self::Json(value)).ok_or(Nothing);
        };
        let mut entries = entries.into_iter();
        let found = entries.find(|(key, _)| matches!(key, Self::Text(text) if text == name));
        found.map(|(_, value)| value).ok_or(Nothing)
    }

    /// What `[…]` finds: an item by its number, or a member.
    pub(super) fn at(self, index: Self) -> Result<Self, Nothing> {
        let index = index.open()?;
        if let Self::Text(name) = &index {
            return self.member(name);
        }
        if let Self::Map(entries) = self {
            let mut entries = entries.into_iter();
            let found = entries.find(|(key, _)| key.equals(&index) == Ok(true));
            return found.map(|(_, value)| value).ok_or(Nothing);
        }
        let place = index.number().and_then(Number::as_whole);
        let place = place.and_then(|place| usize::try_from(place).ok());
        let mut items = self.items()?.into_iter();
        place.and_then(|place| items.nth(place)).ok_or(Nothing)
    }

    /// Whether a list has it as an item, or a map as a key.
    pub(super) fn has(self, wanted: &Self) -> Result<bool, Nothing> {
        let is_map = matches!(self.type_name(), "map");
        if is_map && let Self::Text(name) = wanted {
            return Ok(self.member(name).is_ok());
        }
        let items = if is_map {
            let entries = self.entries()?.into_iter();
            entries.map(|(key, _)| key).collect()
        } else {
            self.items()?
        };
        for item in &items {
            if item.equals(wanted)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether they are the same; values of two kinds are not.
    pub(super) fn equals(&self, other: &Self) -> Result<bool, Nothing> {
        same(self.clone(), other.clone(), 0)
    }

    /// The order of two values of one kind that has an order.
    pub(super) fn compare(&self, other: &Self) -> Result<Ordering, Nothing> {
        if let (Some(one), Some(other)) = (self.number(), other.number()) {
            return one.compare(other).ok_or(Nothing);
        }
        match (self, other) {
            (Self::Bool(one), Self::Bool(other)) => Ok(one.cmp(other)),
            (Self::Text(one), Self::Text(other)) => Ok(one.cmp(other)),
            (Self::Bytes(one), Self::Bytes(other)) => Ok(one.cmp(other)),
            (Self::Timestamp(one), Self::Timestamp(other)) => Ok(one.cmp(other)),
            (Self::Duration(one), Self::Duration(other)) => Ok(one.cmp(other)),
            _ => Err(Nothing),
        }
    }

    /// As JSON, if it has a form there; what comes from the record, byte for byte.
    pub(super) fn json(&self) -> Result<String, Nothing> {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        Ok(match self {
            Self::Json(raw) => raw.get().to_owned(),
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Int(whole) => whole.to_string(),
            Self::Number(number) if number.as_double().is_finite() => number.to_string(),
            Self::Text(text) => quoted(text),
            Self::Bytes(bytes) => quoted(&STANDARD.encode(bytes)),
            Self::Timestamp(time) => quoted(&time.to_string()),
            Self::Duration(duration) => quoted(&time::written(*duration)),
            Self::Number(_) | Self::Type(_) => return Err(Nothing),
            Self::List(items) => {
                let items: Result<Vec<_>, _> = items.iter().map(Self::json).collect();
                format!("[{}]", items?.join(","))
            }
            Self::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| {
                    let name = if let Self::Text(text) = key {
                        quoted(text)
                    } else {
                        quoted(&key.json()?)
                    };
                    Ok(format!("{name}:{}", value.json()?))
                });
                let entries: Result<Vec<_>, _> = entries.collect();
                format!("{{{}}}", entries?.join(","))
            }
        })
    }
}

fn same(one: Value<'_>, other: Value<'_>, depth: usize) -> Result<bool, Nothing> {
    if depth > MAX_DEPTH {
        return Err(Nothing);
    }
    let (one, other) = (one.open()?, other.open()?);
    if let (Some(one), Some(other)) = (one.number(), other.number()) {
        return Ok(one.compare(other) == Some(Ordering::Equal));
    }
    match (&one, &other) {
        (Value::Null, Value::Null) => return Ok(true),
        (Value::Type(one), Value::Type(other)) => return Ok(one == other),
        _ => {}
    }
    match (one.type_name(), other.type_name()) {
        ("list", "list") => {
            let (one, other) = (one.items()?, other.items()?);
            if one.len() != other.len() {
                return Ok(false);
            }
            for (one, other) in one.into_iter().zip(other) {
                if !same(one, other, depth + 1)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        ("map", "map") => same_maps(one.entries()?, &other.entries()?, depth),
        _ => Ok(one.compare(&other) == Ok(Ordering::Equal)),
    }
}

type Entries<'a> = Vec<(Value<'a>, Value<'a>)>;

fn same_maps(one: Entries<'_>, other: &Entries<'_>, depth: usize) -> Result<bool, Nothing> {
    if one.len() != other.len() {
        return Ok(false);
    }
    let names = other.iter().enumerate().filter_map(|(index, (key, _))| {
        let Value::Text(name) = key else {
            return None;
        };
        Some((name.as_ref(), index))
    });
    let names: HashMap<_, _> = names.collect();
    for (key, value) in one {
        let place = if let Value::Text(name) = &key {
            names.get(name.as_ref()).copied()
        } else {
            other
                .iter()
                .position(|(other, _)| key.equals(other) == Ok(true))
        };
        let Some((_, other)) = place.and_then(|place| other.get(place)) else {
            return Ok(false);
        };
        if !same(value, other.clone(), depth + 1)? {
            return Ok(false);
        }
    }
    Ok(true)
}

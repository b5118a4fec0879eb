//! What functions make of values.

use super::{Nothing, function::Function, number::Number, time, value::Value};
use jiff::{SignedDuration, Timestamp};
use regex::Regex;

type Result<T> = std::result::Result<T, Nothing>;

/// What a function says of its arguments, the first of which may be what it is called of.
pub(super) fn call(function: Function, arguments: Vec<Value<'_>>) -> Result<Value<'_>> {
    let mut arguments = arguments.into_iter();
    let first = arguments.next().ok_or(Nothing)?.open()?;
    let second = arguments.next().map(Value::open).transpose()?;
    let whole = |whole: usize| i128::try_from(whole).map(Value::Int).map_err(|_| Nothing);
    match function {
        Function::Size => whole(size(first)?),
        Function::Contains => texts(first, second, |text, part| Ok(text.contains(part))),
        Function::StartsWith => texts(first, second, |text, part| Ok(text.starts_with(part))),
        Function::EndsWith => texts(first, second, |text, part| Ok(text.ends_with(part))),
        Function::Matches => texts(first, second, |text, pattern| {
            let regex = Regex::new(pattern).map_err(|_| Nothing)?;
            Ok(regex.is_match(text))
        }),
        Function::Int => whole_of(&first).map(Value::Int),
        Function::Uint => {
            let whole = whole_of(&first)?;
            u64::try_from(whole)
                .map(|whole| Value::Int(whole.into()))
                .map_err(|_| Nothing)
        }
        Function::Double => {
            if let Value::Text(text) = &first {
                let number = text.trim().parse::<f64>().map_err(|_| Nothing)?;
                return Ok(Value::Number(Number::parse(text).unwrap_or(number.into())));
            }
            first.number().map(Value::Number).ok_or(Nothing)
        }
        Function::String => text_of(first),
        Function::Bytes => {
            if matches!(first, Value::Bytes(_)) {
                return Ok(first);
            }
            let bytes = first.text()?.into_owned().into_bytes();
            Ok(Value::Bytes(bytes.into()))
        }
        Function::Bool => {
            if matches!(first, Value::Bool(_)) {
                return Ok(first);
            }
            match &*first.text()? {
                "1" | "t" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
                "0" | "f" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
                _ => Err(Nothing),
            }
        }
        Function::Timestamp => timestamp(&first).map(Value::Timestamp),
        Function::Duration => {
            if matches!(first, Value::Duration(_)) {
                return Ok(first);
            }
            time::duration(&first.text()?).map(Value::Duration)
        }
        Function::Type => Ok(Value::Type(first.type_name())),
        Function::Dyn => Ok(first),
        Function::Part(part) => match (first, second) {
            (Value::Timestamp(time), None) => time::part_of(part, time, None).map(Value::Int),
            (Value::Timestamp(time), Some(zone)) => {
                time::part_of(part, time, Some(&zone.text()?)).map(Value::Int)
            }
            (Value::Duration(duration), None) => time::whole_of(part, duration).map(Value::Int),
            _ => Err(Nothing),
        },
    }
}

/// A number without what is behind its point, the number of a text, the seconds of a time.
fn whole_of(value: &Value<'_>) -> Result<i128> {
    if let Value::Text(text) = value {
        return text.parse().map_err(|_| Nothing);
    }
    if let Value::Timestamp(time) = value {
        return Ok(time.as_second().into());
    }
    value.number().and_then(Number::truncated).ok_or(Nothing)
}

/// Of a text its characters, of a list its items, of a map its keys.
fn size(value: Value<'_>) -> Result<usize> {
    if let Value::Text(text) = value {
        return Ok(text.chars().count());
    }
    if let Value::Bytes(bytes) = value {
        return Ok(bytes.len());
    }
    if value.type_name() == "map" {
        return value.entries().map(|entries| entries.len());
    }
    value.items().map(|items| items.len())
}

fn texts<'a>(
    one: Value<'a>,
    other: Option<Value<'a>>,
    holds: impl Fn(&str, &str) -> Result<bool>,
) -> Result<Value<'a>> {
    let (one, other) = (one.text()?, other.ok_or(Nothing)?.text()?);
    holds(&one, &other).map(Value::Bool)
}

fn text_of(value: Value<'_>) -> Result<Value<'_>> {
    if matches!(value, Value::Text(_)) {
        return Ok(value);
    }
    if let Value::Bytes(bytes) = value {
        let text = String::from_utf8(bytes.into_owned()).map_err(|_| Nothing)?;
        return Ok(Value::Text(text.into()));
    }
    let text = match (&value, value.number()) {
        (Value::Bool(value), _) => value.to_string(),
        (Value::Timestamp(time), _) => time.to_string(),
        (Value::Duration(duration), _) => time::written(*duration),
        (_, number) => number.ok_or(Nothing)?.to_string(),
    };
    Ok(Value::Text(text.into()))
}

/// A text after RFC 3339, or seconds since the Unix epoch.
fn timestamp(value: &Value<'_>) -> Result<Timestamp> {
    if let Value::Timestamp(time) = value {
        return Ok(*time);
    }
    if let Value::Text(text) = value {
        return text.parse().map_err(|_| Nothing);
    }
    let seconds = value.number().ok_or(Nothing)?;
    // A double has microseconds of these times, and no more.
    let micros = match seconds.times(Number::Whole(1_000_000)) {
        Number::Whole(micros) => Some(micros),
        Number::Double(micros) => Number::from(micros.round()).truncated(),
    };
    let nanos = micros.and_then(|micros| micros.checked_mul(1_000));
    let since = nanos.and_then(SignedDuration::try_from_nanos_i128);
    let since = since.ok_or(Nothing)?;
    Timestamp::UNIX_EPOCH
        .checked_add(since)
        .map_err(|_| Nothing)
}

//! Which function a call means, and whether it can be called like that.

use super::{
    expression::{Expression, Known, LoopKind, Step},
    function::{Form, Function, Kind, SIGNATURES, Signature},
    suggest::closest,
    time,
    value::Value,
};
use regex::Regex;

/// `NAME(…)`.
pub(super) fn plain(name: &str, arguments: Vec<Expression>) -> Result<Expression, String> {
    let signature = find(name, false)?;
    check(signature, arguments.iter())?;
    if signature.function == Function::Matches {
        let mut arguments = arguments.into_iter();
        let of = arguments.next().map(Box::new);
        let of = of.ok_or_else(|| count(signature, 0))?;
        return Ok(Expression::Path(of, vec![matches(arguments.collect())?]));
    }
    Ok(Expression::Call(signature.function, arguments))
}

/// `of.NAME(…)`.
pub(super) fn of_value(
    name: &str,
    of: &Expression,
    arguments: Vec<Expression>,
) -> Result<Step, String> {
    let signature = find(name, true)?;
    check(signature, [of].into_iter().chain(&arguments))?;
    if signature.function == Function::Matches {
        return matches(arguments);
    }
    Ok(Step::Call(signature.function, arguments))
}

/// The regular expression is read once, where it is known.
fn matches(arguments: Vec<Expression>) -> Result<Step, String> {
    let Some(Expression::Literal(Value::Text(pattern))) = arguments.first() else {
        return Ok(Step::Call(Function::Matches, arguments));
    };
    let regex = Regex::new(pattern).map_err(|error| {
        let error = error.to_string();
        let last = error.lines().last().unwrap_or_default();
        let last = last.trim_start_matches("error: ");
        format!(
            "expected a regular expression, found `{}` ({last})",
            pattern.escape_debug()
        )
    })?;
    Ok(Step::Matches(regex))
}

fn find(name: &str, is_of_value: bool) -> Result<&'static Signature, String> {
    let Some(signature) = SIGNATURES.iter().find(|signature| signature.name == name) else {
        return Err(unknown(name));
    };
    match (signature.form, is_of_value) {
        (Form::Plain, true) => Err(format!("`{name}` is called as `{name}(…)`")),
        (Form::OfValue, false) => Err(format!("`{name}` is called of a value: `VALUE.{name}(…)`")),
        (Form::Plain | Form::OfValue | Form::Both, _) => Ok(signature),
    }
}

/// Says what there is instead.
fn unknown(name: &str) -> String {
    let loops = LoopKind::ALL.iter().map(|(name, _)| *name);
    if loops.clone().any(|known| known == name) {
        return format!("`{name}` is called of a list: `LIST.{name}(item, …)`");
    }
    let functions = SIGNATURES.iter().map(|signature| signature.name);
    let all = functions.chain(loops).chain(["has"]);
    match closest(name, all.clone()) {
        Some(meant) => format!("there is no function `{name}`; did you mean `{meant}`?"),
        None => {
            let all: Vec<_> = all.collect();
            format!("there is no function `{name}`, only {}", all.join(", "))
        }
    }
}

/// Whether there are as many arguments as it takes, and of the right kinds.
fn check<'e>(
    signature: &Signature,
    arguments: impl Iterator<Item = &'e Expression>,
) -> Result<(), String> {
    let arguments: Vec<_> = arguments.collect();
    let least = signature.takes.len() - signature.optional;
    if !(least..=signature.takes.len()).contains(&arguments.len()) {
        return Err(count(signature, arguments.len()));
    }
    for (argument, kinds) in arguments.iter().zip(signature.takes) {
        let kind = argument.kind();
        if !kind.may_be(kinds) {
            let kinds: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
            return Err(format!(
                "expected {} for `{}`, found {}",
                kinds.join(" or "),
                usage(signature),
                kind.name()
            ));
        }
    }
    check_literals(signature, &arguments)
}

/// What is written there says something.
fn check_literals(signature: &Signature, arguments: &[&Expression]) -> Result<(), String> {
    let literal = |index: usize| match arguments.get(index) {
        Some(Expression::Literal(value)) => Some(value),
        _ => None,
    };
    let wrong = |expected: &str, found: &Value<'_>| {
        let found = found.json().unwrap_or_default();
        Err(format!(
            "expected {expected} in `{}(…)`, found {found}",
            signature.name
        ))
    };
    if let (Function::Part(_), Some(zone @ Value::Text(name))) = (signature.function, literal(1)) {
        if time::time_zone(name).is_err() {
            return wrong(
                "the IANA name of a time zone, or a distance from UTC such as `+05:30`,",
                zone,
            );
        }
        return Ok(());
    }
    if let (Function::Timestamp, [Expression::Known(Known::Timestamp)]) =
        (signature.function, arguments)
    {
        let hint = "`timestamp(record.timestamp / 1000)`, of seconds";
        return Err(format!("expected {hint}, found milliseconds"));
    }
    let (Some(first), 1) = (literal(0), arguments.len()) else {
        return Ok(());
    };
    if super::apply::call(signature.function, vec![first.clone()]).is_err() {
        let expected = match signature.result {
            Kind::Timestamp => {
                "a time such as `2026-11-30T09:00:00Z`, or seconds since the Unix epoch,"
            }
            Kind::Duration => "a duration such as `1h30m` or `250ms`",
            Kind::Number => "a number that it has room for",
            Kind::Bool => "`true` or `false`",
            Kind::Any
            | Kind::Null
            | Kind::Text
            | Kind::Bytes
            | Kind::Type
            | Kind::List
            | Kind::Map => "what it can read",
        };
        return wrong(expected, first);
    }
    Ok(())
}

fn count(signature: &Signature, found: usize) -> String {
    format!(
        "expected `{}`, found another number of arguments: {found}",
        usage(signature)
    )
}

/// How it is called.
fn usage(signature: &Signature) -> String {
    let is_of_value = signature.form == Form::OfValue;
    let arguments = ["x", "y"].iter().take(signature.takes.len());
    let arguments: Vec<_> = arguments.copied().collect();
    let name = signature.name;
    match (is_of_value, &arguments[..]) {
        (true, [of, arguments @ ..]) if signature.optional == 0 => {
            format!("{of}.{name}({})", arguments.join(", "))
        }
        (true, _) => format!("x.{name}()` or `x.{name}(\"Europe/Berlin\")"),
        (false, arguments) => format!("{name}({})", arguments.join(", ")),
    }
}

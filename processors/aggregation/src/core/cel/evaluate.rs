//! What an expression says of a record.

use super::{
    Nothing, Parsed,
    apply::call,
    expression::{Expression, Known, Loop, LoopKind, Operator, Step},
    number::Number,
    operator::negate,
    value::Value,
};
use footfall_task::Record;
use serde_json::value::RawValue;

/// What an expression is about.
#[derive(Debug)]
pub(in super::super) struct Scope<'a> {
    record: &'a Record<'a>,
    /// What the members are that it names.
    members: &'a [Option<&'a RawValue>],
    /// The items that loops are at, the innermost last.
    items: Vec<Value<'a>>,
}

type Result<T> = std::result::Result<T, Nothing>;

impl<'a> Scope<'a> {
    pub(in super::super) fn new(
        record: &'a Record<'a>,
        members: &'a [Option<&'a RawValue>],
    ) -> Self {
        Self {
            record,
            members,
            items: Vec::new(),
        }
    }
}

impl Parsed {
    /// What it says, as JSON; `None` when it says nothing, or what has no form there.
    pub(in super::super) fn json<'a>(&'a self, mut scope: Scope<'a>) -> Option<String> {
        let value = self.expression.value(&mut scope);
        value.and_then(|value| value.json()).ok()
    }

    /// Whether it holds; where it says nothing, it does not.
    pub(in super::super) fn holds<'a>(&'a self, mut scope: Scope<'a>) -> bool {
        self.expression.holds(&mut scope) == Ok(true)
    }
}

impl Expression {
    fn value<'a>(&'a self, scope: &mut Scope<'a>) -> Result<Value<'a>> {
        match self {
            Self::Literal(value) => Ok(borrowed(value)),
            Self::Member(number) => {
                let member = scope.members.get(*number).copied().flatten();
                member.map(Value::Json).ok_or(Nothing)
            }
            Self::Item(number) => scope.items.get(*number).cloned().ok_or(Nothing),
            Self::Known(known) => known.value(scope.record),
            Self::Path(of, steps) => path(of, steps, scope),
            Self::Has(of) => Ok(Value::Bool(of.value(scope).is_ok())),
            Self::Not(of) => Ok(Value::Bool(!of.holds(scope)?)),
            Self::Negate(of) => negate(&of.value(scope)?.open()?),
            Self::Chain(first, more) => chain(first, more, scope),
            Self::And(all) => any(all, scope, false).map(|found| Value::Bool(!found)),
            Self::Or(all) => any(all, scope, true).map(Value::Bool),
            Self::If(cases, otherwise) => {
                for (condition, then) in cases {
                    if condition.holds(scope)? {
                        return then.value(scope);
                    }
                }
                otherwise.value(scope)
            }
            Self::Call(function, arguments) => call(*function, values(arguments, scope)?),
            Self::List(items) => values(items, scope).map(Value::List),
            Self::Map(entries) => map(entries, scope),
        }
    }

    fn holds<'a>(&'a self, scope: &mut Scope<'a>) -> Result<bool> {
        self.value(scope)?.boolean()
    }
}

fn values<'a>(all: &'a [Expression], scope: &mut Scope<'a>) -> Result<Vec<Value<'a>>> {
    all.iter().map(|one| one.value(scope)).collect()
}

/// Without a copy of a text.
fn borrowed<'a>(literal: &'a Value<'static>) -> Value<'a> {
    if let Value::Text(text) = literal {
        return Value::Text(text.as_ref().into());
    }
    literal.clone()
}

/// Whether any is `wanted`. One that says nothing decides nothing if another one does, wherever it
/// stands.
fn any<'a>(all: &'a [Expression], scope: &mut Scope<'a>, wanted: bool) -> Result<bool> {
    let mut found = Ok(false);
    for one in all {
        match one.holds(scope) {
            Ok(holds) if holds == wanted => return Ok(true),
            Ok(_) => {}
            Err(Nothing) => found = Err(Nothing),
        }
    }
    found
}

fn map<'a>(entries: &'a [(Expression, Expression)], scope: &mut Scope<'a>) -> Result<Value<'a>> {
    let mut map: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let key = key.value(scope)?.open()?;
        for (other, _) in &map {
            if other.equals(&key)? {
                return Err(Nothing);
            }
        }
        if !matches!(key, Value::Text(_) | Value::Bool(_)) {
            key.number().and_then(Number::as_whole).ok_or(Nothing)?;
        }
        map.push((key, value.value(scope)?));
    }
    Ok(Value::Map(map))
}

fn path<'a>(of: &'a Expression, steps: &'a [Step], scope: &mut Scope<'a>) -> Result<Value<'a>> {
    let mut value = of.value(scope)?;
    for step in steps {
        value = match step {
            Step::Member(name) => value.member(name)?,
            Step::Index(index) => value.at(index.value(scope)?)?,
            Step::Matches(regex) => Value::Bool(regex.is_match(&value.text()?)),
            Step::Call(function, arguments) => {
                let mut all = vec![value];
                all.extend(values(arguments, scope)?);
                call(*function, all)?
            }
            Step::Loop(inner) => inner.value(value, scope)?,
        };
    }
    Ok(value)
}

impl Loop {
    fn value<'a>(&'a self, of: Value<'a>, scope: &mut Scope<'a>) -> Result<Value<'a>> {
        let items = if of.type_name() == "map" {
            of.entries()?.into_iter().map(|(key, _)| key).collect()
        } else {
            of.items()?
        };
        let mut found = Vec::new();
        let mut count = 0;
        let mut is_unsure = false;
        for item in items {
            scope.items.push(item);
            let holds = self
                .condition
                .as_ref()
                .map(|condition| condition.holds(scope));
            let holds = holds.unwrap_or(Ok(true));
            let result = self.result.as_ref().filter(|_| holds == Ok(true));
            let result = result.map(|result| result.value(scope)).transpose();
            let item = scope.items.pop();
            is_unsure |= holds.is_err();
            if holds == Ok(self.kind != LoopKind::All) {
                count += 1;
                if matches!(self.kind, LoopKind::All | LoopKind::Exists) {
                    break;
                }
                found.extend(result?.or(item));
            }
        }
        let decided = |holds: bool| Ok(Value::Bool(holds));
        match self.kind {
            // One that says nothing decides nothing if another one does.
            LoopKind::All if count == 0 && is_unsure => Err(Nothing),
            LoopKind::Exists if count == 0 && is_unsure => Err(Nothing),
            LoopKind::All => decided(count == 0),
            LoopKind::Exists => decided(count > 0),
            LoopKind::ExistsOne => decided(count == 1),
            LoopKind::Filter | LoopKind::Map => Ok(Value::List(found)),
        }
    }
}

fn chain<'a>(
    first: &'a Expression,
    more: &'a [(Operator, Expression)],
    scope: &mut Scope<'a>,
) -> Result<Value<'a>> {
    let mut value = first.value(scope)?;
    for (operator, other) in more {
        let other = other.value(scope)?;
        value = operator.value(value.open()?, other.open()?)?;
    }
    Ok(value)
}

impl Known {
    fn value<'a>(self, record: &'a Record<'a>) -> Result<Value<'a>> {
        let text = |bytes: &'a [u8]| {
            let text = std::str::from_utf8(bytes).map_err(|_| Nothing);
            text.map(|text| Value::Text(text.into()))
        };
        match self {
            Self::Topic => Ok(Value::Text(record.topic.into())),
            Self::Partition => Ok(Value::Int(record.partition.0.into())),
            Self::Offset => Ok(Value::Int(record.offset.0.into())),
            Self::Timestamp => record
                .timestamp
                .map(|time| Value::Int(time.0.into()))
                .ok_or(Nothing),
            Self::Key => record.key.ok_or(Nothing).and_then(text),
            Self::Headers => {
                let mut headers: Vec<(Value<'a>, Value<'a>)> = Vec::new();
                // Of those with one name the newest counts.
                for (name, value) in record.headers.iter().rev() {
                    let is_new = |(known, _): &(Value<'_>, _)| !matches!(known, Value::Text(known) if known == name);
                    if headers.iter().all(is_new)
                        && let Ok(value) = text(value.unwrap_or_default())
                    {
                        headers.push((Value::Text((*name).into()), value));
                    }
                }
                Ok(Value::Map(headers))
            }
        }
    }
}

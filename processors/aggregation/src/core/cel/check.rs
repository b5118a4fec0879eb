//! What is known of an expression before there is a record: what can never be, is refused.

use super::{
    expression::{Expression, Known, LoopKind, Operator, Step},
    function::{Function, Kind},
    value::Value,
};

impl Expression {
    /// What it says, as far as that is known.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Literal(value) => of_value(value),
            Self::Member(_) | Self::Item(_) | Self::If(..) => Kind::Any,
            Self::Known(known) => match known {
                Known::Topic | Known::Key => Kind::Text,
                Known::Partition | Known::Offset | Known::Timestamp => Kind::Number,
                Known::Headers => Kind::Map,
            },
            Self::Path(of, steps) => of_path(of, steps),
            Self::Has(_) | Self::Not(_) | Self::And(_) | Self::Or(_) => Kind::Bool,
            Self::Negate(number) => number.kind(),
            Self::Chain(first, more) => {
                let mut kind = first.kind();
                for (operator, other) in more {
                    kind = operator.result(kind, other.kind());
                }
                kind
            }
            Self::Call(function, _) => of_call(*function),
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
        }
    }
}

fn of_value(value: &Value<'_>) -> Kind {
    match value {
        Value::Json(_) => Kind::Any,
        Value::Null => Kind::Null,
        Value::Bool(_) => Kind::Bool,
        Value::Int(_) | Value::Number(_) => Kind::Number,
        Value::Text(_) => Kind::Text,
        Value::Bytes(_) => Kind::Bytes,
        Value::Timestamp(_) => Kind::Timestamp,
        Value::Duration(_) => Kind::Duration,
        Value::Type(_) => Kind::Type,
        Value::List(_) => Kind::List,
        Value::Map(_) => Kind::Map,
    }
}

fn of_path(of: &Expression, steps: &[Step]) -> Kind {
    match steps.last() {
        None => of.kind(),
        Some(Step::Member(_) | Step::Index(_)) => {
            let is_header = matches!(of, Expression::Known(Known::Headers)) && steps.len() == 1;
            if is_header { Kind::Text } else { Kind::Any }
        }
        Some(Step::Call(function, _)) => of_call(*function),
        Some(Step::Matches(_)) => Kind::Bool,
        Some(Step::Loop(inner)) => match inner.kind {
            LoopKind::All | LoopKind::Exists | LoopKind::ExistsOne => Kind::Bool,
            LoopKind::Filter | LoopKind::Map => Kind::List,
        },
    }
}

fn of_call(function: Function) -> Kind {
    function
        .signature()
        .map_or(Kind::Any, |signature| signature.result)
}

impl Operator {
    /// What it says of values of these kinds.
    fn result(self, one: Kind, other: Kind) -> Kind {
        match self {
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::In => Kind::Bool,
            Self::Times | Self::Divide | Self::Modulo => Kind::Number,
            Self::Plus => match (one, other) {
                (Kind::Any, Kind::Duration) | (Kind::Duration, Kind::Any) => Kind::Any,
                (Kind::Any, other) => other,
                (Kind::Duration, other) => other,
                (one, _) => one,
            },
            Self::Minus => match (one, other) {
                (Kind::Number, _) | (_, Kind::Number) => Kind::Number,
                (Kind::Timestamp, Kind::Timestamp) => Kind::Duration,
                (Kind::Timestamp, Kind::Duration) => Kind::Timestamp,
                (Kind::Duration, _) => Kind::Duration,
                _ => Kind::Any,
            },
        }
    }

    /// Refuses what says nothing, or always the same, of values of these kinds.
    pub(super) fn check(self, one: Kind, other: Kind) -> Result<(), String> {
        const SUMMED: &[Kind] = &[
            Kind::Number,
            Kind::Text,
            Kind::Bytes,
            Kind::List,
            Kind::Timestamp,
            Kind::Duration,
        ];
        const SPANS: &[Kind] = &[Kind::Timestamp, Kind::Duration];
        const SUBTRACTED: &[Kind] = &[Kind::Number, Kind::Timestamp, Kind::Duration];
        const NUMBERS: &[Kind] = &[Kind::Number];
        let is_either_any = one == Kind::Any || other == Kind::Any;
        let (one_name, other_name) = (one.name(), other.name());
        let is_known = |kinds: &[Kind]| one.may_be(kinds) && other.may_be(kinds);
        let is_right = match self {
            Self::Equal | Self::NotEqual => {
                is_either_any || one == other || one == Kind::Null || other == Kind::Null
            }
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => {
                let has_order =
                    |kind| !matches!(kind, Kind::Null | Kind::Type | Kind::List | Kind::Map);
                has_order(one) && has_order(other) && (is_either_any || one == other)
            }
            Self::In if other == Kind::Text => {
                let expected = "expected a list or a map behind `in`, found a text";
                return Err(format!(
                    "{expected}; `TEXT.contains(PART)` looks into a text"
                ));
            }
            Self::In => other.may_be(&[Kind::List, Kind::Map]),
            Self::Plus => {
                let is_time = is_known(SPANS) && (one, other) != (Kind::Timestamp, Kind::Timestamp);
                is_known(SUMMED)
                    && (is_either_any || one == other || is_time)
                    && (one, other) != (Kind::Timestamp, Kind::Timestamp)
            }
            Self::Minus => {
                is_known(SUBTRACTED)
                    && (is_either_any
                        || one == other
                        || (one, other) == (Kind::Timestamp, Kind::Duration))
            }
            Self::Times | Self::Divide | Self::Modulo => is_known(NUMBERS),
        };
        if is_right {
            return Ok(());
        }
        let sign = self.sign();
        let hint = match (one, other) {
            (Kind::Number, Kind::Timestamp) | (Kind::Timestamp, Kind::Number) => {
                "; `timestamp(SECONDS)` is the time of a number"
            }
            (Kind::Number, Kind::Text) | (Kind::Text, Kind::Number) => {
                "; `string(…)` and `double(…)` make one of the other"
            }
            _ => "",
        };
        Err(format!(
            "expected values of kinds that go together beside `{sign}`, found {one_name} and {other_name}{hint}"
        ))
    }

    fn sign(self) -> &'static str {
        let all = Self::RELATIONS
            .iter()
            .chain(&Self::SUMS)
            .chain(&Self::PRODUCTS);
        let mut named = all.filter(|(_, operator)| *operator == self);
        named.next().map_or("in", |(sign, _)| sign)
    }
}

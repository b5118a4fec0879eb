//! What operators make of values.

use super::{Nothing, expression::Operator, number::Number, value::Value};

type Result<T> = std::result::Result<T, Nothing>;

impl Operator {
    pub(super) fn value<'a>(self, one: Value<'a>, other: Value<'a>) -> Result<Value<'a>> {
        let truth = |value: bool| Ok(Value::Bool(value));
        match self {
            Self::Equal => truth(one.equals(&other)?),
            Self::NotEqual => truth(!one.equals(&other)?),
            Self::Less => truth(one.compare(&other)?.is_lt()),
            Self::LessOrEqual => truth(one.compare(&other)?.is_le()),
            Self::Greater => truth(one.compare(&other)?.is_gt()),
            Self::GreaterOrEqual => truth(one.compare(&other)?.is_ge()),
            Self::In => truth(other.has(&one)?),
            Self::Plus | Self::Minus | Self::Times | Self::Divide | Self::Modulo => {
                self.computed(one, other)
            }
        }
    }

    fn computed<'a>(self, one: Value<'a>, other: Value<'a>) -> Result<Value<'a>> {
        if let (Value::Int(one), Value::Int(other)) = (&one, &other) {
            return self.of_whole(*one, *other).map(Value::Int).ok_or(Nothing);
        }
        if let (Some(one), Some(other)) = (one.number(), other.number()) {
            return self.of_numbers(one, other).map(Value::Number);
        }
        match (self, one, other) {
            (Self::Plus, Value::Text(one), Value::Text(other)) => Ok(Value::Text(one + other)),
            (Self::Plus, Value::Bytes(one), Value::Bytes(other)) => {
                Ok(Value::Bytes([one, other].concat().into()))
            }
            (Self::Plus, Value::Timestamp(time), Value::Duration(by))
            | (Self::Plus, Value::Duration(by), Value::Timestamp(time)) => time
                .checked_add(by)
                .map(Value::Timestamp)
                .map_err(|_| Nothing),
            (Self::Minus, Value::Timestamp(time), Value::Duration(by)) => time
                .checked_sub(by)
                .map(Value::Timestamp)
                .map_err(|_| Nothing),
            (Self::Minus, Value::Timestamp(one), Value::Timestamp(other)) => {
                Ok(Value::Duration(one.duration_since(other)))
            }
            (Self::Plus, Value::Duration(one), Value::Duration(other)) => {
                one.checked_add(other).map(Value::Duration).ok_or(Nothing)
            }
            (Self::Minus, Value::Duration(one), Value::Duration(other)) => {
                one.checked_sub(other).map(Value::Duration).ok_or(Nothing)
            }
            (Self::Plus, one, other) => {
                let mut items = one.items()?;
                items.extend(other.items()?);
                Ok(Value::List(items))
            }
            _ => Err(Nothing),
        }
    }

    /// As CEL has it: a division cuts what would be behind the point.
    fn of_whole(self, one: i128, other: i128) -> Option<i128> {
        match self {
            Self::Plus => one.checked_add(other),
            Self::Minus => one.checked_sub(other),
            Self::Times => one.checked_mul(other),
            Self::Divide => one.checked_div(other),
            Self::Modulo => one.checked_rem(other),
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::In => None,
        }
    }

    fn of_numbers(self, one: Number, other: Number) -> Result<Number> {
        match self {
            Self::Plus => Ok(one.plus(other)),
            Self::Minus => Ok(one.minus(other)),
            Self::Times => Ok(one.times(other)),
            Self::Divide => one.divided_by(other),
            Self::Modulo => one.modulo(other),
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::In => Err(Nothing),
        }
    }
}

pub(super) fn negate<'a>(of: &Value<'a>) -> Result<Value<'a>> {
    if let Value::Int(whole) = of {
        return whole.checked_neg().map(Value::Int).ok_or(Nothing);
    }
    if let Value::Duration(duration) = of {
        return duration.checked_neg().map(Value::Duration).ok_or(Nothing);
    }
    of.number()
        .map(|number| Value::Number(number.negated()))
        .ok_or(Nothing)
}

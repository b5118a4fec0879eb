//! Values, and the steps further from them.

use super::{
    super::{
        call,
        expression::{Expression, Known, Loop, LoopKind, Step},
        function::Kind,
        number::Number,
        suggest::closest,
        token::Token,
        value::Value,
    },
    Parser, Result, check_condition,
};

/// The variable that stands for what Kafka knows of a record.
const RECORD: &str = "record";

impl Parser {
    pub(super) fn path(&mut self) -> Result<Expression> {
        let mut path = self.primary()?;
        loop {
            let step = if self.take(".") {
                let (Token::Name(name) | Token::Quoted(name)) = self.advance() else {
                    self.next -= 1;
                    return Err(self.unexpected("a name"));
                };
                if self.take("(") {
                    self.call_of(&name, &path)?
                } else {
                    check_has_parts(&path)?;
                    Step::Member(name)
                }
            } else if self.take("[") {
                let index = self.expression()?;
                self.need("]")?;
                check_has_parts(&path)?;
                Step::Index(index)
            } else {
                return Ok(path);
            };
            if let Expression::Path(_, steps) = &mut path {
                steps.push(step);
            } else {
                path = Expression::Path(Box::new(path), vec![step]);
            }
        }
    }

    /// What is called of a value, behind its opening bracket.
    fn call_of(&mut self, name: &str, of: &Expression) -> Result<Step> {
        let kind = LoopKind::ALL.iter().find(|(known, _)| *known == name);
        let Some((_, kind)) = kind else {
            let arguments = self.list(")")?;
            return call::of_value(name, of, arguments);
        };
        if !of.kind().may_be(&[Kind::List, Kind::Map]) {
            let found = of.kind().name();
            return Err(format!(
                "expected a list or a map before `.{name}(…)`, found {found}"
            ));
        }
        let Token::Name(item) = self.advance() else {
            self.next -= 1;
            return Err(self.unexpected("a name for the items"));
        };
        self.need(",")?;
        self.items.push(item);
        let first = self.expression()?;
        let second = self.take(",").then(|| self.expression()).transpose()?;
        self.items.pop();
        self.need(")")?;
        let (condition, result) = match (kind, second) {
            (LoopKind::Map, None) => (None, Some(first)),
            (LoopKind::Map, second) => (Some(first), second),
            (_, None) => (Some(first), None),
            (_, Some(_)) => {
                return Err(format!(
                    "expected `LIST.{name}(item, CONDITION)`, found another argument"
                ));
            }
        };
        condition.iter().try_for_each(check_condition)?;
        Ok(Step::Loop(Box::new(Loop {
            kind: *kind,
            condition,
            result,
        })))
    }

    /// Expressions with commas between them, up to a closing bracket.
    fn list(&mut self, end: &str) -> Result<Vec<Expression>> {
        let mut items = Vec::new();
        while !self.take(end) {
            items.push(self.expression()?);
            if !self.take(",") {
                self.need(end)?;
                break;
            }
        }
        Ok(items)
    }

    fn primary(&mut self) -> Result<Expression> {
        let literal = |value| Ok(Expression::Literal(value));
        // A name may begin with a point.
        if self.is_next(".") && matches!(self.ahead(1), Token::Name(_)) {
            self.next += 1;
        }
        match self.advance() {
            Token::Whole(whole) => literal(Value::Int(whole)),
            Token::Double(double) => literal(Value::Number(Number::from(double))),
            Token::Text(text) => literal(Value::Text(text.into())),
            Token::Bytes(bytes) => literal(Value::Bytes(bytes.into())),
            Token::Quoted(name) => Ok(self.member(name)),
            Token::Name(name) => self.name(name),
            Token::Sign("(") => {
                let inner = self.expression()?;
                self.need(")")?;
                Ok(inner)
            }
            Token::Sign("[") => Ok(Expression::List(self.list("]")?)),
            Token::Sign("{") => self.map(),
            Token::Sign(_) | Token::End => {
                self.next -= 1;
                Err(self.unexpected("a value"))
            }
        }
    }

    fn map(&mut self) -> Result<Expression> {
        let mut entries = Vec::new();
        while !self.take("}") {
            let key = self.expression()?;
            self.need(":")?;
            entries.push((key, self.expression()?));
            if !self.take(",") {
                self.need("}")?;
                break;
            }
        }
        Ok(Expression::Map(entries))
    }

    fn name(&mut self, name: String) -> Result<Expression> {
        let literal = |value| Ok(Expression::Literal(value));
        match name.as_str() {
            "true" => return literal(Value::Bool(true)),
            "false" => return literal(Value::Bool(false)),
            "null" => return literal(Value::Null),
            "in" => {
                self.next -= 1;
                return Err(self.unexpected("a value"));
            }
            _ => {}
        }
        if self.take("(") {
            if name == "has" {
                return self.has();
            }
            let arguments = self.list(")")?;
            return call::plain(&name, arguments);
        }
        if let Some(item) = self.items.iter().rposition(|item| *item == name) {
            return Ok(Expression::Item(item));
        }
        if name == RECORD {
            return self.known().map(Expression::Known);
        }
        Ok(self.member(name))
    }

    fn member(&mut self, name: String) -> Expression {
        let known = self.members.iter().position(|member| *member == name);
        Expression::Member(known.unwrap_or_else(|| {
            self.members.push(name);
            self.members.len() - 1
        }))
    }

    /// What follows `record`.
    fn known(&mut self) -> Result<Known> {
        let names = Known::ALL
            .map(|(name, _)| format!("`record.{name}`"))
            .join(", ");
        let is_bracket = self.is_next("[");
        if !self.take(".") && !self.take("[") {
            return Err(self.unexpected(&format!("one of {names}")));
        }
        let ((Token::Name(name), false) | (Token::Text(name), true)) = (self.advance(), is_bracket)
        else {
            self.next -= 1;
            return Err(self.unexpected(&format!("one of {names}")));
        };
        if is_bracket {
            self.need("]")?;
        }
        let known = Known::ALL.iter().find(|(known, _)| *known == name);
        known.map(|(_, known)| *known).ok_or_else(|| {
            let meant = closest(&name, Known::ALL.iter().map(|(name, _)| *name));
            let hint = match meant {
                _ if name == "value" => {
                    "; members of the value stand by their own names".to_owned()
                }
                Some(meant) => format!("; did you mean `record.{meant}`?"),
                None => String::new(),
            };
            format!("expected one of {names}, found `record.{name}`{hint}")
        })
    }

    /// What is behind `has(`.
    fn has(&mut self) -> Result<Expression> {
        let of = self.expression()?;
        self.need(")")?;
        let is_place = if let Expression::Path(_, steps) = &of {
            matches!(steps.last(), Some(Step::Member(_) | Step::Index(_)))
        } else {
            matches!(of, Expression::Member(_) | Expression::Known(_))
        };
        if is_place {
            return Ok(Expression::Has(Box::new(of)));
        }
        Err(
            "expected a member in `has(…)`, as in `has(page.url)`, found another expression"
                .to_owned(),
        )
    }
}

/// Whether a value of this kind may have members or items.
fn check_has_parts(of: &Expression) -> Result<()> {
    let kind = of.kind();
    if kind.may_be(&[Kind::List, Kind::Map]) {
        return Ok(());
    }
    Err(format!(
        "expected what has members or items, found {}",
        kind.name()
    ))
}

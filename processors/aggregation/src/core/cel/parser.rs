//! From parts to an expression: CEL's grammar, read from left to right.

mod path;

use super::{
    expression::{Expression, Operator},
    function::Kind,
    token::{Placed, Token, tokens},
    value::Value,
};

/// How many brackets may be in each other.
const MAX_DEPTH: usize = 64;

/// The names of types, beside a `type(…)` that they are compared with.
const TYPES: [&str; 11] = [
    "bool",
    "bytes",
    "double",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "type",
    "uint",
    "dyn",
];

/// An expression, and what it names.
#[derive(Debug)]
pub(in super::super) struct Parsed {
    pub(super) expression: Expression,
    /// The members of the record's value.
    pub(in super::super) members: Vec<String>,
}

/// Reads an expression.
///
/// # Errors
/// What is wrong with it, in one line.
pub(in super::super) fn parse(text: &str) -> Result<Parsed> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
        depth: 0,
        items: Vec::new(),
        members: Vec::new(),
    };
    let expression = parser.expression()?;
    if parser.token() != &Token::End {
        return Err(parser.unexpected("an operator, or the end"));
    }
    Ok(Parsed {
        expression,
        members: parser.members,
    })
}

impl Parsed {
    /// Refuses what is never true or false.
    pub(in super::super) fn into_condition(self) -> Result<Self> {
        check_condition(&self.expression)?;
        Ok(self)
    }
}

fn check_condition(expression: &Expression) -> Result<()> {
    let kind = expression.kind();
    if kind.may_be(&[Kind::Bool]) {
        return Ok(());
    }
    Err(format!(
        "expected a condition, which is true or false, found {}",
        kind.name()
    ))
}

struct Parser {
    tokens: Vec<Placed>,
    next: usize,
    depth: usize,
    /// Of the loops that are open, the innermost last.
    items: Vec<String>,
    members: Vec<String>,
}

type Result<T> = std::result::Result<T, String>;

impl Parser {
    fn token(&self) -> &Token {
        self.ahead(0)
    }

    fn ahead(&self, count: usize) -> &Token {
        let placed = self.tokens.get(self.next + count);
        placed.map_or(&Token::End, |placed| &placed.token)
    }

    fn advance(&mut self) -> Token {
        let token = self.token().clone();
        self.next += 1;
        token
    }

    fn is_next(&self, sign: &str) -> bool {
        matches!(self.token(), Token::Sign(next) if *next == sign)
    }

    fn take(&mut self, sign: &str) -> bool {
        let is_next = self.is_next(sign);
        self.next += usize::from(is_next);
        is_next
    }

    fn need(&mut self, sign: &str) -> Result<()> {
        if self.take(sign) {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{sign}`")))
    }

    fn unexpected(&self, expected: &str) -> String {
        let found = match self.token() {
            Token::Name(name) => format!("`{name}`"),
            Token::Quoted(name) => format!("`{}`", name.escape_debug()),
            Token::Whole(_) | Token::Double(_) => "a number".to_owned(),
            Token::Text(_) => "a text".to_owned(),
            Token::Bytes(_) => "bytes".to_owned(),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end".to_owned(),
        };
        let is_word = |word| matches!(self.token(), Token::Name(name) if name == word);
        let hint = match (is_word("and"), is_word("or")) {
            (true, _) => "; CEL has `&&`",
            (_, true) => "; CEL has `||`",
            _ => "",
        };
        let column = self
            .tokens
            .get(self.next)
            .map_or(0, |placed| placed.start + 1);
        format!("expected {expected} at byte {column}, found {found}{hint}")
    }

    fn expression(&mut self) -> Result<Expression> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!(
                "expected at most {MAX_DEPTH} brackets within each other, found more"
            ));
        }
        let mut cases = Vec::new();
        let expression = loop {
            let first = self.any_of()?;
            if !self.take("?") {
                break first;
            }
            check_condition(&first)?;
            let then = self.any_of()?;
            self.need(":")?;
            cases.push((first, then));
        };
        self.depth -= 1;
        Ok(if cases.is_empty() {
            expression
        } else {
            Expression::If(cases, Box::new(expression))
        })
    }

    fn any_of(&mut self) -> Result<Expression> {
        self.conditions("||", Self::all_of, Expression::Or)
    }

    fn all_of(&mut self) -> Result<Expression> {
        self.conditions("&&", Self::relation, Expression::And)
    }

    fn conditions(
        &mut self,
        sign: &str,
        read: impl Fn(&mut Self) -> Result<Expression>,
        of: impl Fn(Vec<Expression>) -> Expression,
    ) -> Result<Expression> {
        let first = read(self)?;
        if !self.is_next(sign) {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.take(sign) {
            all.push(read(self)?);
        }
        all.iter().try_for_each(check_condition)?;
        Ok(of(all))
    }

    fn relation(&mut self) -> Result<Expression> {
        self.chain(&Operator::RELATIONS, Self::sum)
    }

    fn sum(&mut self) -> Result<Expression> {
        self.chain(&Operator::SUMS, Self::product)
    }

    fn product(&mut self) -> Result<Expression> {
        self.chain(&Operator::PRODUCTS, Self::unary)
    }

    fn chain(
        &mut self,
        operators: &[(&str, Operator)],
        read: impl Fn(&mut Self) -> Result<Expression>,
    ) -> Result<Expression> {
        let mut chain = read(self)?;
        while let Some(operator) = self.operator(operators)? {
            let mut other = read(self)?;
            if matches!(operator, Operator::Equal | Operator::NotEqual) {
                self.name_type(&chain, &mut other);
                self.name_type(&other, &mut chain);
            }
            operator.check(chain.kind(), other.kind())?;
            if let Expression::Chain(_, more) = &mut chain
                && is_of_rank(more, operators)
            {
                more.push((operator, other));
            } else {
                chain = Expression::Chain(Box::new(chain), vec![(operator, other)]);
            }
        }
        Ok(chain)
    }

    fn operator(&mut self, operators: &[(&str, Operator)]) -> Result<Option<Operator>> {
        let is_relation = operators.len() == Operator::RELATIONS.len();
        if is_relation && matches!(self.token(), Token::Name(name) if name == "in") {
            self.next += 1;
            return Ok(Some(Operator::In));
        }
        let found = operators.iter().find(|(sign, _)| self.is_next(sign));
        let Some((_, operator)) = found else {
            return Ok(None);
        };
        if *operator == Operator::Minus {
            self.check_minus()?;
        }
        self.next += 1;
        Ok(Some(*operator))
    }

    /// `event-type` is the name of a member to who writes it, and a subtraction to CEL.
    fn check_minus(&self) -> Result<()> {
        let Some(before) = self.next.checked_sub(1) else {
            return Ok(());
        };
        let mut parts = Vec::new();
        let mut rest = self.tokens.get(before..).unwrap_or_default();
        while let [name, minus, more @ ..] = rest
            && let Token::Name(part) = &name.token
        {
            parts.push(part.as_str());
            let is_joined = minus.token == Token::Sign("-")
                && name.end == minus.start
                && more.first().is_some_and(|next| {
                    minus.end == next.start && matches!(next.token, Token::Name(_))
                });
            if !is_joined {
                break;
            }
            rest = more;
        }
        if parts.len() < 2 {
            return Ok(());
        }
        let name = parts.join("-");
        Err(format!(
            "found `{name}`, which is a subtraction: a member of this name is written in backticks, \
             and a subtraction with spaces around its `-`"
        ))
    }

    /// Beside a `type(…)` the name of a type is that, and no member.
    fn name_type(&self, beside: &Expression, named: &mut Expression) {
        let Expression::Member(member) = named else {
            return;
        };
        let name = self.members.get(*member);
        let name = TYPES
            .into_iter()
            .find(|known| name.is_some_and(|name| name == known));
        if let Some(name) = name.filter(|_| beside.kind() == Kind::Type) {
            *named = Expression::Literal(Value::Type(name));
        }
    }

    fn unary(&mut self) -> Result<Expression> {
        let sign = ["!", "-"].into_iter().find(|sign| self.is_next(sign));
        let Some(sign) = sign else {
            return self.path();
        };
        let mut count = 0;
        while self.take(sign) {
            count += 1;
        }
        let mut of = self.path()?;
        if sign == "!" {
            check_condition(&of)?;
        } else {
            Operator::Minus.check(Kind::Any, of.kind())?;
        }
        // More than two say the same as one or two.
        for _ in 0..2 - count % 2 {
            of = match (sign, of) {
                ("!", of) => Expression::Not(Box::new(of)),
                (_, Expression::Literal(Value::Int(whole))) => {
                    Expression::Literal(Value::Int(-whole))
                }
                (_, of) => Expression::Negate(Box::new(of)),
            };
        }
        Ok(of)
    }
}

fn is_of_rank(chain: &[(Operator, Expression)], operators: &[(&str, Operator)]) -> bool {
    chain.first().is_some_and(|(first, _)| {
        let is_relation = operators.len() == Operator::RELATIONS.len();
        (is_relation && *first == Operator::In) || operators.iter().any(|(_, known)| known == first)
    })
}

use super::{function::Function, value::Value};
use regex::Regex;

/// An expression that has been checked. Chains lie flat, so that only brackets make it deep.
#[derive(Debug)]
pub(super) enum Expression {
    Literal(Value<'static>),
    /// A member of the record's value, by its number among those that are named.
    Member(usize),
    /// The item of a loop, by how many loops are around it.
    Item(usize),
    Known(Known),
    /// Something of what comes first.
    Path(Box<Expression>, Vec<Step>),
    /// Whether there is anything.
    Has(Box<Expression>),
    Not(Box<Expression>),
    Negate(Box<Expression>),
    /// Operators of one rank, from left to right.
    Chain(Box<Expression>, Vec<(Operator, Expression)>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    /// Conditions, each with what is said if it is the first that holds; and what is said otherwise.
    If(Vec<(Expression, Expression)>, Box<Expression>),
    Call(Function, Vec<Expression>),
    List(Vec<Expression>),
    Map(Vec<(Expression, Expression)>),
}

/// What Kafka knows of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Key,
    Headers,
}

/// A step further from a value.
#[derive(Debug)]
pub(super) enum Step {
    Member(String),
    Index(Expression),
    /// With what stands in its brackets.
    Call(Function, Vec<Expression>),
    Matches(Regex),
    Loop(Box<Loop>),
}

/// Goes through the items of a list, or the keys of a map.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) kind: LoopKind,
    /// Which items; `map` need not have one.
    pub(super) condition: Option<Expression>,
    /// What `map` makes of each.
    pub(super) result: Option<Expression>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Plus,
    Minus,
    Times,
    Divide,
    Modulo,
}

impl Known {
    pub(super) const ALL: [(&'static str, Self); 6] = [
        ("topic", Self::Topic),
        ("partition", Self::Partition),
        ("offset", Self::Offset),
        ("timestamp", Self::Timestamp),
        ("key", Self::Key),
        ("headers", Self::Headers),
    ];
}

impl LoopKind {
    pub(super) const ALL: [(&'static str, Self); 6] = [
        ("all", Self::All),
        ("exists", Self::Exists),
        ("exists_one", Self::ExistsOne),
        ("existsOne", Self::ExistsOne),
        ("filter", Self::Filter),
        ("map", Self::Map),
    ];
}

impl Operator {
    pub(super) const RELATIONS: [(&'static str, Self); 6] = [
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("<", Self::Less),
        (">", Self::Greater),
    ];
    pub(super) const SUMS: [(&'static str, Self); 2] = [("+", Self::Plus), ("-", Self::Minus)];
    pub(super) const PRODUCTS: [(&'static str, Self); 3] =
        [("*", Self::Times), ("/", Self::Divide), ("%", Self::Modulo)];
}

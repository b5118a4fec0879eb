//! Expressions in CEL over JSON: read, checked and evaluated.
//!
//! CEL's own rules have typed messages in mind. Over JSON, which nobody has declared, these differ:
//! names are members of the value and nothing else, so that no member is taken for a type; only what
//! an expression names is read, at any depth; and a number in JSON is a number, whole or not.

mod apply;
mod call;
mod check;
mod evaluate;
mod expression;
mod function;
mod number;
mod operator;
mod parser;
mod suggest;
mod time;
mod token;
mod value;

pub(super) use evaluate::Scope;
pub(super) use parser::{Parsed, parse};

/// Where an expression says nothing: a member is missing, or types do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nothing;

#[cfg(test)]
mod tests;

//! The shape of a rule: a tree whose leaves are numbers and names.

use std::time::Duration;

use tradewind_model::Interval;

use crate::error::Span;

/// An expression and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expression {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Number(f64),
    /// A share: `2%` is 0.02.
    Share(f64),
    Time(Duration),
    /// So many ticks of the instrument.
    Ticks(f64),
    Text(String),
    Truth(bool),
    /// A parameter: `$n`.
    Parameter(String),
    /// A name, with a dot where it has a member: `close`, `position.profit`.
    Name(String),
    /// A call: `rsi(14)`, `book.imbalance(5)`.
    Call(String, Vec<Argument>),
    /// A line of an indicator: `macd(12, 26, 9).signal`.
    Line(Box<Expression>, String),
    Negative(Box<Expression>),
    Not(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// `x in low..high`, both included.
    Within(Box<Expression>, Box<Expression>, Box<Expression>),
    /// `x[n]`: so many candles ago.
    Ago(Box<Expression>, Box<Expression>),
    /// `(x)@4h`: on candles of another length.
    On(Box<Expression>, Interval),
}

/// An argument of a call, with its name where one is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Argument {
    pub(crate) name: Option<String>,
    pub(crate) value: Expression,
}

/// An operator between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    Unequal,
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Operator {
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }
}

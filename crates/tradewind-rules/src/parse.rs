//! From tokens to a tree. Operators bind as usual: `or`, `and`, `not`, comparisons, `+ -`, `* /`, a sign, and what follows a value.

use tradewind_model::Interval;

use crate::error::{Mistake, Span};
use crate::syntax::{Argument, Expression, Kind, Operator};
use crate::token::{Token, tokens};

/// How deep expressions may be nested.
const DEPTH_MAX: usize = 50;

/// How many words and signs a rule may have, which bounds how deep its tree is.
const TOKENS_MAX: usize = 600;

/// Reads one expression, which is the whole text.
pub(crate) fn parse(text: &str) -> Result<Expression, Mistake> {
    let tokens = tokens(text)?;
    if tokens.len() > TOKENS_MAX {
        let cure = "give parts of it names under let";
        let problem = format!("more than {TOKENS_MAX} words and signs");
        return Err(Mistake::new(tokens[TOKENS_MAX].1, problem, cure));
    }
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
        depth: 0,
    };
    if *parser.peek() == Token::End {
        let cure = "write an expression such as close > sma(200)";
        return Err(Mistake::new(parser.span(), "nothing is written here", cure));
    }
    let expression = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(expression),
        Token::Sign("=") => Err(Mistake::new(
            parser.span(),
            "\"=\" compares nothing",
            "write == to compare",
        )),
        Token::Sign(")" | "]") => {
            let problem = format!("{} closes nothing", parser.peek().describe());
            Err(Mistake::new(parser.span(), problem, "take it out"))
        }
        other => {
            let problem = format!("{} follows a complete expression", other.describe());
            let cure = "join the two with and, or, or an operator";
            Err(Mistake::new(parser.span(), problem, cure))
        }
    }
}

struct Parser<'t> {
    tokens: &'t [(Token, Span)],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn span(&self) -> Span {
        self.tokens[self.at].1
    }

    fn next(&mut self) -> (Token, Span) {
        let token = self.tokens[self.at].clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Token::Sign(next) if *next == sign);
        if is_next {
            self.next();
        }
        is_next
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_next = matches!(self.peek(), Token::Name(next) if next == word);
        if is_next {
            self.next();
        }
        is_next
    }

    fn expect(&mut self, sign: &str, opened: Span) -> Result<Span, Mistake> {
        let span = self.span();
        if self.takes(sign) {
            return Ok(span);
        }
        let column = opened.start + 1;
        let problem = format!("{} where {sign:?} is missing", self.peek().describe());
        let cure = format!("close what column {column} opens with {sign}");
        Err(Mistake::new(span, problem, cure))
    }

    fn expression(&mut self) -> Result<Expression, Mistake> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let cure = "give parts of it names under let";
            return Err(Mistake::new(self.span(), "nested too deep", cure));
        }
        let mut left = self.conjunction()?;
        while self.takes_word("or") {
            let right = self.conjunction()?;
            left = binary(Operator::Or, left, right);
        }
        self.depth -= 1;
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Expression, Mistake> {
        let mut left = self.negation()?;
        while self.takes_word("and") {
            let right = self.negation()?;
            left = binary(Operator::And, left, right);
        }
        Ok(left)
    }

    fn negation(&mut self) -> Result<Expression, Mistake> {
        let start = self.span();
        let mut count = 0;
        while self.takes_word("not") {
            count += 1;
        }
        if let Token::Sign("!") = self.peek() {
            return Err(Mistake::new(
                self.span(),
                "\"!\" means nothing here",
                "write not",
            ));
        }
        let mut of = self.comparison()?;
        for _ in 0..count {
            let span = start.to(of.span);
            of = Expression {
                kind: Kind::Not(Box::new(of)),
                span,
            };
        }
        Ok(of)
    }

    fn comparison(&mut self) -> Result<Expression, Mistake> {
        let left = self.sum()?;
        if self.takes_word("in") {
            return self.within(left);
        }
        let Some(operator) = self.comparing() else {
            return Ok(left);
        };
        let right = self.sum()?;
        let span = self.span();
        if self.comparing().is_some() {
            let cure = "write a < b and b < c";
            return Err(Mistake::new(span, "comparisons in a row", cure));
        }
        Ok(binary(operator, left, right))
    }

    fn comparing(&mut self) -> Option<Operator> {
        let Token::Sign(sign) = self.peek() else {
            return None;
        };
        let operator = match *sign {
            "<" => Operator::Less,
            "<=" => Operator::LessEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterEqual,
            "==" => Operator::Equal,
            "!=" => Operator::Unequal,
            _ => return None,
        };
        self.next();
        Some(operator)
    }

    fn within(&mut self, of: Expression) -> Result<Expression, Mistake> {
        let low = self.sum()?;
        if !self.takes("..") {
            let cure = "write both ends, such as 7..20";
            return Err(Mistake::new(self.span(), "a range without \"..\"", cure));
        }
        let high = self.sum()?;
        let span = of.span.to(high.span);
        Ok(Expression {
            kind: Kind::Within(Box::new(of), Box::new(low), Box::new(high)),
            span,
        })
    }

    fn sum(&mut self) -> Result<Expression, Mistake> {
        let mut left = self.product()?;
        loop {
            let operator = if self.takes("+") {
                Operator::Add
            } else if self.takes("-") {
                Operator::Subtract
            } else {
                return Ok(left);
            };
            let right = self.product()?;
            left = binary(operator, left, right);
        }
    }

    fn product(&mut self) -> Result<Expression, Mistake> {
        let mut left = self.signed()?;
        loop {
            let operator = if self.takes("*") {
                Operator::Multiply
            } else if self.takes("/") {
                Operator::Divide
            } else {
                return Ok(left);
            };
            let right = self.signed()?;
            left = binary(operator, left, right);
        }
    }

    fn signed(&mut self) -> Result<Expression, Mistake> {
        let start = self.span();
        let mut is_negative = false;
        let mut is_signed = false;
        while self.takes("-") {
            is_negative = !is_negative;
            is_signed = true;
        }
        let of = self.followed()?;
        if !is_signed {
            return Ok(of);
        }
        let span = start.to(of.span);
        let kind = match (is_negative, of.kind) {
            (false, kind) => kind,
            (true, Kind::Number(number)) => Kind::Number(-number),
            (true, Kind::Share(share)) => Kind::Share(-share),
            (true, kind) => Kind::Negative(Box::new(Expression {
                kind,
                span: of.span,
            })),
        };
        Ok(Expression { kind, span })
    }

    /// A value and what follows it: `[1]`, `@4h`, `.signal`.
    fn followed(&mut self) -> Result<Expression, Mistake> {
        let mut of = self.value()?;
        loop {
            let span = self.span();
            if self.takes("[") {
                let ago = self.expression()?;
                let end = self.expect("]", span)?;
                let span = of.span.to(end);
                of = Expression {
                    kind: Kind::Ago(Box::new(of), Box::new(ago)),
                    span,
                };
            } else if self.takes("@") {
                let (interval, end) = self.interval()?;
                let span = of.span.to(end);
                of = Expression {
                    kind: Kind::On(Box::new(of), interval),
                    span,
                };
            } else if self.takes(".") {
                let (name, end) = self.name()?;
                let span = of.span.to(end);
                of = Expression {
                    kind: Kind::Line(Box::new(of), name),
                    span,
                };
            } else {
                return Ok(of);
            }
        }
    }

    fn interval(&mut self) -> Result<(Interval, Span), Mistake> {
        let (token, span) = self.next();
        let text = match &token {
            Token::Time(_, text) => text.clone(),
            other => other.describe(),
        };
        match text.parse() {
            Ok(interval) => Ok((interval, span)),
            Err(_) => {
                let names: Vec<&str> = Interval::all().map(Interval::name).collect();
                let cure = format!("write one of {}", names.join(", "));
                Err(Mistake::new(span, format!("no candles of {text}"), cure))
            }
        }
    }

    fn name(&mut self) -> Result<(String, Span), Mistake> {
        match self.next() {
            (Token::Name(name), span) => Ok((name, span)),
            (other, span) => {
                let problem = format!("{} behind the dot", other.describe());
                Err(Mistake::new(
                    span,
                    problem,
                    "write the name of a value there",
                ))
            }
        }
    }

    fn value(&mut self) -> Result<Expression, Mistake> {
        let (token, mut span) = self.next();
        let kind = match token {
            Token::Number(number) if self.takes_word("tick") || self.takes_word("ticks") => {
                span = span.to(self.tokens[self.at - 1].1);
                Kind::Ticks(number)
            }
            Token::Number(number) => Kind::Number(number),
            Token::Percent(share) => Kind::Share(share),
            Token::Time(duration, _) => Kind::Time(duration),
            Token::Text(text) => Kind::Text(text),
            Token::Parameter(name) => Kind::Parameter(name),
            Token::Sign("(") => {
                let inner = self.expression()?;
                let end = self.expect(")", span)?;
                return Ok(Expression {
                    kind: inner.kind,
                    span: span.to(end),
                });
            }
            Token::Name(name) if name == "true" || name == "false" => Kind::Truth(name == "true"),
            Token::Name(name) if ["and", "or", "in", "not"].contains(&&*name) => {
                let problem = format!("{name:?} where a value is missing");
                return Err(Mistake::new(span, problem, "write a value before it"));
            }
            Token::Name(name) => return self.named(name, span),
            Token::End => {
                let cure = "write a value there, or take out what stands before it";
                return Err(Mistake::new(span, "it ends where a value is missing", cure));
            }
            Token::Sign(_) => {
                let problem = format!("{} where a value is missing", token.describe());
                return Err(Mistake::new(span, problem, "write a value before it"));
            }
        };
        Ok(Expression { kind, span })
    }

    /// A name, with its member where it has one, and its arguments.
    fn named(&mut self, mut name: String, start: Span) -> Result<Expression, Mistake> {
        let mut span = start;
        if name == "position" || name == "book" {
            if !self.takes(".") {
                let problem = format!("{name:?} is no value by itself");
                let cure = if name == "book" {
                    "write book.imbalance(5)"
                } else {
                    "write position.profit, position.entry, position.bars or position.age"
                };
                return Err(Mistake::new(span, problem, cure));
            }
            let (member, end) = self.name()?;
            name = format!("{name}.{member}");
            span = start.to(end);
        }
        let opened = self.span();
        if !self.takes("(") {
            return Ok(Expression {
                kind: Kind::Name(name),
                span,
            });
        }
        let mut arguments = Vec::new();
        while !self.takes(")") {
            if !arguments.is_empty() && !self.takes(",") {
                self.expect(")", opened)?;
            }
            arguments.push(self.argument()?);
        }
        let end = self.tokens[self.at - 1].1;
        Ok(Expression {
            kind: Kind::Call(name, arguments),
            span: start.to(end),
        })
    }

    fn argument(&mut self) -> Result<Argument, Mistake> {
        let next = self.tokens.get(self.at + 1).map(|(token, _)| token);
        let name = match (self.peek(), next) {
            (Token::Name(name), Some(Token::Sign("="))) => Some(name.clone()),
            _ => None,
        };
        if name.is_some() {
            self.next();
            self.next();
        }
        let value = self.expression()?;
        Ok(Argument { name, value })
    }
}

fn binary(operator: Operator, left: Expression, right: Expression) -> Expression {
    let span = left.span.to(right.span);
    Expression {
        kind: Kind::Binary(operator, Box::new(left), Box::new(right)),
        span,
    }
}

//! Checks expressions and turns them into steps. What is wrong is noted, and the check continues behind it.

use std::collections::BTreeMap;

use tradewind_model::Interval;

use crate::error::{Mistake, RuleError, Span};
use crate::parse::parse;
use crate::program::{Export, Function, Held, IndicatorPlan, Lane, LiveOp, Need, Op, Program};
use crate::scope;
use crate::syntax::{Expression, Kind, Operator};
use crate::text::RuleText;
use crate::unit::{PRICE, Unit};

/// A value that was lowered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) at: At,
    pub(crate) unit: Unit,
}

/// Where a value is found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum At {
    Constant(f64),
    /// A step of a lane.
    Node(usize, usize),
    /// A step of each evaluation.
    Live(usize),
}

/// What an expression is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// 0 for the own instrument.
    pub(crate) source: usize,
    pub(crate) interval: Option<Interval>,
    /// Whether it is inside `@`.
    pub(crate) is_on: bool,
}

/// Longest look back, in candles.
const AGO_MAX: f64 = 5_000.0;
/// Most operations within one another, through names of `let` too.
const DEPTH_MAX: usize = 400;
/// Most steps of all rules of a bot together.
const STEPS_MAX: usize = 20_000;

/// Rules on their way to a program.
pub(crate) struct Lowering<'t> {
    pub(crate) text: &'t RuleText,
    pub(crate) program: Program,
    pub(crate) errors: Vec<RuleError>,
    /// The key that is read.
    place: String,
    trees: BTreeMap<&'t str, Option<Expression>>,
    /// Names that are being replaced by what they stand for.
    open: Vec<String>,
    pub(crate) used: Vec<String>,
    /// What names of `let` were lowered to: each once in each scope, however often it is used.
    replaced: Vec<(String, Scope, Value)>,
    /// How deep the expression that is lowered lies.
    depth: usize,
}

impl<'t> Lowering<'t> {
    pub(crate) fn new(text: &'t RuleText) -> Self {
        let mut lowering = Self {
            text,
            program: Program {
                base: text.timeframe,
                ..Program::default()
            },
            errors: Vec::new(),
            place: String::new(),
            trees: BTreeMap::new(),
            open: Vec::new(),
            used: Vec::new(),
            replaced: Vec::new(),
            depth: 0,
        };
        for (name, text) in &text.lets {
            lowering.place = format!("let.{name}");
            let tree = lowering.parsed(text);
            lowering.trees.insert(name, tree);
        }
        lowering
    }

    pub(crate) fn base(&self) -> Scope {
        Scope {
            source: 0,
            interval: self.text.timeframe,
            is_on: false,
        }
    }

    /// Checks the names that no rule uses, and leaves the program as it is.
    pub(crate) fn check_unused(&mut self) {
        for name in self.text.lets.keys() {
            if !self.used.contains(name) && self.trees[name.as_str()].is_some() {
                let program = self.program.clone();
                self.place = format!("let.{name}");
                let span = Span::default();
                self.name(name, span, self.base());
                self.program = program;
                // Their steps are gone.
                self.replaced.clear();
            }
        }
    }

    /// Reads and lowers the text under a key; none if it has mistakes.
    pub(crate) fn read(&mut self, place: &str, text: &str) -> Option<(Expression, Value)> {
        place.clone_into(&mut self.place);
        let tree = self.parsed(text)?;
        let known = self.errors.len();
        let value = self.lower(&tree, self.base());
        (self.errors.len() == known).then_some((tree, value))
    }

    /// Notes a mistake in the text under the key that is read.
    pub(crate) fn complain(
        &mut self,
        span: Span,
        what: impl Into<String>,
        cure: impl Into<String>,
    ) {
        let error = Mistake::new(span, what, cure).within(&self.place);
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    fn parsed(&mut self, text: &str) -> Option<Expression> {
        match parse(text) {
            Ok(tree) => Some(tree),
            Err(mistake) => {
                self.errors.push(mistake.within(&self.place));
                None
            }
        }
    }

    /// Stands for the value of a mistake.
    pub(crate) const fn unknown() -> Value {
        Value {
            at: At::Constant(f64::NAN),
            unit: Unit::Any,
        }
    }

    pub(crate) fn lower(&mut self, of: &Expression, scope: Scope) -> Value {
        if self.depth >= DEPTH_MAX {
            let problem = format!("more than {DEPTH_MAX} operations within one another");
            self.complain(of.span, problem, "write a shorter expression");
            return Self::unknown();
        }
        self.depth += 1;
        let value = self.lowered(of, scope);
        self.depth -= 1;
        value
    }

    fn lowered(&mut self, of: &Expression, scope: Scope) -> Value {
        let constant = |number: f64, unit| Value {
            at: At::Constant(number),
            unit,
        };
        match &of.kind {
            Kind::Number(number) => constant(*number, Unit::Bare),
            Kind::Share(share) => constant(*share, Unit::Share),
            Kind::Time(time) => constant(time.as_secs_f64(), Unit::Time),
            Kind::Truth(truth) => constant(f64::from(u8::from(*truth)), Unit::Truth),
            Kind::Ticks(ticks) => self.ticks(*ticks, of.span),
            Kind::Text(text) => {
                let problem = format!("the text {text:?} is no value");
                self.complain(of.span, problem, "take it out of its quotes");
                Self::unknown()
            }
            Kind::Parameter(name) => self.parameter(name, of.span),
            Kind::Name(name) => self.name(name, of.span, scope),
            Kind::Call(name, arguments) => self.call(name, arguments, of.span, scope),
            Kind::Line(inner, line) => self.line(inner, line, of.span, scope),
            Kind::Negative(inner) => {
                let value = self.lower(inner, scope);
                self.must_be_number(value, inner.span);
                self.apply(Function::Negative, value, value, value.unit, scope)
            }
            Kind::Not(inner) => {
                let value = self.lower(inner, scope);
                self.must_be_truth(value, inner.span, "not");
                self.apply(Function::Not, value, value, Unit::Truth, scope)
            }
            Kind::Binary(operator, left, right) => self.binary(*operator, (left, right), scope),
            Kind::Within(inner, low, high) => self.within(inner, (low, high), scope),
            Kind::Ago(inner, ago) => self.ago(inner, ago, scope),
            Kind::On(inner, interval) => self.on(inner, *interval, of.span, scope),
        }
    }

    fn parameter(&mut self, name: &str, span: Span) -> Value {
        let Some(parameter) = self.text.params.get(name) else {
            let known = self.text.params.keys().map(String::as_str);
            let cure = match tradewind_strategy::nearest(name, known) {
                Some(near) => format!("did you mean ${near}?"),
                None => format!("write params.{name} = {{ value = 14, min = 7, max = 21 }}"),
            };
            self.complain(span, format!("no parameter \"${name}\""), cure);
            return Self::unknown();
        };
        Value {
            at: At::Constant(parameter.value.to_f64()),
            unit: Unit::Bare,
        }
    }

    fn ticks(&mut self, ticks: f64, span: Span) -> Value {
        let tick = self.market_value("tick", span);
        let factor = Value {
            at: At::Constant(ticks),
            unit: Unit::Bare,
        };
        self.apply(Function::Multiply, factor, tick, PRICE, self.base())
    }

    fn market_value(&mut self, name: &str, span: Span) -> Value {
        let found = scope::MARKET.iter().find(|(known, _, _)| *known == name);
        let Some((_, value, unit)) = found else {
            self.complain(span, format!("no value {name:?}"), "check its name");
            return Self::unknown();
        };
        self.live(LiveOp::Market(*value), *unit)
    }

    fn name(&mut self, name: &str, span: Span, scope: Scope) -> Value {
        if self.text.lets.contains_key(name) {
            return self.replaced(name, span, scope);
        }
        if let Some((_, field, unit)) = scope::FIELDS.iter().find(|(known, _, _)| *known == name) {
            return match self.lane(scope, false, span) {
                Some(lane) => {
                    let node = self.step(lane, Op::Field(*field), Need::default());
                    Value {
                        at: At::Node(lane, node),
                        unit: *unit,
                    }
                }
                None => Self::unknown(),
            };
        }
        let is_market = scope::MARKET.iter().any(|(known, _, _)| *known == name);
        let position = scope::POSITION.iter().find(|(known, _, _)| *known == name);
        let clock = scope::CLOCK.iter().find(|(known, _, _)| *known == name);
        let is_live = is_market || position.is_some() || clock.is_some();
        if is_live && (scope.source != 0 || scope.is_on) {
            let problem = format!(
                "{name} is of this moment, and only candles have a past and other instruments"
            );
            self.complain(span, problem, "take it out of the brackets of @ or of()");
            return Self::unknown();
        }
        if is_market {
            return self.market_value(name, span);
        }
        if let Some((_, value, unit)) = position {
            return self.live(LiveOp::Position(*value), *unit);
        }
        if let Some((_, value, unit)) = clock {
            return self.live(LiveOp::Clock(*value), *unit);
        }
        let cure = scope::value_cure(name, &self.text.lets);
        self.complain(span, format!("no value {name:?}"), cure);
        Self::unknown()
    }

    /// What a name of `let` stands for, here.
    fn replaced(&mut self, name: &str, span: Span, scope: Scope) -> Value {
        if self.open.iter().any(|open| open == name) {
            let problem = format!("{name:?} is made of itself");
            self.complain(span, problem, "write out one of the names in the circle");
            return Self::unknown();
        }
        if !self.used.iter().any(|used| used == name) {
            self.used.push(name.to_owned());
        }
        let mut known = self.replaced.iter();
        if let Some((_, _, value)) = known.find(|known| known.0 == name && known.1 == scope) {
            return *value;
        }
        let Some(Some(tree)) = self.trees.get(name).cloned() else {
            // Its own mistake was noted.
            return Self::unknown();
        };
        let place = std::mem::replace(&mut self.place, format!("let.{name}"));
        self.open.push(name.to_owned());
        let value = self.lower(&tree, scope);
        self.open.pop();
        self.place = place;
        self.replaced.push((name.to_owned(), scope, value));
        value
    }

    /// The tree that a name of `let` stands for.
    pub(crate) fn tree_of(&mut self, name: &str) -> Option<Expression> {
        self.used.push(name.to_owned());
        self.trees.get(name).cloned().flatten()
    }

    pub(crate) fn must_be_number(&mut self, value: Value, span: Span) {
        if value.unit == Unit::Truth {
            let cure = "write a number there, or join conditions with and, or";
            self.complain(span, "true or false where a number is needed", cure);
        }
    }

    pub(crate) fn must_be_truth(&mut self, value: Value, span: Span, by: &str) {
        if !matches!(value.unit, Unit::Truth | Unit::Any) {
            let problem = format!("{} where {by} needs a condition", value.unit.describe());
            self.complain(span, problem, "compare it with something, such as > 0");
        }
    }

    fn binary(
        &mut self,
        operator: Operator,
        (left, right): (&Expression, &Expression),
        scope: Scope,
    ) -> Value {
        let (a, b) = (self.lower(left, scope), self.lower(right, scope));
        if matches!(operator, Operator::And | Operator::Or) {
            self.must_be_truth(a, left.span, operator.sign());
            self.must_be_truth(b, right.span, operator.sign());
            let function = match operator {
                Operator::And => Function::And,
                _ => Function::Or,
            };
            return self.apply(function, a, b, Unit::Truth, scope);
        }
        self.must_be_number(a, left.span);
        self.must_be_number(b, right.span);
        if a.unit == Unit::Truth || b.unit == Unit::Truth {
            return Self::unknown();
        }
        let span = left.span.to(right.span);
        let unit = match operator {
            Operator::Multiply => a.unit.times(b.unit),
            Operator::Divide => a.unit.over(b.unit),
            _ => return self.beside(operator, (a, b), span, scope),
        };
        let Some(unit) = unit else {
            let (one, other) = (a.unit.describe(), b.unit.describe());
            let problem = format!("{one} {} {other} is no value", operator.sign());
            self.complain(span, problem, "check what the two are");
            return Self::unknown();
        };
        let function = match operator {
            Operator::Multiply => Function::Multiply,
            _ => Function::Divide,
        };
        self.apply(function, a, b, unit, scope)
    }

    /// A sum or a comparison, whose two sides must be of one kind.
    fn beside(
        &mut self,
        operator: Operator,
        (a, b): (Value, Value),
        span: Span,
        scope: Scope,
    ) -> Value {
        let Some(unit) = self.joined((a, b), operator.sign(), span) else {
            return Self::unknown();
        };
        let (function, a, b, unit) = match operator {
            Operator::Less => (Function::Less, a, b, Unit::Truth),
            Operator::LessEqual => (Function::LessEqual, a, b, Unit::Truth),
            Operator::Greater => (Function::Less, b, a, Unit::Truth),
            Operator::GreaterEqual => (Function::LessEqual, b, a, Unit::Truth),
            Operator::Equal => (Function::Equal, a, b, Unit::Truth),
            Operator::Unequal => (Function::Unequal, a, b, Unit::Truth),
            Operator::Subtract => (Function::Subtract, a, b, unit),
            _ => (Function::Add, a, b, unit),
        };
        self.apply(function, a, b, unit, scope)
    }

    /// The unit of two values that stand beside each other; none, with a complaint, if they cannot.
    pub(crate) fn joined(&mut self, (a, b): (Value, Value), by: &str, span: Span) -> Option<Unit> {
        let is_zero = |value: Value| matches!(value.at, At::Constant(number) if number.abs() < f64::MIN_POSITIVE);
        let unit = a.unit.beside(b.unit);
        let unit = unit.or_else(|| match (a.unit, b.unit) {
            (Unit::Bare, one @ (Unit::Share | Unit::Time)) if is_zero(a) => Some(one),
            (one @ (Unit::Share | Unit::Time), Unit::Bare) if is_zero(b) => Some(one),
            // 1 + 0.3% is what a price grows by.
            (Unit::Bare, Unit::Share) | (Unit::Share, Unit::Bare) if by == "+" || by == "-" => {
                Some(Unit::Ratio)
            }
            _ => None,
        });
        if unit.is_none() {
            let (one, other) = (a.unit.describe(), b.unit.describe());
            let problem = format!("{one} {by} {other}: the two are of different kinds");
            let shown = |value: Value| match value.at {
                At::Constant(number) => Some(number),
                At::Node(..) | At::Live(_) => None,
            };
            let cure = match (a.unit, b.unit, shown(a).or(shown(b))) {
                (Unit::Bare, Unit::Share, Some(number))
                | (Unit::Share, Unit::Bare, Some(number)) => {
                    format!(
                        "write the number with its unit: {number}% or {}%",
                        number * 100.0
                    )
                }
                (Unit::Index, Unit::Share, Some(share))
                | (Unit::Share, Unit::Index, Some(share)) => {
                    format!(
                        "write the number without the percent sign: {}",
                        share * 100.0
                    )
                }
                (Unit::Time, _, _) | (_, Unit::Time, _) => {
                    "write a duration such as 15m".to_owned()
                }
                _ => "hold a price against a price, a share against a share".to_owned(),
            };
            self.complain(span, problem, cure);
        }
        unit
    }

    fn within(
        &mut self,
        of: &Expression,
        (low, high): (&Expression, &Expression),
        scope: Scope,
    ) -> Value {
        let value = self.lower(of, scope);
        let (from, to) = (self.lower(low, scope), self.lower(high, scope));
        if let (At::Constant(from), At::Constant(to)) = (from.at, to.at)
            && from > to
        {
            let span = low.span.to(high.span);
            let cure =
                "put the smaller end first; for hours over midnight write hour >= 22 or hour < 6";
            self.complain(span, "an empty range", cure);
        }
        let above = self.beside(
            Operator::LessEqual,
            (from, value),
            of.span.to(low.span),
            scope,
        );
        let below = self.beside(
            Operator::LessEqual,
            (value, to),
            of.span.to(high.span),
            scope,
        );
        self.apply(Function::And, above, below, Unit::Truth, scope)
    }

    fn ago(&mut self, of: &Expression, ago: &Expression, scope: Scope) -> Value {
        let value = self.lower(of, scope);
        let Some(candles) = self.whole(ago, scope, (0.0, AGO_MAX)) else {
            return Self::unknown();
        };
        if matches!(value.at, At::Live(_)) {
            let problem = "only values of candles have a past";
            let cure = "take the brackets out, or use close in place of a quote";
            self.complain(of.span.to(ago.span), problem, cure);
            return Self::unknown();
        }
        self.delayed(value, candles)
    }

    /// A value so many candles ago. One of evaluations: at the evaluation before.
    pub(crate) fn delayed(&mut self, value: Value, candles: u32) -> Value {
        let At::Node(lane, node) = value.at else {
            return value;
        };
        if candles == 0 {
            return value;
        }
        let need = self.program.lanes[lane].needs[node];
        let need = Need {
            filled: need.filled + candles,
            ..need
        };
        let Lane { ops, delays, .. } = &mut self.program.lanes[lane];
        let known = ops.iter().position(
            |op| matches!(op, Op::Ago(of, delay) if *of == node && delays[*delay] == candles),
        );
        let node = match known {
            Some(known) => known,
            None => {
                delays.push(candles);
                let delay = delays.len() - 1;
                self.step(lane, Op::Ago(node, delay), need)
            }
        };
        Value {
            at: At::Node(lane, node),
            ..value
        }
    }

    fn on(&mut self, of: &Expression, interval: Interval, span: Span, scope: Scope) -> Value {
        if scope.is_on {
            let cure = "take one of them out";
            self.complain(span, "\"@\" inside of another \"@\"", cure);
            return Self::unknown();
        }
        let inner = Scope {
            interval: Some(interval),
            is_on: true,
            ..scope
        };
        let value = self.lower(of, inner);
        if matches!(value.at, At::Live(_)) {
            self.complain(span, "\"@\" is of candles", "take it out");
            return Self::unknown();
        }
        if scope.interval.is_none() {
            self.lane(scope, false, span);
            return Self::unknown();
        }
        if scope.interval == Some(interval) {
            return value;
        }
        self.brought(value, scope)
    }

    /// A value of other candles, as of each candle of `scope`.
    pub(crate) fn brought(&mut self, value: Value, scope: Scope) -> Value {
        let At::Node(..) = value.at else {
            return value;
        };
        let Some(late) = self.lane(scope, true, Span::default()) else {
            return Self::unknown();
        };
        let node = self.placed(value, late);
        Value {
            at: At::Node(late, node),
            ..value
        }
    }

    /// A constant whole number within a range.
    pub(crate) fn whole(
        &mut self,
        of: &Expression,
        scope: Scope,
        (min, max): (f64, f64),
    ) -> Option<u32> {
        let value = self.lower(of, scope);
        let At::Constant(number) = value.at else {
            let cure = "write a number, or a parameter such as $n";
            self.complain(
                of.span,
                "a value that changes where a fixed number is needed",
                cure,
            );
            return None;
        };
        if number.fract() != 0.0 || !(min..=max).contains(&number) {
            if !number.is_nan() {
                let cure = format!("write a whole number from {min} to {max}");
                self.complain(of.span, format!("{number} does not fit here"), cure);
            }
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is whole, and the range was checked just before"
        )]
        Some(number as u32)
    }
}

/// Steps.
impl Lowering<'_> {
    /// The lane of a scope; none, with a complaint, where the bot has no candles.
    pub(crate) fn lane(&mut self, scope: Scope, is_late: bool, span: Span) -> Option<usize> {
        let Some(interval) = scope.interval else {
            let cure = "write timeframes = [\"5m\"], or another length";
            self.complain(
                span,
                "a value of candles, and the bot has no timeframe",
                cure,
            );
            return None;
        };
        let lanes = &mut self.program.lanes;
        let known = lanes.iter().position(|lane| {
            (lane.source, lane.interval, lane.is_late) == (scope.source, interval, is_late)
        });
        Some(known.unwrap_or_else(|| {
            lanes.push(Lane {
                source: scope.source,
                interval,
                is_late,
                ops: Vec::new(),
                needs: Vec::new(),
                indicators: Vec::new(),
                delays: Vec::new(),
                exports: Vec::new(),
                reads: Vec::new(),
            });
            lanes.len() - 1
        }))
    }

    /// The place of a step in its lane. The same step is there once.
    pub(crate) fn step(&mut self, lane: usize, op: Op, need: Need) -> usize {
        let steps: usize = self.program.lanes.iter().map(|lane| lane.ops.len()).sum();
        if steps >= STEPS_MAX {
            self.complain(
                Span::default(),
                "the rules are too long",
                "split them over bots",
            );
            return 0;
        }
        let lane = &mut self.program.lanes[lane];
        if let Some(known) = lane.ops.iter().position(|known| *known == op) {
            return known;
        }
        lane.ops.push(op);
        lane.needs.push(need);
        lane.ops.len() - 1
    }

    /// A step of each evaluation. The same step is there once.
    pub(crate) fn live_step(&mut self, op: LiveOp) -> usize {
        let live = &mut self.program.live;
        if matches!(op, LiveOp::Previous(_)) {
            self.program.keeps_previous = true;
        }
        live.iter()
            .position(|known| *known == op)
            .unwrap_or_else(|| {
                live.push(op);
                live.len() - 1
            })
    }

    pub(crate) fn live(&mut self, op: LiveOp, unit: Unit) -> Value {
        Value {
            at: At::Live(self.live_step(op)),
            unit,
        }
    }

    /// An indicator at work, the same once.
    pub(crate) fn indicator(&mut self, lane: usize, plan: IndicatorPlan) -> usize {
        let known = &mut self.program.lanes[lane].indicators;
        let is_same = |one: &IndicatorPlan| {
            one.entry.name == plan.entry.name
                && one.parameters == plan.parameters
                && one.inputs == plan.inputs
        };
        known.iter().position(is_same).unwrap_or_else(|| {
            known.push(plan);
            known.len() - 1
        })
    }

    pub(crate) fn need(&self, value: Value) -> Need {
        match value.at {
            At::Node(lane, node) => self.program.lanes[lane].needs[node],
            At::Constant(_) | At::Live(_) => Need::default(),
        }
    }

    /// A value as a step of this lane.
    pub(crate) fn placed(&mut self, value: Value, lane: usize) -> usize {
        match value.at {
            At::Constant(number) => self.constant(lane, number),
            At::Node(of, node) if of == lane => node,
            At::Node(of, node) => self.sampled((of, node), lane),
            At::Live(_) => 0,
        }
    }

    /// A value of another lane, as of each candle of this one.
    fn sampled(&mut self, (of, node): (usize, usize), lane: usize) -> usize {
        let (other, own) = (&self.program.lanes[of], &self.program.lanes[lane]);
        let is_same_length = other.interval == own.interval;
        let is_beside = is_same_length && other.source == own.source;
        // How much past candles of another length need is their own matter: the value is known or not.
        let need = match is_same_length {
            true => other.needs[node],
            false => Need::default(),
        };
        let export = Export {
            node,
            is_settled: !is_beside,
        };
        let exports = &mut self.program.lanes[of].exports;
        let place = exports.iter().position(|known| *known == export);
        let place = place.unwrap_or_else(|| {
            exports.push(export);
            exports.len() - 1
        });
        let reads = &mut self.program.lanes[lane].reads;
        if !reads.contains(&of) {
            reads.push(of);
        }
        self.step(lane, Op::Sample(of, place), need)
    }

    fn constant(&mut self, lane: usize, number: f64) -> usize {
        let is_same =
            |op: &Op| matches!(op, Op::Constant(known) if known.to_bits() == number.to_bits());
        let known = self.program.lanes[lane].ops.iter().position(is_same);
        known.unwrap_or_else(|| self.step(lane, Op::Constant(number), Need::default()))
    }

    /// A value as a step of each evaluation.
    pub(crate) fn live_place(&mut self, value: Value) -> usize {
        match value.at {
            At::Constant(number) => self.live_step(LiveOp::Constant(number)),
            At::Live(step) => step,
            At::Node(lane, node) => {
                let need = self.program.lanes[lane].needs[node].total();
                self.live_step(LiveOp::Read(Held { lane, node, need }))
            }
        }
    }

    /// The lane in which these values meet: one of them, or the late one of `scope`.
    pub(crate) fn meeting(&mut self, values: &[Value], scope: Scope) -> Option<usize> {
        let mut lanes = values.iter().filter_map(|value| match value.at {
            At::Node(lane, _) => Some(lane),
            At::Constant(_) | At::Live(_) => None,
        });
        let first = lanes.next()?;
        if lanes.all(|lane| lane == first) {
            return Some(first);
        }
        self.lane(scope, true, Span::default())
    }

    /// A function of two values.
    pub(crate) fn apply(
        &mut self,
        function: Function,
        a: Value,
        b: Value,
        unit: Unit,
        scope: Scope,
    ) -> Value {
        if let (At::Constant(one), At::Constant(other)) = (a.at, b.at) {
            return Value {
                at: At::Constant(function.apply(one, other)),
                unit,
            };
        }
        if matches!(a.at, At::Live(_)) || matches!(b.at, At::Live(_)) {
            let (one, other) = (self.live_place(a), self.live_place(b));
            return self.live(LiveOp::Apply(function, one, other), unit);
        }
        let Some(lane) = self.meeting(&[a, b], scope) else {
            return Self::unknown();
        };
        let (one, other) = (self.placed(a, lane), self.placed(b, lane));
        let needs = &self.program.lanes[lane].needs;
        let need = needs[one].join(needs[other]);
        let node = self.step(lane, Op::Apply(function, one, other), need);
        Value {
            at: At::Node(lane, node),
            unit,
        }
    }
}

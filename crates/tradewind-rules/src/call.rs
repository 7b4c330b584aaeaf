//! Checks calls: indicators of the catalogue, arithmetic, crossings, and what looks at other instruments, books and series.

use tradewind_indicators::{Entry, InputKind, find};

use crate::error::Span;
use crate::lower::{At, Lowering, Scope, Value};
use crate::program::{Function, Held, IndicatorPlan, LiveOp, MarketValue, Need, Op};
use crate::scope;
use crate::settle::settled;
use crate::syntax::{Argument, Expression, Kind};
use crate::text::WakeText;
use crate::unit::{MONEY, PRICE, Unit, VOLUME};

/// Indicators whose numbers are percent: rules see them as shares.
const PERCENT: [&str; 4] = ["roc", "ppo", "natr", "trix"];

impl Lowering<'_> {
    pub(crate) fn call(
        &mut self,
        name: &str,
        arguments: &[Argument],
        span: Span,
        scope: Scope,
    ) -> Value {
        let named = arguments.iter().find(|argument| argument.name.is_some());
        if let Some(named) = named.filter(|_| name != "series") {
            let shown = named.name.as_deref().unwrap_or_default();
            let cure = "write the values in order, without names";
            self.complain(
                named.value.span,
                format!("{name} has no argument {shown:?}"),
                cure,
            );
            return Self::unknown();
        }
        let values: Vec<&Expression> = arguments.iter().map(|one| &one.value).collect();
        match name {
            "abs" => self.one_of(name, Function::Absolute, &values, span, scope),
            "sqrt" => self.one_of(name, Function::Root, &values, span, scope),
            "log" => self.one_of(name, Function::Logarithm, &values, span, scope),
            "min" => self.several(name, Function::Min, &values, span, scope),
            "max" => self.several(name, Function::Max, &values, span, scope),
            "change" => self.change(&values, span, scope),
            "cross_above" | "cross_below" => self.cross(name, &values, span, scope),
            "at_entry" => self.at_entry(&values, span, scope),
            "rank" => self.rank(&values, span, scope),
            "of" => self.of(&values, span, scope),
            "series" => self.series(arguments, span, scope),
            "book.imbalance" | "book.bids" | "book.asks" => self.book(name, &values, span, scope),
            _ => match find(name) {
                Some(entry) => self.indicate(entry, &values, span, scope, None),
                None => {
                    let is_value = scope::FIELDS.iter().any(|(known, _, _)| *known == name);
                    let cure = if is_value || self.text.lets.contains_key(name) {
                        format!("write {name} without brackets")
                    } else {
                        scope::function_cure(name)
                    };
                    self.complain(span, format!("no function {name:?}"), cure);
                    Self::unknown()
                }
            },
        }
    }

    /// A line of an indicator: of a call, or of a name that stands for one.
    pub(crate) fn line(&mut self, of: &Expression, line: &str, span: Span, scope: Scope) -> Value {
        let call = match &of.kind {
            Kind::Name(name) if self.text.lets.contains_key(name) => self.tree_of(name),
            _ => Some(of.clone()),
        };
        match call.map(|call| call.kind) {
            Some(Kind::Call(name, arguments)) if find(&name).is_some() => {
                let values: Vec<&Expression> = arguments.iter().map(|one| &one.value).collect();
                let entry = find(&name).expect("it was found just before");
                self.indicate(entry, &values, span, scope, Some(line))
            }
            // The mistake of the name was noted.
            None => Self::unknown(),
            Some(_) => {
                let cure = "only indicators with several lines have them: macd(12, 26, 9).signal";
                self.complain(span, format!("no line {line:?} here"), cure);
                Self::unknown()
            }
        }
    }

    fn indicate(
        &mut self,
        entry: &'static Entry,
        arguments: &[&Expression],
        span: Span,
        scope: Scope,
        line: Option<&str>,
    ) -> Value {
        let count = entry.parameters.len();
        let inputs = arguments.len().checked_sub(count);
        let fits = matches!(
            (entry.input, inputs),
            (InputKind::Value, Some(0 | 1))
                | (InputKind::Pair, Some(2))
                | (InputKind::Bar | InputKind::Ohlcv, Some(0))
        );
        let Some(inputs) = inputs.filter(|_| fits) else {
            let given = arguments.len();
            let problem = format!("{} does not take {given} values", entry.name);
            self.complain(span, problem, format!("write {}", usage(entry)));
            return Self::unknown();
        };
        let Some(place) = self.line_of(entry, line, span) else {
            return Self::unknown();
        };
        let parameters = self.parameters(entry, &arguments[inputs..], scope);
        let series: Vec<Value> = arguments[..inputs]
            .iter()
            .map(|of| self.lower(of, scope))
            .collect();
        let Some(parameters) = parameters else {
            return Self::unknown();
        };
        for (value, of) in series.iter().zip(arguments) {
            match value.at {
                At::Live(_) => {
                    let problem =
                        format!("{} is of candles, and this is of this moment", entry.name);
                    self.complain(of.span, problem, "use a value of candles, such as close");
                    return Self::unknown();
                }
                At::Constant(number) if !number.is_nan() => {
                    let problem = "a fixed number where a series is needed";
                    self.complain(of.span, problem, format!("write {}", usage(entry)));
                    return Self::unknown();
                }
                At::Constant(_) => return Self::unknown(),
                At::Node(..) => {}
            }
        }
        let series = if series.is_empty() && entry.input == InputKind::Value {
            let close = Expression {
                kind: Kind::Name("close".to_owned()),
                span,
            };
            vec![self.lower(&close, scope)]
        } else {
            series
        };
        self.fed(entry, parameters, &series, (place, span), scope)
    }

    /// The steps of an indicator that is fed with these series, or with the candle.
    fn fed(
        &mut self,
        entry: &'static Entry,
        parameters: Vec<f64>,
        series: &[Value],
        (line, span): (usize, Span),
        scope: Scope,
    ) -> Value {
        let lane = match self.meeting(series, scope) {
            Some(lane) => lane,
            None => match self.lane(scope, false, span) {
                Some(lane) => lane,
                None => return Self::unknown(),
            },
        };
        let warm_up = match entry.build(&parameters) {
            Ok(indicator) => indicator.warm_up(),
            Err(error) => {
                self.complain(span, error.to_string(), format!("write {}", usage(entry)));
                return Self::unknown();
            }
        };
        let inputs: Vec<usize> = series
            .iter()
            .map(|value| self.placed(*value, lane))
            .collect();
        let needs = &self.program.lanes[lane].needs;
        let before = inputs
            .iter()
            .map(|input| needs[*input])
            .fold(Need::default(), Need::join);
        let filled = u32::try_from(warm_up.saturating_sub(1)).unwrap_or(u32::MAX);
        let need = Need {
            filled: before.filled.saturating_add(filled),
            settled: before
                .total()
                .saturating_add(settled(entry, &parameters, warm_up)),
        };
        let unit = unit_of(entry, series.first().map(|value| value.unit));
        let plan = IndicatorPlan {
            entry,
            parameters,
            inputs,
        };
        let indicator = self.indicator(lane, plan);
        let first = self.step(lane, Op::Feed(indicator), need);
        let node = match line {
            0 => first,
            line => self.step(lane, Op::Line(indicator, line), need),
        };
        let value = Value {
            at: At::Node(lane, node),
            unit,
        };
        if PERCENT.contains(&entry.name) {
            let percent = Value {
                at: At::Constant(0.01),
                unit: Unit::Bare,
            };
            return self.apply(Function::Multiply, value, percent, Unit::Share, scope);
        }
        value
    }

    fn line_of(&mut self, entry: &Entry, line: Option<&str>, span: Span) -> Option<usize> {
        let lines = entry.outputs;
        match line {
            None if lines.len() == 1 => Some(0),
            None => {
                let problem = format!("{} has the lines {}", entry.name, lines.join(", "));
                let cure = format!("name one: {}.{}", usage(entry), lines[0]);
                self.complain(span, problem, cure);
                None
            }
            Some(line) => {
                let found = lines.iter().position(|known| *known == line);
                if found.is_none() {
                    let problem = format!("{} has no line {line:?}", entry.name);
                    let near = tradewind_strategy::nearest(line, lines.iter().copied());
                    let cure = match near {
                        Some(near) => format!("did you mean {near}?"),
                        None if lines.len() == 1 => "it has one value: take the dot out".to_owned(),
                        None => format!("there are {}", lines.join(", ")),
                    };
                    self.complain(span, problem, cure);
                }
                found
            }
        }
    }

    fn parameters(
        &mut self,
        entry: &Entry,
        given: &[&Expression],
        scope: Scope,
    ) -> Option<Vec<f64>> {
        let mut values = Vec::with_capacity(given.len());
        for (of, wanted) in given.iter().zip(entry.parameters) {
            let At::Constant(number) = self.lower(of, scope).at else {
                let problem = format!("the {} of {} changes", wanted.name, entry.name);
                let cure = format!("write a number: {}", usage(entry));
                self.complain(of.span, problem, cure);
                continue;
            };
            let is_whole = !wanted.is_whole || number.fract() == 0.0;
            if number.is_nan() {
                continue;
            }
            if !(wanted.min..=wanted.max).contains(&number) || !is_whole {
                let kind = if wanted.is_whole {
                    "whole number"
                } else {
                    "number"
                };
                let problem = format!("{number} as the {} of {}", wanted.name, entry.name);
                let cure = format!("write a {kind} from {} to {}", wanted.min, wanted.max);
                self.complain(of.span, problem, cure);
                continue;
            }
            values.push(number);
        }
        (values.len() == given.len()).then_some(values)
    }

    /// Notes a wrong count of values. None if it is right.
    fn counted(&mut self, name: &str, given: usize, wanted: usize, span: Span) -> Option<()> {
        if given == wanted {
            return Some(());
        }
        let problem = format!("{name} takes {wanted} values, and {given} are given");
        let cure = format!("write {}", scope::usage(name).unwrap_or(name));
        self.complain(span, problem, cure);
        None
    }

    fn one_of(
        &mut self,
        name: &str,
        function: Function,
        values: &[&Expression],
        span: Span,
        scope: Scope,
    ) -> Value {
        if self.counted(name, values.len(), 1, span).is_none() {
            return Self::unknown();
        }
        let value = self.lower(values[0], scope);
        self.must_be_number(value, values[0].span);
        let unit = match function {
            Function::Absolute => value.unit,
            _ => Unit::Index,
        };
        self.apply(function, value, value, unit, scope)
    }

    fn several(
        &mut self,
        name: &str,
        function: Function,
        values: &[&Expression],
        span: Span,
        scope: Scope,
    ) -> Value {
        if values.len() < 2 {
            self.counted(name, values.len(), 2, span);
            return Self::unknown();
        }
        let mut joined = self.lower(values[0], scope);
        self.must_be_number(joined, values[0].span);
        for of in &values[1..] {
            let value = self.lower(of, scope);
            self.must_be_number(value, of.span);
            let Some(unit) = self.joined((joined, value), "beside", span) else {
                return Self::unknown();
            };
            joined = self.apply(function, joined, value, unit, scope);
        }
        joined
    }

    fn change(&mut self, values: &[&Expression], span: Span, scope: Scope) -> Value {
        if self.counted("change", values.len(), 1, span).is_none() {
            return Self::unknown();
        }
        let now = self.lower(values[0], scope);
        self.must_be_number(now, values[0].span);
        if matches!(now.at, At::Live(_)) {
            let cure = "use a value of candles, such as close";
            self.complain(span, "only values of candles have a past", cure);
            return Self::unknown();
        }
        let before = self.delayed(now, 1);
        self.apply(Function::Subtract, now, before, now.unit, scope)
    }

    /// Before at most the other, and now above it: on candles the one before, else at the evaluation before.
    fn cross(&mut self, name: &str, values: &[&Expression], span: Span, scope: Scope) -> Value {
        if self.counted(name, values.len(), 2, span).is_none() {
            return Self::unknown();
        }
        let (one, other) = (self.lower(values[0], scope), self.lower(values[1], scope));
        self.must_be_number(one, values[0].span);
        self.must_be_number(other, values[1].span);
        if self.joined((one, other), "crosses", span).is_none() {
            return Self::unknown();
        }
        let (upper, lower) = match name {
            "cross_above" => (one, other),
            _ => (other, one),
        };
        let is_live = |value: Value| matches!(value.at, At::Live(_));
        let before = if is_live(upper) || is_live(lower) {
            let places = [upper, lower].map(|value| self.live_place(value));
            places.map(|place| self.live(LiveOp::Previous(place), Unit::Any))
        } else {
            // Brought together first, so that both are one candle of the same lane ago.
            [upper, lower].map(|value| self.delayed(value, 1))
        };
        let now = self.apply(Function::Less, lower, upper, Unit::Truth, scope);
        let was = self.apply(
            Function::LessEqual,
            before[0],
            before[1],
            Unit::Truth,
            scope,
        );
        self.apply(Function::And, now, was, Unit::Truth, scope)
    }

    /// A value of candles that must not be of a moment, at the outermost level.
    fn of_candles(
        &mut self,
        name: &str,
        values: &[&Expression],
        span: Span,
        scope: Scope,
    ) -> Option<(Value, Held)> {
        self.counted(name, values.len(), 1, span)?;
        if scope.source != 0 || scope.is_on {
            let problem = format!("{name} stands inside of @ or of()");
            self.complain(span, problem, format!("put it around them: {name}((…)@4h)"));
            return None;
        }
        let value = self.lower(values[0], scope);
        self.must_be_number(value, values[0].span);
        let At::Node(lane, node) = value.at else {
            if value.unit != Unit::Any {
                let problem = format!("{name} is of values of candles");
                self.complain(values[0].span, problem, "write one, such as atr(14)");
            }
            return None;
        };
        let need = self.need(value).total();
        Some((value, Held { lane, node, need }))
    }

    fn at_entry(&mut self, values: &[&Expression], span: Span, scope: Scope) -> Value {
        let Some((value, held)) = self.of_candles("at_entry", values, span, scope) else {
            return Self::unknown();
        };
        let kept = &mut self.program.at_entry;
        let place = kept.iter().position(|known| *known == held);
        let place = place.unwrap_or_else(|| {
            kept.push(held);
            kept.len() - 1
        });
        self.live(LiveOp::AtEntry(place), value.unit)
    }

    fn rank(&mut self, values: &[&Expression], span: Span, scope: Scope) -> Value {
        if self.text.wake != WakeText::Timer {
            // Candles of one close come one after the other: an instrument would be ranked beside values of the close before.
            let cure = "decide some time after the close, such as wake = \"every 1d at 00:05\"";
            self.complain(span, "rank() as candles or quotes come", cure);
            return Self::unknown();
        }
        match self.of_candles("rank", values, span, scope) {
            Some((_, held)) => self.live(LiveOp::Rank(held), Unit::Index),
            None => Self::unknown(),
        }
    }

    fn of(&mut self, values: &[&Expression], span: Span, scope: Scope) -> Value {
        if self.counted("of", values.len(), 2, span).is_none() {
            return Self::unknown();
        }
        let Kind::Text(product) = &values[0].kind else {
            let cure = "write the instrument in quotes: of(\"BTC/USDT\", close)";
            self.complain(values[0].span, "no instrument", cure);
            return Self::unknown();
        };
        let name = product
            .split_once(':')
            .map_or(product.as_str(), |(_, name)| name);
        let is_product = name.split_once('/').is_some_and(|(base, quote)| {
            let is_asset = |text: &str| {
                !text.is_empty() && text.chars().all(|one| one.is_ascii_alphanumeric())
            };
            is_asset(base) && is_asset(quote)
        });
        if !is_product {
            let cure = "write BASE/QUOTE, with a venue before it if need be: \"okx:BTC/USDT\"";
            self.complain(
                values[0].span,
                format!("{product:?} is no instrument"),
                cure,
            );
            return Self::unknown();
        }
        if scope.source != 0 {
            self.complain(span, "of() inside of another of()", "take one of them out");
            return Self::unknown();
        }
        let others = &mut self.program.others;
        let place = others.iter().position(|known| known == product);
        let place = place.unwrap_or_else(|| {
            others.push(product.clone());
            others.len() - 1
        });
        let inner = Scope {
            source: place + 1,
            ..scope
        };
        let value = self.lower(values[1], inner);
        self.brought(value, scope)
    }

    fn series(&mut self, arguments: &[Argument], span: Span, scope: Scope) -> Value {
        if scope.source != 0 || scope.is_on {
            let problem = "a series has no candles and no instrument";
            self.complain(span, problem, "take it out of the brackets of @ or of()");
            return Self::unknown();
        }
        let name = arguments.first().map(|argument| &argument.value.kind);
        let Some(Kind::Text(name)) = name else {
            let cure = "write its source and its name: series(\"house.fear\", max_age = 1h)";
            self.complain(span, "a series without a name", cure);
            return Self::unknown();
        };
        // The desk calls it source:name.
        let full = match name.contains(':') {
            true => name.clone(),
            false => name.replacen('.', ":", 1),
        };
        if !full.contains(':') {
            let cure = "write its source before it: series(\"house.fear\")";
            let problem = format!("{name:?} has no source");
            self.complain(arguments[0].value.span, problem, cure);
            return Self::unknown();
        }
        let mut max_age = None;
        for argument in &arguments[1..] {
            match (argument.name.as_deref(), &argument.value.kind) {
                (Some("max_age"), Kind::Time(time)) => {
                    max_age = Some(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
                }
                _ => {
                    let cure = "write max_age = 2s";
                    self.complain(argument.value.span, "not the age of a series", cure);
                }
            }
        }
        let key = (full, max_age);
        let series = &mut self.program.series;
        let place = series.iter().position(|known| *known == key);
        let place = place.unwrap_or_else(|| {
            series.push(key);
            series.len() - 1
        });
        self.live(LiveOp::Series(place), Unit::Any)
    }

    fn book(&mut self, name: &str, values: &[&Expression], span: Span, scope: Scope) -> Value {
        if scope.source != 0 || scope.is_on {
            let problem = format!("{name} is of this moment");
            self.complain(span, problem, "take it out of the brackets of @ or of()");
            return Self::unknown();
        }
        if self.counted(name, values.len(), 1, span).is_none() {
            return Self::unknown();
        }
        let levels = self.whole(values[0], scope, (1.0, 20.0));
        let Some(levels) = levels.and_then(|levels| u8::try_from(levels).ok()) else {
            return Self::unknown();
        };
        let (value, unit) = match name {
            "book.imbalance" => (MarketValue::Imbalance(levels), Unit::Ratio),
            "book.bids" => (MarketValue::Bids(levels), VOLUME),
            _ => (MarketValue::Asks(levels), VOLUME),
        };
        self.live(LiveOp::Market(value), unit)
    }
}

/// How an indicator is called.
fn usage(entry: &Entry) -> String {
    let names: Vec<&str> = entry.parameters.iter().map(|one| one.name).collect();
    let inputs: &[&str] = match entry.input {
        InputKind::Pair => &["x", "y"],
        InputKind::Value | InputKind::Bar | InputKind::Ohlcv => &[],
    };
    let all: Vec<&str> = inputs
        .iter()
        .copied()
        .chain(names.iter().copied())
        .collect();
    let usual = format!("{}({})", entry.name, all.join(", "));
    if entry.input != InputKind::Value {
        return usual;
    }
    let all: Vec<&str> = ["x"].into_iter().chain(names).collect();
    format!("{usual} or {}({})", entry.name, all.join(", "))
}

fn unit_of(entry: &Entry, input: Option<Unit>) -> Unit {
    use tradewind_indicators::Unit as Of;
    // How often a condition held is a number.
    let input = match input {
        Some(Unit::Truth) => Unit::Bare,
        Some(unit) => unit,
        None => PRICE,
    };
    match (entry.name, entry.unit) {
        ("rocp", _) => Unit::Share,
        ("rocr", _) => Unit::Ratio,
        (_, Of::Price) => input,
        (_, Of::PriceSquared) => input.squared(),
        (_, Of::Number) => Unit::Index,
        (_, Of::Volume) => VOLUME,
        (_, Of::Money) => MONEY,
    }
}

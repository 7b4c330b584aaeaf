//! From the text of rules to what runs: all mistakes at once, or clauses, stop, sizes and the program that computes them.

use tradewind_model::{Amount, ExitPlan, OrderPolicy, Ppm, Sizer, Stop, TakeProfitBy};

use crate::error::{RuleError, Span};
use crate::lower::{At, Lowering, Value};
use crate::program::{Lane, Program};
use crate::syntax::{Expression, Kind, Operator};
use crate::text::{AddText, ClauseText, RuleText};
use crate::unit::{PRICE, Unit};

/// Share of its budget that a bot uses where it names no size: the rest is left for fees and losses.
const USUAL_SHARE: i64 = 900_000;
/// Most clauses of one kind.
const CLAUSES_MAX: usize = 100;

/// Rules that were checked.
#[derive(Clone, Debug)]
pub struct Rules {
    pub(crate) text: RuleText,
    pub(crate) program: Program,
    pub(crate) enter: Vec<Clause>,
    pub(crate) exit: Vec<Clause>,
    pub(crate) add: Vec<Add>,
    pub(crate) stop: StopRule,
    /// The step that gives the price of entries.
    pub(crate) price: Option<usize>,
    /// Exposure of the first entry of a position; adds bring it up to all of it.
    pub(crate) first: Ppm,
    /// Parts of clauses with their values, for people.
    pub(crate) shown: Vec<Shown>,
    size: Size,
    /// Exposures of all adds and the first entry, as a multiple of the first.
    whole: Ppm,
}

/// A condition and what it leads to.
#[derive(Clone, Debug)]
pub(crate) struct Clause {
    /// Its tag or its text: the reason of what it leads to.
    pub(crate) reason: std::sync::Arc<str>,
    /// Its reason while it is unknown and a position waits for it.
    pub(crate) waits: std::sync::Arc<str>,
    /// Its step.
    pub(crate) step: usize,
}

/// When more is bought.
#[derive(Clone, Debug)]
pub(crate) struct Add {
    pub(crate) clause: Clause,
    /// Exposure that is added each time.
    pub(crate) exposure: Ppm,
    pub(crate) max: u32,
}

/// Where a loss is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopRule {
    None,
    /// At a distance from the entry, which the exit plan keeps by itself.
    Distance(Ppm),
    /// At the price that a step gives.
    Price(usize),
}

/// A part of a clause, for people.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// The key it is of, and its tag.
    pub(crate) clause: String,
    /// The step of the whole clause.
    pub(crate) of: usize,
    pub(crate) text: String,
    pub(crate) step: usize,
    pub(crate) unit: Unit,
    /// What it compares, each with its step and its unit.
    pub(crate) operands: Vec<(String, usize, Unit)>,
}

/// How much is bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Size {
    /// A share of the bot's budget.
    Share(Ppm),
    /// So much that being stopped out loses this share of the budget.
    Risk(Ppm),
    /// So much of an asset: of the base asset a quantity, of the quote asset a value.
    Amount(Amount, String),
}

impl Rules {
    /// Checks rules.
    ///
    /// # Errors
    /// Every mistake, with its key, its column and its cure.
    pub fn compile(text: &RuleText) -> Result<Self, Vec<RuleError>> {
        let mut lowering = Lowering::new(text);
        let mut reader = Reader {
            lowering: &mut lowering,
            shown: Vec::new(),
        };
        let enter = reader.clauses("enter", &text.enter);
        let exit = reader.clauses("exit", &text.exit);
        let size = reader.size();
        let stop = reader.stop();
        let price = reader.price();
        let (add, first, whole) = reader.adds(&text.add, size.as_ref());
        reader.parameters();
        let shown = reader.shown;
        if text.enter.is_empty() {
            let cure = "write enter = \"close > sma(200)\" or the like";
            let error = RuleError::new("enter", "no rule opens a position", cure);
            lowering.errors.push(error);
        }
        if matches!(size, Some(Size::Risk(_))) && stop == Some(StopRule::None) {
            let cure = "write stop = \"2%\" or a price, or another size";
            let error = RuleError::new("size", "a risk needs a stop to measure it by", cure);
            lowering.errors.push(error);
        }
        lowering.check_unused();
        if !lowering.errors.is_empty() {
            return Err(lowering.errors);
        }
        let mut program = lowering.program;
        add_base(&mut program);
        Ok(Self {
            text: text.clone(),
            program,
            enter,
            exit,
            add,
            stop: stop.unwrap_or(StopRule::None),
            price,
            first,
            shown,
            size: size.unwrap_or(Size::Share(Ppm(USUAL_SHARE))),
            whole,
        })
    }

    /// The rules as they are written.
    #[must_use]
    pub const fn text(&self) -> &RuleText {
        &self.text
    }

    /// How a position is guarded: the stop, where it is a distance, and the profit by age.
    #[must_use]
    pub fn exit_plan(&self) -> ExitPlan {
        ExitPlan {
            stop: match self.stop {
                StopRule::Distance(share) => Stop::Distance(share),
                StopRule::None | StopRule::Price(_) => Stop::None,
            },
            take_profit: None,
            take_profit_by: TakeProfitBy::Market,
            trailing: None,
            time: None,
            profit_by_age: self.text.roi.clone(),
        }
    }

    /// How much is bought, as it is written.
    #[must_use]
    pub const fn size(&self) -> &Size {
        &self.size
    }

    /// How a whole position, adds included, becomes a quantity. `base` and `quote` are the assets of what is traded.
    ///
    /// # Errors
    /// An asset that is neither.
    pub fn sizer(&self, base: &str, quote: &str) -> Result<Sizer, RuleError> {
        let times = |one: Ppm| Ppm(scaled(one.0, self.whole.0));
        match &self.size {
            // Where no size is written, the usual one is for all of a position.
            Size::Share(share) if self.text.size.is_none() => Ok(Sizer::Share(*share)),
            Size::Share(share) => Ok(Sizer::Share(times(*share))),
            Size::Risk(share) => Ok(Sizer::RiskToStop(times(*share))),
            Size::Amount(amount, asset) => {
                let whole = amount.share(self.whole).unwrap_or(*amount);
                if asset == base {
                    Ok(Sizer::Fixed(whole))
                } else if asset == quote {
                    Ok(Sizer::Value(whole))
                } else {
                    let problem = format!("{asset} is not what {base}/{quote} is traded for");
                    let cure =
                        format!("write an amount of {base} or of {quote}, or a share such as 20%");
                    Err(RuleError::new("size", problem, cure))
                }
            }
        }
    }

    /// Whether it names the price of its entries.
    #[must_use]
    pub const fn has_price(&self) -> bool {
        self.price.is_some()
    }

    /// What becomes of a policy whose price these rules name: the price stands in for the offset.
    #[must_use]
    pub const fn policy(&self, policy: OrderPolicy) -> OrderPolicy {
        match policy {
            OrderPolicy::Limit(mut limit) if self.price.is_some() => {
                limit.own_price = true;
                OrderPolicy::Limit(limit)
            }
            policy => policy,
        }
    }

    /// Products of other instruments that it reads, as they are written: `BTC/USDT`, `okx:BTC/USDT`.
    #[must_use]
    pub fn others(&self) -> &[String] {
        &self.program.others
    }

    /// Full names of the series of numbers that it reads: `house:fear`.
    pub fn series(&self) -> impl Iterator<Item = &str> {
        self.program.series.iter().map(|(name, _)| name.as_str())
    }
}

/// The bot's own candles are followed even where no expression is of them: they wake it.
pub(crate) fn add_base(program: &mut Program) {
    let Some(base) = program.base else { return };
    let is_base = |lane: &Lane| (lane.source, lane.interval, lane.is_late) == (0, base, false);
    if !program.lanes.iter().any(is_base) {
        program.lanes.push(Lane {
            source: 0,
            interval: base,
            is_late: false,
            ops: Vec::new(),
            needs: Vec::new(),
            indicators: Vec::new(),
            delays: Vec::new(),
            exports: Vec::new(),
            reads: Vec::new(),
        });
    }
}

/// `one` times `factor`, both in millionths, cut off.
const fn scaled(one: i64, factor: i64) -> i64 {
    let scaled = one as i128 * factor as i128 / 1_000_000;
    if scaled > 1_000_000_000 {
        1_000_000_000
    } else {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it was compared just before"
        )]
        let scaled = scaled as i64;
        scaled
    }
}

struct Reader<'l, 't> {
    lowering: &'l mut Lowering<'t>,
    shown: Vec<Shown>,
}

impl Reader<'_, '_> {
    fn complain(&mut self, place: &str, what: impl Into<String>, cure: impl Into<String>) {
        let error = RuleError::new(place, what, cure);
        self.lowering.errors.push(error);
    }

    fn clauses(&mut self, kind: &str, clauses: &[ClauseText]) -> Vec<Clause> {
        if clauses.len() > CLAUSES_MAX {
            let problem = format!("more than {CLAUSES_MAX} clauses");
            self.complain(kind, problem, "join some of them with or");
        }
        let clauses = clauses.iter().enumerate();
        let read = clauses.filter_map(|(index, clause)| self.clause(kind, index, clause));
        read.collect()
    }

    fn clause(&mut self, kind: &str, index: usize, clause: &ClauseText) -> Option<Clause> {
        let place = format!("{kind}[{index}].when");
        let (tree, value) = self.lowering.read(&place, &clause.when)?;
        let known = self.lowering.errors.len();
        self.lowering.must_be_truth(value, tree.span, kind);
        if self.lowering.errors.len() > known {
            return None;
        }
        let step = self.lowering.live_place(value);
        let name = match &clause.tag {
            Some(tag) => format!("{kind} {tag}"),
            None if index == 0 => kind.to_owned(),
            None => format!("{kind} {}", index + 1),
        };
        self.show((&name, step), &clause.when, &tree);
        let reason = match &clause.tag {
            Some(tag) => format!("{tag}: {}", clause.when),
            None => clause.when.clone(),
        };
        Some(Clause {
            waits: format!("waits on: {} is unknown", clause.when).into(),
            reason: reason.into(),
            step,
        })
    }

    /// Notes the parts of a condition with the steps that compute them, which mostly exist already.
    fn show(&mut self, (clause, of): (&str, usize), text: &str, tree: &Expression) {
        if let Kind::Binary(Operator::And | Operator::Or, left, right) = &tree.kind {
            self.show((clause, of), text, left);
            self.show((clause, of), text, right);
            return;
        }
        let base = self.lowering.base();
        let value = self.lowering.lower(tree, base);
        let step = self.lowering.live_place(value);
        let sides = match &tree.kind {
            Kind::Binary(_, left, right) => vec![left.as_ref(), right.as_ref()],
            Kind::Within(of, _, _) => vec![of.as_ref()],
            Kind::Call(name, values) if name.starts_with("cross_") => {
                values.iter().map(|one| &one.value).collect()
            }
            _ => Vec::new(),
        };
        let mut operands = Vec::new();
        for side in sides {
            let value = self.lowering.lower(side, base);
            if !matches!(value.at, At::Constant(_)) {
                let step = self.lowering.live_place(value);
                operands.push((taken(text, side.span), step, value.unit));
            }
        }
        self.shown.push(Shown {
            clause: clause.to_owned(),
            of,
            text: taken(text, tree.span),
            step,
            unit: value.unit,
            operands,
        });
    }

    fn size(&mut self) -> Option<Size> {
        let text = self.lowering.text.size.clone()?;
        match read_size(&text) {
            Some(size) => Some(size),
            None => {
                let problem = format!("{text:?} is no size");
                self.complain("size", problem, SIZE_CURE);
                None
            }
        }
    }

    fn stop(&mut self) -> Option<StopRule> {
        let Some(text) = self.lowering.text.stop.clone() else {
            let cure = "write stop = \"2%\", a price such as \"lowest(low, 10)\", or \"none\"";
            self.complain("stop", "missing", cure);
            return None;
        };
        if text.trim() == "none" {
            return Some(StopRule::None);
        }
        let (tree, value) = self.lowering.read("stop", &text)?;
        if let (At::Constant(share), Unit::Share) = (value.at, value.unit) {
            let parts = ppm(share).filter(|parts| *parts > 0 && *parts < Ppm::ONE.0);
            if parts.is_none() {
                let cure = "write a share above 0% and below 100%, to six decimals of a share";
                self.lowering
                    .complain(tree.span, "no distance of a stop", cure);
            }
            return parts.map(|parts| StopRule::Distance(Ppm(parts)));
        }
        let step = self.price_step(&tree, value, "stop")?;
        self.show(("stop", step), &text, &tree);
        Some(StopRule::Price(step))
    }

    fn price(&mut self) -> Option<usize> {
        let text = self.lowering.text.price.clone()?;
        let (tree, value) = self.lowering.read("order.price", &text)?;
        let step = self.price_step(&tree, value, "order.price")?;
        self.show(("order.price", step), &text, &tree);
        Some(step)
    }

    fn price_step(&mut self, tree: &Expression, value: Value, place: &str) -> Option<usize> {
        let is_price = value.unit == PRICE || value.unit == Unit::Any;
        if !is_price || matches!(value.at, At::Constant(_)) {
            let problem = format!("{} where {place} needs a price", value.unit.describe());
            let cure = match place {
                "stop" => {
                    "write a share of the entry price such as 2%, or a price such as lowest(low, 10)"
                }
                _ => "write a price, such as bid - 1 tick",
            };
            self.lowering.complain(tree.span, problem, cure);
            return None;
        }
        Some(self.lowering.live_place(value))
    }

    /// The adds, the exposure of a first entry, and how many first entries a whole position is, in millionths.
    fn adds(&mut self, adds: &[AddText], size: Option<&Size>) -> (Vec<Add>, Ppm, Ppm) {
        let mut read = Vec::new();
        let mut whole: i128 = i128::from(Ppm::ONE.0);
        for (index, add) in adds.iter().enumerate() {
            let clause = self.clause("add", index, &add.clause);
            let part = self.part(index, add, size);
            if add.max == 0 || add.max > 1_000 {
                let place = format!("add[{index}].max");
                self.complain(&place, "so often", "write a number from 1 to 1000");
                continue;
            }
            if let (Some(clause), Some(part)) = (clause, part) {
                whole += i128::from(part.0) * i128::from(add.max);
                read.push((clause, part, add.max));
            }
        }
        let one = i128::from(Ppm::ONE.0);
        let floored = |part: Ppm| Ppm(i64::try_from(i128::from(part.0) * one / whole).unwrap_or(0));
        let add = |(clause, part, max)| Add {
            clause,
            exposure: floored(part),
            max,
        };
        let whole_ppm = Ppm(i64::try_from(whole).unwrap_or(i64::MAX));
        (
            read.into_iter().map(add).collect(),
            floored(Ppm::ONE),
            whole_ppm,
        )
    }

    /// What an add is of the first entry.
    fn part(&mut self, index: usize, add: &AddText, size: Option<&Size>) -> Option<Ppm> {
        let place = format!("add[{index}].size");
        let one = i128::from(Ppm::ONE.0);
        match (read_size(&add.size), size) {
            (Some(Size::Share(share)), _) => Some(share),
            (Some(Size::Amount(amount, asset)), Some(Size::Amount(first, of))) if asset == *of => {
                let part = amount.mul_div(one, 1).zip(Some(first.0));
                let part = part.and_then(|(amount, first)| amount.0.checked_div(first));
                part.and_then(|part| i64::try_from(part).ok()).map(Ppm)
            }
            (Some(_), _) => {
                let cure =
                    "write a share of the first entry, such as 50%, or the unit that size has";
                self.complain(&place, format!("{:?} beside another size", add.size), cure);
                None
            }
            (None, _) => {
                self.complain(
                    &place,
                    format!("{:?} is no size", add.size),
                    "write a share of the first entry, such as 50%",
                );
                None
            }
        }
    }

    /// Values of parameters lie within their ranges.
    fn parameters(&mut self) {
        for (name, parameter) in &self.lowering.text.params {
            let place = format!("params.{name}");
            let value = parameter.value.to_f64();
            let min = parameter.min.map(|min| min.to_f64());
            let max = parameter.max.map(|max| max.to_f64());
            let is_below = min.is_some_and(|min| value < min);
            if is_below || max.is_some_and(|max| value > max) {
                let shown =
                    |bound: Option<f64>| bound.map_or("any".to_owned(), |one| one.to_string());
                let cure = format!("write a value from {} to {}", shown(min), shown(max));
                let problem = format!("{} is out of its range", parameter.value);
                let error = RuleError::new(&place, problem, cure);
                self.lowering.errors.push(error);
            }
        }
    }
}

fn taken(text: &str, span: Span) -> String {
    let characters = text.chars().skip(span.start);
    characters
        .take(span.end.saturating_sub(span.start))
        .collect()
}

const SIZE_CURE: &str = "write a share of the budget (20%), a risk (risk 1%), or an amount with its asset (100 USDT, 0.5 BTC)";

/// Reads `20%`, `risk 1%`, `100 USDT`, `0.5 BTC`.
fn read_size(text: &str) -> Option<Size> {
    let share = |text: &str| {
        let percent = text.trim().strip_suffix('%')?;
        let parts = tradewind_model::parse_fixed(percent.trim(), 4).ok()?;
        let parts = i64::try_from(parts).ok()?;
        (parts > 0 && parts <= 100 * Ppm::ONE.0).then_some(Ppm(parts))
    };
    if let Some(risk) = text.trim().strip_prefix("risk ") {
        return share(risk).filter(|risk| *risk <= Ppm::ONE).map(Size::Risk);
    }
    if let Some(share) = share(text) {
        return Some(Size::Share(share));
    }
    let (amount, asset) = text.trim().split_once(' ')?;
    let amount: Amount = amount.parse().ok()?;
    let asset = asset.trim();
    let is_asset = !asset.is_empty() && asset.chars().all(|one| one.is_ascii_alphanumeric());
    (amount > Amount::ZERO && is_asset).then(|| Size::Amount(amount, asset.to_owned()))
}

/// A share in millionths, if it is exactly so many.
#[expect(
    clippy::cast_possible_truncation,
    reason = "it is compared with what it was made of"
)]
fn ppm(share: f64) -> Option<i64> {
    let parts = (share * 1e6).round();
    ((parts - share * 1e6).abs() < 1e-6 && parts.abs() < 1e12).then_some(parts as i64)
}

//! Rules as they are written, and as the parameters of a bot's strategy, which the journal keeps.

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_model::{Decimal, Interval, Parameter, Ppm};

/// The rules of one bot, each as its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleText {
    /// The length of the candles that expressions are of, where nothing else is said.
    pub timeframe: Option<Interval>,
    /// What the rules are evaluated on.
    pub wake: WakeText,
    /// Names for expressions.
    pub lets: BTreeMap<String, String>,
    /// Parameters: `$n` in an expression.
    pub params: BTreeMap<String, ParamText>,
    /// When a position is opened, in order.
    pub enter: Vec<ClauseText>,
    /// When it is closed, in order.
    pub exit: Vec<ClauseText>,
    /// When more is bought, in order.
    pub add: Vec<AddText>,
    /// The price at which its loss is taken, a share of the entry price, or `none`.
    pub stop: Option<String>,
    /// How much is bought: `20%`, `risk 1%`, `100 USDT`, `0.5 BTC`.
    pub size: Option<String>,
    /// The price of entries, where their order has a limit.
    pub price: Option<String>,
    /// From each age on, the gain at which a position is closed; ages ascend.
    pub roi: ProfitByAge,
}

/// What rules are evaluated on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WakeText {
    /// The close of each of the bot's own candles.
    #[default]
    Candles,
    /// Each quote.
    Quotes,
    /// Times of the clock.
    Timer,
}

/// A parameter of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamText {
    /// What it is, where nothing else is given.
    pub value: Decimal,
    /// The least it may be.
    pub min: Option<Decimal>,
    /// The most it may be.
    pub max: Option<Decimal>,
}

/// A clause, with a tag where it has one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClauseText {
    /// What it is called where it is the reason of an order.
    pub tag: Option<String>,
    /// The condition.
    pub when: String,
}

/// When and how much more is bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddText {
    /// The condition, and its tag.
    pub clause: ClauseText,
    /// How much, in the unit of the bot's size, or as a share of the position's first size.
    pub size: String,
    /// How often in one position.
    pub max: u32,
}

/// From each age on, the gain at which a position is closed.
pub type ProfitByAge = Vec<(Duration, Ppm)>;

const PREFIX: &str = "rule.";

impl RuleText {
    /// As parameters of a strategy. The values of its own parameters stand under their names, everything else under `rule.`.
    #[must_use]
    pub fn to_parameters(&self) -> BTreeMap<String, Parameter> {
        let mut all = Writer::default();
        if let Some(timeframe) = self.timeframe {
            all.text("timeframe", timeframe.name());
        }
        match self.wake {
            WakeText::Candles => {}
            WakeText::Quotes => all.text("wake", "quotes"),
            WakeText::Timer => all.text("wake", "timer"),
        }
        for (name, text) in &self.lets {
            all.text(&format!("let.{name}"), text);
        }
        for (name, parameter) in &self.params {
            all.0
                .insert(name.clone(), Parameter::Number(parameter.value));
            all.number(&format!("params.{name}.value"), Some(parameter.value));
            all.number(&format!("params.{name}.min"), parameter.min);
            all.number(&format!("params.{name}.max"), parameter.max);
        }
        let clauses = |all: &mut Writer, kind: &str, index: usize, clause: &ClauseText| {
            all.text(&format!("{kind}.{index:03}.when"), &clause.when);
            if let Some(tag) = &clause.tag {
                all.text(&format!("{kind}.{index:03}.tag"), tag);
            }
        };
        for (index, clause) in self.enter.iter().enumerate() {
            clauses(&mut all, "enter", index, clause);
        }
        for (index, clause) in self.exit.iter().enumerate() {
            clauses(&mut all, "exit", index, clause);
        }
        for (index, add) in self.add.iter().enumerate() {
            clauses(&mut all, "add", index, &add.clause);
            all.text(&format!("add.{index:03}.size"), &add.size);
            let max = Decimal::whole(i64::from(add.max));
            all.number(&format!("add.{index:03}.max"), Some(max));
        }
        let values = [
            ("stop", &self.stop),
            ("size", &self.size),
            ("price", &self.price),
        ];
        for (name, value) in values {
            if let Some(value) = value {
                all.text(name, value);
            }
        }
        let steps = self.roi.iter();
        let steps = steps.map(|(age, gain)| format!("{} {}", age.as_millis(), gain.0));
        let steps: Vec<String> = steps.collect();
        if !steps.is_empty() {
            all.text("roi", &steps.join(", "));
        }
        all.0
    }

    /// Reads what [`to_parameters`](Self::to_parameters) wrote. A number under a parameter's own name replaces its value.
    ///
    /// # Errors
    /// The name of an entry that it never writes.
    pub fn from_parameters(given: &BTreeMap<String, Parameter>) -> Result<Self, String> {
        let mut rules = Self::default();
        for (name, value) in given {
            if let Some(path) = name.strip_prefix(PREFIX) {
                rules.read(path, value).ok_or_else(|| name.clone())?;
            }
        }
        for (name, value) in given.iter().filter(|(name, _)| !name.starts_with(PREFIX)) {
            let parameter = rules.params.get_mut(name).ok_or_else(|| name.clone())?;
            let Parameter::Number(value) = value else {
                return Err(name.clone());
            };
            parameter.value = *value;
        }
        Ok(rules)
    }

    fn read(&mut self, path: &str, value: &Parameter) -> Option<()> {
        let mut parts = path.splitn(3, '.');
        let (kind, index, field) = (parts.next()?, parts.next(), parts.next());
        match (kind, index, field, value) {
            ("timeframe", None, None, Parameter::Text(text)) => {
                self.timeframe = Some(text.parse().ok()?);
            }
            ("wake", None, None, Parameter::Text(text)) => {
                self.wake = match text.as_str() {
                    "quotes" => WakeText::Quotes,
                    "timer" => WakeText::Timer,
                    _ => return None,
                };
            }
            ("stop", None, None, Parameter::Text(text)) => self.stop = Some(text.clone()),
            ("size", None, None, Parameter::Text(text)) => self.size = Some(text.clone()),
            ("price", None, None, Parameter::Text(text)) => self.price = Some(text.clone()),
            ("roi", None, None, Parameter::Text(text)) => {
                let step = |step: &str| {
                    let (age, gain) = step.split_once(' ')?;
                    let age = Duration::from_millis(age.parse().ok()?);
                    Some((age, Ppm(gain.parse().ok()?)))
                };
                self.roi = text.split(", ").map(step).collect::<Option<_>>()?;
            }
            ("let", Some(name), None, Parameter::Text(text)) => {
                self.lets.insert(name.to_owned(), text.clone());
            }
            ("params", Some(name), Some(field), Parameter::Number(number)) => {
                let parameter = self.params.entry(name.to_owned()).or_insert(ParamText {
                    value: *number,
                    min: None,
                    max: None,
                });
                match field {
                    "value" => parameter.value = *number,
                    "min" => parameter.min = Some(*number),
                    "max" => parameter.max = Some(*number),
                    _ => return None,
                }
            }
            ("enter", Some(index), Some(field), _) => {
                clause(&mut self.enter, index, field, value)?;
            }
            ("exit", Some(index), Some(field), _) => {
                clause(&mut self.exit, index, field, value)?;
            }
            ("add", Some(index), Some(field), _) => self.read_add(index, field, value)?,
            _ => return None,
        }
        Some(())
    }

    fn read_add(&mut self, index: &str, field: &str, value: &Parameter) -> Option<()> {
        let index: usize = index.parse().ok().filter(|index| *index < 1_000)?;
        let empty = AddText {
            clause: ClauseText::default(),
            size: String::new(),
            max: 1,
        };
        while self.add.len() <= index {
            self.add.push(empty.clone());
        }
        let add = &mut self.add[index];
        match (field, value) {
            ("size", Parameter::Text(text)) => add.size.clone_from(text),
            ("max", Parameter::Number(number)) => {
                add.max = u32::try_from(number.as_whole()?).ok()?
            }
            ("when", Parameter::Text(text)) => add.clause.when.clone_from(text),
            ("tag", Parameter::Text(text)) => add.clause.tag = Some(text.clone()),
            _ => return None,
        }
        Some(())
    }
}

fn clause(all: &mut Vec<ClauseText>, index: &str, field: &str, value: &Parameter) -> Option<()> {
    let index: usize = index.parse().ok().filter(|index| *index < 1_000)?;
    if all.len() <= index {
        all.resize(index + 1, ClauseText::default());
    }
    match (field, value) {
        ("when", Parameter::Text(text)) => all[index].when.clone_from(text),
        ("tag", Parameter::Text(text)) => all[index].tag = Some(text.clone()),
        _ => return None,
    }
    Some(())
}

#[derive(Default)]
struct Writer(BTreeMap<String, Parameter>);

impl Writer {
    fn text(&mut self, name: &str, text: &str) {
        let value = Parameter::Text(text.to_owned());
        self.0.insert(format!("{PREFIX}{name}"), value);
    }

    fn number(&mut self, name: &str, number: Option<Decimal>) {
        if let Some(number) = number {
            let value = Parameter::Number(number);
            self.0.insert(format!("{PREFIX}{name}"), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_the_same_after_the_way_through_parameters() {
        let clause = |tag: Option<&str>, when: &str| ClauseText {
            tag: tag.map(str::to_owned),
            when: when.to_owned(),
        };
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        let rules = RuleText {
            timeframe: Some(Interval::Minute5),
            wake: WakeText::Timer,
            lets: [("r".to_owned(), "rsi($n)".to_owned())].into(),
            params: [(
                "n".to_owned(),
                ParamText {
                    value: number("14"),
                    min: Some(number("7")),
                    max: None,
                },
            )]
            .into(),
            enter: vec![clause(Some("dip"), "r < 30"), clause(None, "r < 20")],
            exit: vec![clause(None, "r > 70")],
            add: vec![AddText {
                clause: clause(None, "position.profit < -4%"),
                size: "50%".to_owned(),
                max: 2,
            }],
            stop: Some("2%".to_owned()),
            size: None,
            price: None,
            roi: vec![
                (Duration::ZERO, Ppm(60_000)),
                (Duration::from_secs(7_200), Ppm(0)),
            ],
        };
        let mut parameters = rules.to_parameters();
        assert_eq!(RuleText::from_parameters(&parameters), Ok(rules.clone()));
        parameters.insert("n".to_owned(), Parameter::Number(number("9")));
        let changed = RuleText::from_parameters(&parameters).unwrap();
        assert_eq!(changed.params["n"].value, number("9"));
        parameters.insert("m".to_owned(), Parameter::Number(number("9")));
        assert_eq!(RuleText::from_parameters(&parameters), Err("m".to_owned()));
    }
}

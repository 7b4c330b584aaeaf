//! Reading a strategy's parameters: typed, with defaults and ranges, every mistake reported at once.
//!
//! A mistake does not stop the reading: the default stands in and the error is kept, so that one run of the desk reports
//! all that is wrong with a configuration.

use std::collections::BTreeMap;
use std::fmt;

use tradewind_model::{Decimal, Interval, Parameter};

use crate::nearest::nearest;
use crate::parameter_info::{IntervalParameter, NumberParameter, ParameterInfo, WholeParameter};

/// Reads the parameters given to one strategy.
///
/// ```
/// use std::collections::BTreeMap;
/// use tradewind_model::{Decimal, Parameter};
/// use tradewind_strategy::{Parameters, WholeParameter};
///
/// const PERIOD: WholeParameter =
///     WholeParameter { name: "period", default: 14, min: 2, max: 500, description: "changes averaged" };
///
/// let given = BTreeMap::from([("peroid".to_owned(), Parameter::Number(Decimal::whole(9)))]);
/// let mut parameters = Parameters::new(&given, &[PERIOD.info()]);
/// assert_eq!(parameters.whole(&PERIOD), 14);
/// let errors = parameters.finish().unwrap_err();
/// assert_eq!(errors[0].to_string(), "params.peroid: no such parameter; did you mean period?");
/// ```
#[derive(Debug)]
pub struct Parameters<'a> {
    given: &'a BTreeMap<String, Parameter>,
    errors: Vec<ParameterError>,
}

/// One mistake in a strategy's parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}; {cure}")]
pub struct ParameterError {
    /// Where, from the bot's table on: `params.period`.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub cure: String,
}

impl<'a> Parameters<'a> {
    /// A reader of `given`; names that are not `known` are mistakes.
    #[must_use]
    pub fn new(given: &'a BTreeMap<String, Parameter>, known: &[ParameterInfo]) -> Self {
        let mut reader = Self {
            given,
            errors: Vec::new(),
        };
        let is_known = |name: &str| known.iter().any(|info| info.name == name);
        for name in given.keys().filter(|name| !is_known(name)) {
            reader.refuse(name, "no such parameter", unknown_cure(name, known));
        }
        reader
    }

    /// A whole number, or its default.
    pub fn whole(&mut self, wanted: &WholeParameter) -> u32 {
        let range = wanted.min..=wanted.max;
        let cure = || format!("use a whole number from {} to {}", wanted.min, wanted.max);
        match self.given.get(wanted.name) {
            None => wanted.default,
            Some(Parameter::Number(number)) => {
                let whole = number
                    .as_whole()
                    .and_then(|whole| u32::try_from(whole).ok());
                whole
                    .filter(|whole| range.contains(whole))
                    .unwrap_or_else(|| {
                        let problem = if number.as_whole().is_some() {
                            format!("{number} is out of range")
                        } else {
                            format!("{number} is not whole")
                        };
                        self.refuse(wanted.name, problem, cure());
                        wanted.default
                    })
            }
            Some(other) => {
                self.refuse(wanted.name, wrong_kind(other), cure());
                wanted.default
            }
        }
    }

    /// A number, or its default; the nearest `f64`, since it is compared with indicators.
    pub fn number(&mut self, wanted: &NumberParameter) -> f64 {
        let cure = || format!("use a number from {} to {}", wanted.min, wanted.max);
        match self.given.get(wanted.name) {
            None => {}
            Some(Parameter::Number(number)) if is_within(*number, wanted) => {
                return number.to_f64();
            }
            Some(Parameter::Number(number)) => {
                self.refuse(wanted.name, format!("{number} is out of range"), cure());
            }
            Some(other) => self.refuse(wanted.name, wrong_kind(other), cure()),
        }
        wanted.default.to_f64()
    }

    /// A candle's length, or its default.
    pub fn interval(&mut self, wanted: &IntervalParameter) -> Interval {
        let cure = || format!("use one of {}", interval_names());
        match self.given.get(wanted.name) {
            None => {}
            Some(Parameter::Text(text)) => match text.parse() {
                Ok(interval) => return interval,
                Err(_) => {
                    self.refuse(wanted.name, format!("{text:?} is no interval"), cure());
                }
            },
            Some(other) => self.refuse(wanted.name, wrong_kind(other), cure()),
        }
        wanted.default
    }

    /// Notes a mistake that the single values do not show, such as a fast period above the slow one.
    pub fn refuse(&mut self, name: &str, problem: impl Into<String>, cure: impl Into<String>) {
        self.errors.push(ParameterError {
            path: format!("params.{name}"),
            problem: problem.into(),
            cure: cure.into(),
        });
    }

    /// Whether all was in order.
    ///
    /// # Errors
    /// All mistakes, by path.
    pub fn finish(mut self) -> Result<(), Vec<ParameterError>> {
        self.errors.sort_by(|a, b| a.path.cmp(&b.path));
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(self.errors)
        }
    }
}

/// Compared as numbers: the order of [`Decimal`] itself is by its digits.
fn is_within(number: Decimal, wanted: &NumberParameter) -> bool {
    let value = number.to_f64();
    wanted.min.to_f64() <= value && value <= wanted.max.to_f64()
}

fn wrong_kind(given: &Parameter) -> String {
    match given {
        Parameter::Number(number) => format!("{number} is a number"),
        Parameter::Text(text) => format!("{text:?} is a text"),
        Parameter::Flag(flag) => format!("{flag} is a yes or no"),
    }
}

fn unknown_cure(name: &str, known: &[ParameterInfo]) -> String {
    match nearest(name, known.iter().map(|info| info.name)) {
        Some(near) => format!("did you mean {near}?"),
        None if known.is_empty() => "remove it: the strategy takes none".to_owned(),
        None => format!("there are {}", Listed(known)),
    }
}

fn interval_names() -> String {
    let names: Vec<_> = Interval::all().map(Interval::name).collect();
    names.join(", ")
}

/// Names separated by commas.
struct Listed<'a>(&'a [ParameterInfo]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, info) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{}", info.name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: WholeParameter = WholeParameter {
        name: "period",
        default: 14,
        min: 2,
        max: 500,
        description: "",
    };
    const ENTRY: NumberParameter = NumberParameter {
        name: "entry",
        default: Decimal::whole(30),
        min: Decimal::new(5, 1),
        max: Decimal::whole(100),
        description: "",
    };
    const INTERVAL: IntervalParameter = IntervalParameter {
        name: "interval",
        default: Interval::Minute1,
        description: "",
    };

    fn number(text: &str) -> Parameter {
        Parameter::Number(text.parse().unwrap())
    }

    /// Reads all three and answers the values and the errors, one a line.
    fn read(given: &[(&str, Parameter)]) -> (u32, f64, Interval, String) {
        let given = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        let given = given.collect();
        let known = [PERIOD.info(), ENTRY.info(), INTERVAL.info()];
        let mut reader = Parameters::new(&given, &known);
        let (period, entry) = (reader.whole(&PERIOD), reader.number(&ENTRY));
        let interval = reader.interval(&INTERVAL);
        let errors = reader.finish().err().unwrap_or_default();
        let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
        (period, entry, interval, lines.join("\n"))
    }

    #[test]
    fn what_is_not_given_takes_its_default() {
        assert_eq!(read(&[]), (14, 30.0, Interval::Minute1, String::new()));
    }

    #[test]
    fn what_is_given_is_taken_up_to_the_ends_of_the_range() {
        let given = [
            ("period", number("500")),
            ("entry", number("0.5")),
            ("interval", Parameter::Text("4h".into())),
        ];
        assert_eq!(read(&given), (500, 0.5, Interval::Hour4, String::new()));
    }

    #[test]
    fn each_mistake_is_told_with_its_path_and_cure() {
        let check = |name, value, wanted: &str| assert_eq!(read(&[(name, value)]).3, wanted);
        let whole = "use a whole number from 2 to 500";
        check(
            "period",
            number("1"),
            &format!("params.period: 1 is out of range; {whole}"),
        );
        check(
            "period",
            number("501"),
            &format!("params.period: 501 is out of range; {whole}"),
        );
        check(
            "period",
            number("-3"),
            &format!("params.period: -3 is out of range; {whole}"),
        );
        check(
            "period",
            number("2.5"),
            &format!("params.period: 2.5 is not whole; {whole}"),
        );
        check(
            "period",
            Parameter::Text("14".into()),
            &format!("params.period: \"14\" is a text; {whole}"),
        );
        let range = "use a number from 0.5 to 100";
        check(
            "entry",
            number("0.4999"),
            &format!("params.entry: 0.4999 is out of range; {range}"),
        );
        check(
            "entry",
            number("100.1"),
            &format!("params.entry: 100.1 is out of range; {range}"),
        );
        check(
            "entry",
            Parameter::Flag(true),
            &format!("params.entry: true is a yes or no; {range}"),
        );
        let intervals = "use one of 1s, 1m, 3m, 5m, 15m, 30m, 1h, 2h, 4h, 6h, 8h, 12h, 1d, 3d, 1w";
        check(
            "interval",
            Parameter::Text("7m".into()),
            &format!("params.interval: \"7m\" is no interval; {intervals}"),
        );
        check(
            "interval",
            number("60"),
            &format!("params.interval: 60 is a number; {intervals}"),
        );
        check(
            "perioud",
            number("14"),
            "params.perioud: no such parameter; did you mean period?",
        );
        check(
            "volume",
            number("14"),
            "params.volume: no such parameter; there are period, entry, interval",
        );
    }

    #[test]
    fn all_mistakes_are_told_at_once_by_path() {
        let given = [
            ("period", number("0")),
            ("entry", number("-1")),
            ("interval", number("1")),
            ("colour", number("1")),
        ];
        let (period, entry, interval, errors) = read(&given);
        assert_eq!((period, entry, interval), (14, 30.0, Interval::Minute1));
        let paths: Vec<_> = errors
            .lines()
            .filter_map(|line| line.split(':').next())
            .collect();
        assert_eq!(
            paths,
            [
                "params.colour",
                "params.entry",
                "params.interval",
                "params.period"
            ]
        );
    }
}

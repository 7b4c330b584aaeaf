//! A bot's strategy: its parameters, the candles it uses, and what wakes it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tradewind_events::{StrategyProcess, WakeRule};
use tradewind_model::{Interval, Parameter};
use tradewind_rules::{NAME, RuleText, WakeText};
use tradewind_strategy::{BuildError, ParameterError, ReadUse, StrategyInfo, WakesOn};

use super::error::{Errors, Problem};
use super::models;
use super::section::Section;
use super::structure::join;
use super::tree::{Node, Value};
use super::user_strategies;
use super::values::{self, Read};
use crate::models::ModelReference;
use crate::user_strategy::Reference;

/// A strategy with its parameters, and what wakes it.
#[derive(Clone, Debug, PartialEq)]
pub struct StrategySettings {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Parameters as given, the lengths of candles included; those left out take the strategy's defaults.
    pub parameters: BTreeMap<String, Parameter>,
    /// What wakes it.
    pub wakes: Vec<WakeRule>,
    /// What it uses of instruments that its bot only reads.
    pub reads: ReadUse,
    /// The process that it runs in, for a strategy of a file.
    pub process: Option<StrategyProcess>,
    /// Its rules as they are written, for the strategy `rules`.
    pub rules: Option<RuleText>,
}

/// Reads `strategy`, `params`, `timeframes` and `wake` of the bot at `path`, and tries to build the strategy.
pub(super) fn read(
    path: &str,
    section: Section<'_>,
    (test_strategies, folder): (bool, &Path),
    errors: &Errors,
) -> Option<StrategySettings> {
    let name = section.node("strategy").map(|node| &node.value);
    if let Some(Value::Text(name)) = name
        && let Some(reference) = Reference::parse(name)
    {
        return user_strategies::read((path, name), &reference, section, folder, errors);
    }
    if let Some(Value::Text(name)) = name
        && name.starts_with("model:")
    {
        let Some(reference) = ModelReference::parse(name) else {
            let cure = "write \"model:NAME\", or \"model:NAME@3\" for a version";
            section.complain(
                "strategy",
                Problem::new(format!("{name:?} names no model"), cure),
            );
            return None;
        };
        return models::read_bot((path, name), &reference, section, folder, errors);
    }
    user_strategies::refuse_keys(section);
    if matches!(name, Some(Value::Text(name)) if name == NAME) {
        return read_rules(path, section, errors);
    }
    let given = section.node("params").map(|_| parameters(section));
    let timeframes = section.items("timeframes", values::interval);
    let wake = section.node("wake").map(|_| wake(section));
    let info = section.get("strategy", |node| strategy(node, test_strategies))?;
    let parameters = with_timeframes(given??, &timeframes?, info, section)?;
    let built = match tradewind_strategy::build(info.name, &parameters, 1) {
        Ok(strategy) => strategy,
        Err(error) => {
            complain(path, error, section, errors);
            return None;
        }
    };
    let intervals: Vec<Interval> = built
        .timeframes()
        .iter()
        .map(|warm_up| warm_up.interval)
        .collect();
    let wanted = match wake {
        Some(read) => read?,
        None => vec![usual_wake(info, section)?],
    };
    Some(StrategySettings {
        name: info.name.to_owned(),
        version: info.version,
        parameters,
        reads: built.reads(),
        wakes: rules(&wanted, &intervals, info, section)?,
        process: None,
        rules: None,
    })
}

/// The strategy whose rules the bot's table holds.
fn read_rules(path: &str, section: Section<'_>, errors: &Errors) -> Option<StrategySettings> {
    let timeframes = section.items("timeframes", values::interval);
    let wanted = match section.node("wake") {
        Some(_) => wake(section)?,
        None => vec![WakeOption::Candles],
    };
    let wake = match wanted.as_slice() {
        [WakeOption::Candles] => WakeText::Candles,
        [WakeOption::Quotes] => WakeText::Quotes,
        [WakeOption::Every { .. }] => WakeText::Timer,
        _ => {
            let cure = "write \"candles\", \"quotes\" or \"every 1d at 00:05\"";
            section.complain(
                "wake",
                Problem::new("rules are evaluated on one of them", cure),
            );
            return None;
        }
    };
    let timeframe = timeframes?.first().copied();
    if timeframe.is_none() && wake == WakeText::Candles {
        let cure = "write timeframes = [\"5m\"], or another wake";
        section.complain(
            "timeframes",
            Problem::new("no candles wake the rules", cure),
        );
        return None;
    }
    let rules = super::rules::read(path, section, (timeframe, wake), errors)?;
    let parameters = rules.text().to_parameters();
    let built = tradewind_rules::build(NAME, &parameters, 1).ok()?;
    let candles = built.timeframes().into_iter();
    let candles = candles.map(|warm_up| WakeRule::Candles(warm_up.interval));
    let wakes = wanted.iter().filter_map(WakeOption::rule).chain(candles);
    Some(StrategySettings {
        name: NAME.to_owned(),
        version: tradewind_rules::VERSION,
        parameters,
        wakes: wakes.collect(),
        reads: built.reads(),
        process: None,
        rules: Some(rules.text().clone()),
    })
}

fn strategy(node: &Node, test_strategies: bool) -> Read<&'static StrategyInfo> {
    let name = values::text(node)?;
    let info = match tradewind_strategy::info(&name) {
        Ok(info) => info,
        Err(error) => {
            let text = error.to_string();
            let (what, cure) = text.split_once("; ").unwrap_or((&text, "check its name"));
            return Err(Problem::new(what, cure));
        }
    };
    if info.for_tests && !test_strategies {
        let what = format!("{name} is broken on purpose, for tests");
        return Err(Problem::new(what, "write desk.test_strategies = true"));
    }
    Ok(info)
}

pub(super) fn parameters(section: Section<'_>) -> Option<BTreeMap<String, Parameter>> {
    if let Some(Value::Table(_)) = section.node("params").map(|node| &node.value) {
        let entries = section.entries("params", |_, node| parameter(node))?;
        return Some(entries.into_iter().collect());
    }
    let problem = Problem::new("not a table", "write params = { fast = 10, slow = 20 }");
    section.complain("params", problem);
    None
}

fn parameter(node: &Node) -> Read<Parameter> {
    const CURE: &str = "write a number, a text in quotes, true or false";
    match &node.value {
        Value::Text(text) => Ok(Parameter::Text(text.clone())),
        Value::Flag(flag) => Ok(Parameter::Flag(*flag)),
        Value::Integer(text) | Value::Float(text) => text
            .parse()
            .map(Parameter::Number)
            .map_err(|error| Problem::new(format!("{text} is {error}"), CURE)),
        other => Err(Problem::new(
            format!("{} is no parameter", other.describe()),
            CURE,
        )),
    }
}

/// Puts the bot's `timeframes` where the strategy looks for them: into its parameters that are lengths of candles.
fn with_timeframes(
    mut parameters: BTreeMap<String, Parameter>,
    timeframes: &[Interval],
    info: &StrategyInfo,
    section: Section<'_>,
) -> Option<BTreeMap<String, Parameter>> {
    let names: Vec<&str> = info.intervals().map(|(name, _)| name).collect();
    if timeframes.is_empty() {
        return Some(parameters);
    }
    if timeframes.len() != names.len() {
        let what = format!(
            "{} of them, but {} uses {}",
            timeframes.len(),
            info.name,
            names.len()
        );
        let cure = match names.as_slice() {
            [] => "remove it".to_owned(),
            names => format!("give one for each of {}", names.join(", ")),
        };
        section.complain("timeframes", Problem::new(what, cure));
        return None;
    }
    for (name, interval) in names.iter().zip(timeframes) {
        let text = Parameter::Text(interval.name().to_owned());
        if parameters.insert((*name).to_owned(), text).is_some() {
            let what = format!("params.{name} sets it, too");
            section.complain("timeframes", Problem::new(what, "set it once"));
        }
    }
    Some(parameters)
}

/// An option of `wake`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WakeOption {
    Quotes,
    Candles,
    Every { every: Duration, offset: Duration },
}

impl WakeOption {
    /// What of it is no candle.
    const fn rule(&self) -> Option<WakeRule> {
        match *self {
            Self::Quotes => Some(WakeRule::Quotes),
            Self::Candles => None,
            Self::Every { every, offset } if offset.is_zero() => Some(WakeRule::Every(every)),
            Self::Every { every, offset } => Some(WakeRule::EveryAt { every, offset }),
        }
    }
}

const WAKE_CURE: &str =
    "write \"quotes\", \"candles\", \"every 15m\", \"every 1d at 00:05\", or a list of them";

fn wake(section: Section<'_>) -> Option<Vec<WakeOption>> {
    match section.node("wake").map(|node| &node.value) {
        Some(Value::List(_)) => section.items("wake", option),
        _ => section.get("wake", option).map(|option| vec![option]),
    }
}

fn option(node: &Node) -> Read<WakeOption> {
    let text = values::text(node).map_err(|problem| Problem::new(problem.what, WAKE_CURE))?;
    match (text.as_str(), text.strip_prefix("every ")) {
        ("quotes", _) => Ok(WakeOption::Quotes),
        ("candles", _) => Ok(WakeOption::Candles),
        (_, Some(every)) => timer(every),
        _ => Err(Problem::new(
            format!("a bot cannot be evaluated on {text:?}"),
            WAKE_CURE,
        )),
    }
}

/// `15m`, or `1d at 00:05`.
fn timer(text: &str) -> Read<WakeOption> {
    let (every, at) = match text.split_once(" at ") {
        Some((every, at)) => (every, Some(at)),
        None => (text, None),
    };
    let every = match values::parse_duration(every) {
        Some(every) if every.as_secs() >= 1 => every,
        Some(_) => return Err(Problem::new("an interval below a second", WAKE_CURE)),
        None => return Err(Problem::new(format!("{every:?} is no duration"), WAKE_CURE)),
    };
    let offset = match at {
        None => Duration::ZERO,
        Some(at) => time_of_day(at).ok_or_else(|| {
            Problem::new(
                format!("{at:?} is no time of day"),
                "write hours and minutes in UTC, such as 00:05",
            )
        })?,
    };
    if offset >= every && !offset.is_zero() {
        let what = format!("every {} has no such time", values::format_duration(every));
        return Err(Problem::new(
            what,
            "write a time within the interval, such as every 1h at 00:05",
        ));
    }
    Ok(WakeOption::Every { every, offset })
}

/// Reads `00:05`, which is hours and minutes.
fn time_of_day(text: &str) -> Option<Duration> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str, below: u64| {
        let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<u64>().ok().filter(|_| is_plain);
        number.filter(|number| *number < below)
    };
    let seconds = number(hours, 24)? * 3_600 + number(minutes, 60)? * 60;
    Some(Duration::from_secs(seconds))
}

/// The default of `wake` for a strategy.
fn usual_wake(info: &StrategyInfo, section: Section<'_>) -> Option<WakeOption> {
    match info.wakes_on {
        WakesOn::Quotes => Some(WakeOption::Quotes),
        WakesOn::Candles => Some(WakeOption::Candles),
        WakesOn::Timer | WakesOn::Anything => {
            let what = format!("missing, and {} has no default", info.name);
            section.complain("wake", Problem::new(what, "write wake = \"every 15m\""));
            None
        }
    }
}

fn rules(
    options: &[WakeOption],
    intervals: &[Interval],
    info: &StrategyInfo,
    section: Section<'_>,
) -> Option<Vec<WakeRule>> {
    let fits = |option: &WakeOption| match info.wakes_on {
        WakesOn::Quotes => *option == WakeOption::Quotes,
        WakesOn::Candles => *option == WakeOption::Candles,
        WakesOn::Timer => matches!(option, WakeOption::Every { .. }),
        WakesOn::Anything => true,
    };
    if options.is_empty() || !options.iter().all(fits) {
        let made_for = match info.wakes_on {
            WakesOn::Quotes => "write \"quotes\", or leave it out",
            WakesOn::Candles => "write \"candles\", or leave it out",
            WakesOn::Timer => "write \"every 15m\" or the like",
            WakesOn::Anything => WAKE_CURE,
        };
        let what = format!("{} is not made for that", info.name);
        section.complain("wake", Problem::new(what, made_for));
        return None;
    }
    let rules = options.iter().flat_map(|option| match option.rule() {
        Some(rule) => vec![rule],
        None => intervals.iter().copied().map(WakeRule::Candles).collect(),
    });
    Some(rules.collect())
}

fn complain(path: &str, error: BuildError, section: Section<'_>, errors: &Errors) {
    match error {
        BuildError::Parameters(mistakes) => mistakes
            .into_iter()
            .for_each(|mistake| complain_of_parameter(path, mistake, section, errors)),
        other => section.complain(
            "params",
            Problem::new(other.to_string(), "change the parameters"),
        ),
    }
}

fn complain_of_parameter(
    path: &str,
    mistake: ParameterError,
    section: Section<'_>,
    errors: &Errors,
) {
    let name = mistake.path.strip_prefix("params.").unwrap_or_default();
    let node = match section.node("params").map(|node| &node.value) {
        Some(Value::Table(table)) => table.get(name),
        _ => None,
    };
    errors.push(
        join(path, &mistake.path),
        node.map(|node| node.origin.clone()),
        Problem::new(mistake.problem, mistake.cure),
    );
}

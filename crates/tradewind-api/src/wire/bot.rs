//! Bots: state, last results, settings.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tradewind_events::{BotConfig, BotView, ClauseView, Lane, WakeRule};
use tradewind_model::Parameter;
use utoipa::ToSchema;

use super::names::Names;
use super::number::{Decimal, Instant};
use super::order::Order;
use super::position::Position;
use super::words::BotState;

/// A bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bot {
    /// Its name, which is also its id in addresses.
    #[schema(examples("rsi-btc"))]
    pub name: String,
    /// Its strategy.
    pub strategy: String,
    /// Account it trades on.
    pub account: String,
    /// Instruments it trades.
    pub instruments: Vec<String>,
    /// What it is evaluated on: `quotes`, a candle's interval, or `every 900s`.
    pub wakes: Vec<String>,
    /// How far it is.
    pub state: BotState,
    /// The reason for its state.
    pub state_reason: String,
    /// Since when.
    pub since: Instant,
    /// The last result of its strategy: `RSI 44, needs < 30`.
    pub reason: String,
    /// The instrument of that reason.
    pub reason_instrument: Option<String>,
    /// When its strategy was last evaluated.
    pub last_wake: Option<Instant>,
    /// Its next evaluation, if it is at a known time.
    pub next_wake: Option<NextWake>,
    /// What was counted since the start.
    pub counts: BotCounts,
    /// Its last denial, the check's code first.
    pub last_denial: Option<String>,
    /// Times in which it opens no position, because of its closed trades.
    pub pauses: Vec<BotPause>,
    /// Worst delay of an evaluation since the start, in microseconds after it was due.
    pub lateness_us_max: u64,
    /// What it may use, in the quote asset.
    pub budget: Decimal,
    /// The quote asset of its first instrument, the unit of the amounts.
    pub quote_asset: String,
    /// Value of its balances and positions.
    pub equity: Decimal,
    /// Realised since the start.
    pub realized: Decimal,
    /// Unrealised.
    pub unrealized: Decimal,
    /// What its rules look for, part by part, with the values of their last evaluation; left out for other strategies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clauses: Vec<Clause>,
    /// The instruments that it may enter, if they are chosen anew each day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub universe: Option<UniverseMembers>,
}

/// The instruments that a bot may enter; it only leaves its others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UniverseMembers {
    /// How they are chosen: `top 30 by volume 7d`.
    pub rule: String,
    /// Them, the first by its ranking first.
    pub members: Vec<String>,
    /// The end of the candles that they were chosen by; `null` before the first choice.
    pub as_of: Option<Instant>,
    /// When they changed last.
    pub changed_at: Option<Instant>,
}

/// A part of what rules look for in an instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Clause {
    /// Where.
    pub instrument: String,
    /// What it leads to: `enter dip`.
    pub clause: String,
    /// The condition as it is written.
    pub text: String,
    /// Its value: `true`, `false`, `unknown`, or a number.
    pub value: String,
    /// What it compares.
    pub operands: Vec<Operand>,
}

/// A value that a rule compares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Operand {
    /// As it is written.
    pub text: String,
    /// Its value.
    pub value: String,
}

/// A bot's next evaluation at a known time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextWake {
    /// When.
    pub at: Instant,
    /// The candle that closes then; `null` for an interval of its own.
    pub interval: Option<String>,
}

/// A time in which a bot opens no position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BotPause {
    /// Which of its protections: `cooldown`, `stop_guard`, `drawdown` or `low_profit`.
    pub protection: String,
    /// Where; `null` for all its instruments.
    pub instrument: Option<String>,
    /// Until when.
    pub until: Instant,
}

/// What a bot did since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BotCounts {
    /// Evaluations of its strategy.
    pub wakes: u64,
    /// Signals.
    pub signals: u64,
    /// Orders placed.
    pub orders: u64,
    /// Fills.
    pub fills: u64,
    /// Denials.
    pub denials: u64,
    /// Errors.
    pub errors: u64,
}

/// How a bot is set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BotSettings {
    /// Version of its strategy.
    pub strategy_version: u32,
    /// Parameters given; the others take the strategy's defaults.
    pub parameters: BTreeMap<String, String>,
    /// Instruments it reads besides those it trades.
    pub reads: Vec<String>,
    /// How many positions it may hold at once.
    pub positions_max: u32,
    /// Its sizer, as text.
    pub sizer: String,
    /// Its exit plan, as text.
    pub exit: String,
    /// Its order policy, as text.
    pub policy: String,
    /// Where its strategy runs: `inline` or `thread`.
    pub lane: String,
    /// Whether it starts with the desk.
    pub starts: bool,
    /// Grows with each change of the bot.
    pub revision: u32,
}

/// One bot with all that is its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BotAnswer {
    /// The last input the view contains.
    pub seq: u64,
    /// Time of that input.
    pub at: Instant,
    /// The bot.
    pub bot: Bot,
    /// How it is set up.
    pub settings: BotSettings,
    /// Its positions.
    pub positions: Vec<Position>,
    /// Its open orders.
    pub orders: Vec<Order>,
}

impl Bot {
    /// A bot of a view with its configuration.
    #[must_use]
    pub fn new(view: &BotView, bot: &BotConfig, names: &Names) -> Self {
        let first = bot.instruments.first();
        Self {
            name: bot.name.clone(),
            strategy: bot.strategy.clone(),
            account: names.account(bot.account),
            instruments: names.instruments(&bot.instruments),
            wakes: bot.wakes.iter().map(wake_text).collect(),
            state: view.state.into(),
            state_reason: view.state_reason.clone(),
            since: view.since.into(),
            reason: view.reason.to_string(),
            reason_instrument: view.reason_instrument.map(|id| names.instrument(id)),
            last_wake: view.last_wake.map(Instant::from),
            next_wake: view.next_wake.map(|next| NextWake {
                at: next.at.into(),
                interval: next.interval.map(|interval| interval.to_string()),
            }),
            counts: BotCounts {
                wakes: view.wakes,
                signals: view.signals,
                orders: view.orders,
                fills: view.fills,
                denials: view.denials,
                errors: view.errors,
            },
            last_denial: view.last_denial.clone(),
            pauses: view
                .pauses
                .iter()
                .map(|pause| BotPause {
                    protection: pause.protection.name().to_owned(),
                    instrument: pause.instrument.map(|id| names.instrument(id)),
                    until: pause.until.into(),
                })
                .collect(),
            lateness_us_max: view.lateness_max_nanos / 1_000,
            budget: view.budget.into(),
            quote_asset: first.map_or_else(|| "?".into(), |id| names.quote_asset(*id)),
            equity: view.equity.into(),
            realized: view.realized.into(),
            unrealized: view.unrealized.into(),
            clauses: view
                .clauses
                .iter()
                .map(|one| Clause::new(one, names))
                .collect(),
            universe: bot.universe.map(|universe| {
                let view = view.universe.clone().unwrap_or_default();
                UniverseMembers {
                    rule: format!("top {} by {}", universe.top, universe.by),
                    members: names.instruments(&view.members),
                    as_of: view.as_of.map(Instant::from),
                    changed_at: view.changed_at.map(Instant::from),
                }
            }),
        }
    }
}

impl Clause {
    fn new(view: &ClauseView, names: &Names) -> Self {
        let operand = |(text, value): &(String, String)| Operand {
            text: text.clone(),
            value: value.clone(),
        };
        Self {
            instrument: names.instrument(view.instrument),
            clause: view.clause.clone(),
            text: view.text.clone(),
            value: view.value.clone(),
            operands: view.operands.iter().map(operand).collect(),
        }
    }
}

impl BotSettings {
    /// The settings of a bot.
    #[must_use]
    pub fn new(bot: &BotConfig, names: &Names) -> Self {
        let parameters = bot.parameters.iter();
        Self {
            strategy_version: bot.strategy_version,
            parameters: parameters
                .map(|(name, value)| (name.clone(), parameter_text(value)))
                .collect(),
            reads: names.instruments(&bot.reads),
            positions_max: bot.positions_max,
            sizer: super::config::sizer_text(bot.sizer),
            exit: super::config::exit_text(&bot.exit),
            policy: super::config::policy_text(bot.policy),
            lane: match bot.lane {
                Lane::Inline => "inline".into(),
                Lane::Thread => "thread".into(),
                Lane::Process => "process".into(),
            },
            starts: bot.starts,
            revision: bot.revision,
        }
    }
}

fn wake_text(wake: &WakeRule) -> String {
    match wake {
        WakeRule::Quotes => "quotes".into(),
        WakeRule::Candles(interval) => interval.to_string(),
        WakeRule::Every(span) => format!("every {}s", span.as_secs()),
        WakeRule::EveryAt { every, offset } => {
            format!("every {}s, {}s later", every.as_secs(), offset.as_secs())
        }
    }
}

fn parameter_text(parameter: &Parameter) -> String {
    match parameter {
        Parameter::Number(number) => number.to_string(),
        Parameter::Text(text) => text.clone(),
        Parameter::Flag(flag) => flag.to_string(),
    }
}

//! The result of a backtest.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use serde::{Serialize, Serializer};
use tradewind_events::{Configuration, DeskView};
use tradewind_model::{Amount, AssetId, InstrumentId, Liquidity, Ppm, Side, Timestamp};
use tradewind_simx::{Exchange, FillModel};

use crate::counters::{Counters, NotedFill, UniverseChange};
use crate::equity::EquitySample;
use crate::levels::Ambiguity;

/// The result of a backtest. Money is in the report asset unless a field names another; decimals are strings in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Name of the report asset.
    pub report_asset: String,
    /// Time of the first event.
    #[serde(serialize_with = "text")]
    pub from: Timestamp,
    /// Time of the last.
    #[serde(serialize_with = "text")]
    pub until: Timestamp,
    /// How the exchange was modelled.
    pub models: Models,
    /// What a person should know of the files: holes, and what was passed over, put in order or supposed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub data_notes: Vec<String>,
    /// Quotes played.
    pub quotes: u64,
    /// Public trades played.
    pub trades: u64,
    /// Candles played.
    pub candles: u64,
    /// Signals.
    pub signals: u64,
    /// Orders sent.
    pub orders: u64,
    /// Fills.
    pub fills: u64,
    /// Fills that left their order working.
    pub partial_fills: u64,
    /// Orders cancelled.
    pub cancelled: u64,
    /// Orders that the exchange refused.
    pub rejected: u64,
    /// Orders that ended by the exchange's rules.
    pub expired: u64,
    /// Denials by risk check.
    pub denials: BTreeMap<String, u64>,
    /// The last denial, in words.
    pub last_denial: Option<String>,
    /// The first changes of trading states that limits and circuit breakers made, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub state_changes: Vec<String>,
    /// Who joined and left the bot's universe, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub universe: Vec<UniverseReport>,
    /// Failures of strategies.
    pub bot_errors: u64,
    /// The last one, in words.
    pub last_error: Option<String>,
    /// Positions closed.
    pub positions_closed: u64,
    /// Those of them with a gain.
    pub positions_won: u64,
    /// Worth of everything at the start.
    #[serde(serialize_with = "text")]
    pub equity_start: Amount,
    /// The same at the end.
    #[serde(serialize_with = "text")]
    pub equity_end: Amount,
    /// Profit and loss realised.
    #[serde(serialize_with = "text")]
    pub realized: Amount,
    /// Profit and loss of positions still open.
    #[serde(serialize_with = "text")]
    pub unrealized: Amount,
    /// Candles that held both stop and target of a position: the order of the two is not known, and the stop was filled.
    pub ambiguous_candles: u64,
    /// Profit, realised and open, with the stop first in each such candle: what this run made.
    #[serde(serialize_with = "text")]
    pub profit_worst_order: Amount,
    /// The same with the target first, all other trades as they are.
    #[serde(serialize_with = "text")]
    pub profit_best_order: Amount,
    /// Largest fall of equity from its running peak, as a share of the peak, by the samples of the curve.
    #[serde(serialize_with = "text")]
    pub drawdown_max: Ppm,
    /// What was paid in fees, by asset.
    #[serde(serialize_with = "texts")]
    pub fees: BTreeMap<String, Amount>,
    /// Balances at the end, as the desk and as the exchange has them.
    pub assets: Vec<AssetReport>,
    /// The newest fills, as many as were to be kept, oldest first.
    pub newest_fills: Vec<FillReport>,
    /// Equity over time, thinned to at most 1,024 points.
    pub equity: Vec<EquitySample>,
}

/// What was chosen about the exchange and the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Models {
    /// How waiting orders were filled.
    #[serde(serialize_with = "text")]
    pub fill: FillModel,
    /// How long a request took; nanoseconds in JSON.
    #[serde(serialize_with = "nanos")]
    pub request: Duration,
    /// How long a report took; nanoseconds in JSON.
    #[serde(serialize_with = "nanos")]
    pub report: Duration,
}

/// A balance at the end, over all accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AssetReport {
    /// The asset.
    pub asset: String,
    /// The balance at the exchange.
    #[serde(serialize_with = "text")]
    pub exchange: Amount,
    /// The balance in the desk's ledger.
    #[serde(serialize_with = "text")]
    pub desk: Amount,
    /// The exchange's balance minus the desk's. It is 0 unless the desk has a bug.
    #[serde(serialize_with = "text")]
    pub difference: Amount,
}

/// A change of a universe, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UniverseReport {
    /// When.
    #[serde(serialize_with = "text")]
    pub at: Timestamp,
    /// How many members there were then.
    pub members: usize,
    /// Names of the instruments that the bot may enter from then on.
    pub joined: Vec<String>,
    /// Names of those that it only leaves.
    pub left: Vec<String>,
}

impl UniverseReport {
    fn new(configuration: &Configuration, change: &UniverseChange) -> Self {
        let names = |ids: &[InstrumentId]| {
            let names = ids
                .iter()
                .map(|id| configuration.instrument(*id).name.clone());
            names.collect()
        };
        Self {
            at: change.at,
            members: change.members,
            joined: names(&change.joined),
            left: names(&change.left),
        }
    }
}

/// A fill, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FillReport {
    /// Time of the fill.
    #[serde(serialize_with = "text")]
    pub at: Timestamp,
    /// Name of the instrument.
    pub instrument: String,
    /// `buy` or `sell`.
    pub side: &'static str,
    /// Quantity, in the base asset.
    pub quantity: String,
    /// Price, in the quote asset.
    pub price: String,
    /// The fee.
    #[serde(serialize_with = "text")]
    pub fee: Amount,
    /// Asset of the fee.
    pub fee_asset: String,
    /// `maker` or `taker`.
    pub liquidity: &'static str,
    /// Why: the signal behind it, of the strategy or of the exit plan.
    pub reason: String,
    /// The last reason that the strategy gave for this instrument: the entry's, where the exit plan closes a position.
    pub tag: String,
}

impl FillReport {
    fn new(configuration: &Configuration, noted: &NotedFill) -> Option<Self> {
        let fill = &noted.fill;
        let instrument = configuration.instruments.get(fill.instrument.index())?;
        Some(Self {
            at: fill.event_time,
            instrument: instrument.name.clone(),
            side: match fill.side {
                Side::Buy => "buy",
                Side::Sell => "sell",
            },
            quantity: instrument.quantity_text(fill.quantity),
            price: instrument.price_text(fill.price),
            fee: fill.fee.amount,
            fee_asset: configuration.assets.name(fill.fee.asset).to_owned(),
            liquidity: match fill.liquidity {
                Liquidity::Maker => "maker",
                Liquidity::Taker => "taker",
            },
            reason: noted.reason.to_string(),
            tag: noted.by_strategy.to_string(),
        })
    }
}

impl Report {
    pub(crate) fn new(
        configuration: &Configuration,
        models: Models,
        from: Timestamp,
        view: &DeskView,
        exchange: &Exchange,
        counters: Counters,
        ambiguity: &Ambiguity,
    ) -> Self {
        let name = |asset: AssetId| configuration.assets.name(asset).to_owned();
        let sum = |of: fn(&tradewind_events::AccountView) -> Amount| {
            view.accounts.iter().map(of).sum::<Amount>()
        };
        let denials = counters.denials.iter();
        let equity_start = sum(|account| account.started_with);
        let equity_end = sum(|account| account.equity.equity);
        Self {
            report_asset: name(configuration.report_asset),
            from,
            until: view.at,
            models,
            data_notes: Vec::new(),
            quotes: counters.quotes,
            trades: counters.trades,
            candles: counters.candles,
            signals: counters.signals,
            orders: counters.orders,
            fills: counters.fills,
            partial_fills: counters.partial_fills,
            cancelled: counters.cancelled,
            rejected: counters.rejected,
            expired: counters.expired,
            denials: denials
                .map(|(rule, count)| (rule.to_string(), *count))
                .collect(),
            last_denial: counters.last_denial,
            state_changes: counters.state_changes,
            universe: counters
                .universe
                .iter()
                .map(|change| UniverseReport::new(configuration, change))
                .collect(),
            bot_errors: counters.bot_errors,
            last_error: counters.last_error,
            positions_closed: counters.positions,
            positions_won: counters.won,
            equity_start,
            equity_end,
            ambiguous_candles: ambiguity.candles,
            profit_worst_order: equity_end - equity_start,
            profit_best_order: equity_end - equity_start + ambiguity.gain,
            realized: sum(|account| account.equity.realized),
            unrealized: sum(|account| account.equity.unrealized),
            drawdown_max: counters.curve.drawdown(),
            fees: counters
                .fees
                .iter()
                .map(|(asset, amount)| (name(*asset), *amount))
                .collect(),
            assets: assets(configuration, view, exchange),
            newest_fills: counters
                .newest_fills
                .iter()
                .filter_map(|fill| FillReport::new(configuration, fill))
                .collect(),
            equity: counters.curve.into_points(),
        }
    }

    /// Market events played.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.quotes + self.trades + self.candles
    }

    /// Market events a second, for a run that took `elapsed`; the caller measures.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate is shown to three digits"
    )]
    pub fn events_per_second(&self, elapsed: Duration) -> f64 {
        self.events() as f64 / elapsed.as_secs_f64().max(1e-9)
    }

    /// A balance at the end, as the desk has it; zero for an asset it never had.
    #[must_use]
    pub fn balance(&self, asset: &str) -> Amount {
        let found = self.assets.iter().find(|line| line.asset == asset);
        found.map(|line| line.desk).unwrap_or_default()
    }

    /// The report as JSON text.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("every field of a report has a JSON form")
    }
}

/// Per asset: the exchange's balance, the desk's, the difference.
fn assets(configuration: &Configuration, view: &DeskView, exchange: &Exchange) -> Vec<AssetReport> {
    let lines = configuration.assets.iter().map(|asset| {
        let at_exchange = configuration.accounts.iter().map(|account| {
            let balance = exchange.balance(account.id, asset.id);
            balance.free + balance.locked
        });
        let at_desk = view
            .balances
            .iter()
            .filter(|balance| balance.asset == asset.id);
        let (at_exchange, at_desk): (Amount, Amount) = (
            at_exchange.sum(),
            at_desk.map(|balance| balance.amount).sum(),
        );
        AssetReport {
            asset: asset.name,
            exchange: at_exchange,
            desk: at_desk,
            difference: at_exchange - at_desk,
        }
    });
    lines
        .filter(|line| !line.exchange.is_zero() || !line.desk.is_zero())
        .collect()
}

/// Writes a value as the text people read.
pub(crate) fn text<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

fn nanos<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u128(value.as_nanos())
}

fn texts<S: Serializer>(values: &BTreeMap<String, Amount>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(
        values
            .iter()
            .map(|(name, amount)| (name, amount.to_string())),
    )
}

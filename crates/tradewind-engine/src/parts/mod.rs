//! The engine's state, in parts. Each part owns what it holds and is the only one to change it.

pub(crate) mod account_streams;
pub(crate) mod accounts;
pub(crate) mod bot;
pub(crate) mod bot_instrument;
pub(crate) mod bots;
pub(crate) mod breakers;
pub(crate) mod command_log;
pub(crate) mod counters;
pub(crate) mod exit_monitor;
pub(crate) mod exit_refusals;
pub(crate) mod gaps;
pub(crate) mod instrument_state;
pub(crate) mod market;
pub(crate) mod members;
pub(crate) mod order;
pub(crate) mod order_throttle;
pub(crate) mod orders;
pub(crate) mod protection;
pub(crate) mod stop_shares;
pub(crate) mod strategies;
pub(crate) mod targets;
pub(crate) mod timers;
pub(crate) mod unlisted_trades;
mod wakes;

use tradewind_events::{CandleSource, Configuration, EventKind, OnRestart, Outputs};
use tradewind_model::{
    AccountId, AssetId, AssetTable, BotId, ClientOrderIds, EventId, InstrumentId, Ppm, Timestamp,
};
use tradewind_portfolio::{Portfolio, Prices};
use tradewind_risk::{Limits, Monitors, OrderScope, Scope, TradingState, TradingStates};

use crate::context::StepContext;
use crate::strategy_source::StrategySource;
use account_streams::AccountStreams;
use accounts::Accounts;
use bots::Bots;
use breakers::Breakers;
use command_log::CommandLog;
use counters::Counters;
use market::Market;
use order::Order;
use order_throttle::OrderThrottle;
use orders::Orders;
use protection::Protection;
use strategies::Strategies;
use targets::Targets;
use timers::Timers;

/// All parts. The functions in [`step`](crate::step) call their methods in turn.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) context: StepContext,
    pub(crate) config: Configuration,
    pub(crate) market: Market,
    pub(crate) strategies: Strategies,
    pub(crate) bots: Bots,
    pub(crate) orders: Orders,
    pub(crate) protection: Protection,
    /// Orders placed by hand are throttled together.
    pub(crate) manual: OrderThrottle,
    pub(crate) portfolio: Portfolio,
    pub(crate) accounts: Accounts,
    pub(crate) streams: AccountStreams,
    pub(crate) states: TradingStates,
    pub(crate) monitors: Monitors,
    pub(crate) breakers: Breakers,
    pub(crate) ids: ClientOrderIds,
    pub(crate) commands: CommandLog,
    pub(crate) timers: Timers,
    pub(crate) targets: Targets,
    pub(crate) counters: Counters,
    /// Whether records are folded: nothing is decided then.
    pub(crate) is_recovering: bool,
}

impl Parts {
    /// Parts of an engine that has seen `seq` inputs and keeps nothing of them.
    pub(crate) fn new(source: StrategySource, seq: u64) -> Self {
        Self {
            context: StepContext::after(seq, Timestamp::default()),
            config: empty_configuration(),
            market: Market::default(),
            strategies: Strategies::new(source),
            bots: Bots::default(),
            orders: Orders::default(),
            protection: Protection::default(),
            manual: OrderThrottle::default(),
            portfolio: Portfolio::default(),
            accounts: Accounts::default(),
            streams: AccountStreams::default(),
            states: TradingStates::default(),
            monitors: Monitors::default(),
            breakers: Breakers::default(),
            ids: ClientOrderIds::new(0, 0),
            commands: CommandLog::default(),
            timers: Timers::default(),
            targets: Targets::default(),
            counters: Counters::default(),
            is_recovering: false,
        }
    }

    /// Time of the current input.
    pub(crate) const fn now(&self) -> Timestamp {
        self.context.at()
    }

    /// Announces something that follows from `cause`.
    pub(crate) fn emit(
        &mut self,
        cause: Option<EventId>,
        kind: EventKind,
        out: &mut Outputs,
    ) -> EventId {
        self.context.emit(out, cause, kind)
    }

    /// The state that rules an order of these.
    pub(crate) fn state_for(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        bot: Option<BotId>,
    ) -> TradingState {
        let venue = self.config.instrument(instrument).venue;
        self.states.for_order(OrderScope {
            venue,
            account,
            instrument,
            bot,
        })
    }

    /// What an order belongs to.
    pub(crate) fn scope_of(&self, order: &Order) -> OrderScope {
        scope_of(&self.config, order)
    }

    /// Sends a cancel of every open entry of a scope.
    pub(crate) fn cancel_entries_of(&mut self, scope: Scope, out: &mut Outputs) {
        let config = &self.config;
        let is_meant = |order: &Order| scope.covers(scope_of(config, order));
        self.orders.cancel_entries_that(is_meant, out);
    }

    /// What positions and balances are valued by.
    pub(crate) fn prices(&self) -> Prices<'_> {
        Prices {
            instruments: &self.config.instruments,
            quotes: self.market.quotes(),
        }
    }
}

/// What depends on several parts.
impl Parts {
    /// A deadline of the engine, on the clock that the desk runs on.
    pub(crate) fn deadline(&self, span: std::time::Duration) -> std::time::Duration {
        span.max(self.config.deadline_min)
    }

    /// Whether the desk's table has an id for another asset than the venue, or has not got it: nothing can be booked under it.
    pub(crate) fn is_contradicted(&self, asset: AssetId) -> bool {
        asset.index() >= self.config.assets.len() || self.streams.contradicted(asset).is_some()
    }

    /// Builds every bot's strategy. One that cannot be built is announced when its bot is to start.
    pub(crate) fn build_strategies(&mut self) {
        self.strategies.clear(self.bots.ids().len());
        for bot in self.bots.iter() {
            self.strategies.build(bot.config()).ok();
        }
    }

    /// Rebuilds the index of which data wakes which bot, and makes room for every instrument.
    pub(crate) fn index_wakes(&mut self) {
        let instruments = self.config.instruments.len();
        let strategies = &self.strategies;
        self.bots.index_wakes(
            &self.config.instruments,
            |bot| strategies.intervals(bot),
            |bot| strategies.reads(bot).clone(),
        );
        let builds = self.config.candles == CandleSource::Trades;
        let series = self.bots.candle_keys().filter(|_| builds);
        self.market.resize(instruments);
        self.market.build_series(series);
        let ids = self.config.instruments.iter().map(|one| one.id);
        self.market
            .keep_trades_of(ids.filter(|id| self.bots.is_read(*id)));
    }

    /// Drops the market view, which fresh data rebuilds. Positions with an exit plan stay watched, and numbers of series keep
    /// their age.
    pub(crate) fn drop_market(&mut self) {
        let numbers = self.market.take_numbers();
        self.market = Market::default();
        self.market.set_numbers(numbers);
        self.index_wakes();
        for bot in self.bots.ids() {
            for place in self.bots.places(bot) {
                let state = self.bots.at(place);
                let (instrument, is_monitored) = (state.instrument(), state.monitor().is_some());
                self.market.set_monitored(instrument, place, is_monitored);
            }
        }
    }
}

fn scope_of(config: &Configuration, order: &Order) -> OrderScope {
    let terms = order.terms();
    OrderScope {
        venue: config.instrument(terms.instrument).venue,
        account: terms.account,
        instrument: terms.instrument,
        bot: order.bot(),
    }
}

fn empty_configuration() -> Configuration {
    Configuration {
        assets: AssetTable::default(),
        report_asset: AssetId(0),
        venues: Vec::new(),
        accounts: Vec::new(),
        instruments: Vec::new(),
        bots: Vec::new(),
        limits: Limits::default(),
        fee: Ppm::ZERO,
        stagger: std::time::Duration::ZERO,
        stale_after: std::time::Duration::from_secs(10),
        equity_every: std::time::Duration::from_secs(10),
        candles: CandleSource::Venue,
        announce_quotes: false,
        venue_stop_distance: None,
        on_restart: OnRestart::Keep,
        deadline_min: std::time::Duration::ZERO,
        own_gaps: false,
        references: Vec::new(),
        series: None,
        build: None,
        bots_revision: 0,
        bots_text: None,
    }
}

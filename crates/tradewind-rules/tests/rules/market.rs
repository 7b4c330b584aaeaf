//! One strategy in one market, whose orders are filled at once.

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_model::{
    Amount, AssetId, Candle, CarriedOut, Decision, Depth, ExitPlan, FeedHealth, Instrument,
    InstrumentId, Interval, LastEntry, Numbers, Parameter, PositionState, Ppm, Price, Quantity,
    Quote, Stop, Timestamp,
};
use tradewind_rules::{ClauseText, RuleText, Rules, build};
use tradewind_strategy::{FeedStatus, Reads, Role, Strategy, View};

pub(crate) const BASE: Interval = Interval::Minute5;

/// Rules of this entry and this exit, without a stop.
pub(crate) fn rules(enter: &str, exit: &str) -> RuleText {
    let clause = |when: &str| ClauseText {
        tag: None,
        when: when.to_owned(),
    };
    RuleText {
        timeframe: Some(BASE),
        enter: vec![clause(enter)],
        exit: vec![clause(exit)],
        stop: Some("none".to_owned()),
        ..RuleText::default()
    }
}

pub(crate) fn instrument(name: &str) -> Instrument {
    Instrument {
        price_decimals: 2,
        quantity_decimals: 4,
        ..Instrument::spot(InstrumentId(0), name, AssetId(0), AssetId(1))
    }
}

/// One strategy in one market.
pub(crate) struct Market {
    pub(crate) strategy: Box<dyn Strategy>,
    pub(crate) instrument: Instrument,
    pub(crate) position: PositionState,
    pub(crate) exposure: Ppm,
    pub(crate) plan: ExitPlan,
    pub(crate) quote: Option<Quote>,
    pub(crate) depth: Option<Depth>,
    pub(crate) numbers: Numbers,
    pub(crate) last_entry: LastEntry,
    pub(crate) carried_out: CarriedOut,
    pub(crate) at: Timestamp,
    /// Whether targets are filled at the last price.
    pub(crate) fills: bool,
    price: Price,
    slot: usize,
}

impl Market {
    pub(crate) fn new(text: &RuleText) -> Self {
        if let Err(errors) = Rules::compile(text) {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            panic!("{}", lines.join("\n"));
        }
        Self::of("rules", &text.to_parameters())
    }

    pub(crate) fn of(name: &str, parameters: &BTreeMap<String, Parameter>) -> Self {
        Self {
            strategy: build(name, parameters, 1).unwrap(),
            instrument: instrument("x:ETH/USDT"),
            position: PositionState::default(),
            exposure: Ppm::ZERO,
            plan: ExitPlan::default(),
            quote: None,
            depth: None,
            numbers: Numbers::default(),
            last_entry: LastEntry::Standing,
            carried_out: CarriedOut::All,
            at: Timestamp::EPOCH,
            fills: true,
            price: Price(0),
            slot: 0,
        }
    }

    /// The same with a second instrument that the bot trades.
    pub(crate) fn of_two(text: &RuleText) -> Self {
        Self {
            strategy: build("rules", &text.to_parameters(), 2).unwrap(),
            ..Self::new(text)
        }
    }

    /// Closes the candle of the other instrument that ends when the last one of this did.
    pub(crate) fn close_other(&mut self, name: &str, close: f64) -> Decision {
        let (other, fills) = (instrument(name), std::mem::take(&mut self.fills));
        let own = std::mem::replace(&mut self.instrument, other);
        self.at = self.at - BASE.duration();
        self.slot = 1;
        let decision = self.close(close);
        self.slot = 0;
        (self.instrument, self.fills) = (own, fills);
        decision
    }

    fn call(&mut self, of: impl FnOnce(&mut dyn Strategy, &View<'_>) -> Decision) -> Decision {
        let view = View {
            members: None,
            at: self.at,
            instrument: &self.instrument,
            slot: self.slot,
            role: Role::Traded,
            quote: self.quote.as_ref(),
            position: self.position,
            budget: Amount::whole(1_000),
            reads: Reads::none(),
            feed: FeedStatus {
                health: FeedHealth::Live,
                since: Timestamp::EPOCH,
            },
            numbers: &self.numbers,
            standing: None,
            carried_out: self.carried_out,
            last_entry: self.last_entry,
            depth: self.depth.as_ref(),
            exposure: self.exposure,
        };
        let decision = of(self.strategy.as_mut(), &view);
        if self.fills {
            self.fill(&decision);
        }
        decision
    }

    fn fill(&mut self, decision: &Decision) {
        match decision {
            Decision::Target(target) if target.exposure == Ppm::ZERO => {
                self.exposure = Ppm::ZERO;
                self.position = PositionState::default();
                self.plan = ExitPlan::default();
            }
            Decision::Target(target) => {
                if let Some(plan) = target.exit.as_deref() {
                    self.plan = plan.clone();
                }
                self.exposure = target.exposure;
                let opened = self.position.opened_at.unwrap_or(self.at);
                self.position = PositionState {
                    quantity: Quantity(target.exposure.0),
                    entry_price: Some(self.position.entry_price.unwrap_or(self.price)),
                    opened_at: Some(opened),
                };
            }
            Decision::MoveStop { stop, .. } => self.plan.stop = Stop::At(*stop),
            Decision::Hold { .. } | Decision::Wait { .. } | Decision::Orders(_) => {}
        }
    }

    /// Closes a candle.
    pub(crate) fn candle(&mut self, candle: &Candle) -> Decision {
        self.at = self.at.max(candle.close_time());
        self.price = candle.close;
        self.call(|strategy, view| strategy.on_candle(view, candle).unwrap())
    }

    /// Closes the next candle of 5 minutes at this price in quote units, with a range of 1 each way.
    pub(crate) fn close(&mut self, close: f64) -> Decision {
        let price = |price: f64| self.instrument.price_from_f64(price).unwrap();
        let candle = Candle {
            instrument: InstrumentId(0),
            interval: BASE,
            complete: true,
            open_time: self.at,
            open: price(close),
            high: price(close + 1.0),
            low: price(close - 1.0),
            close: price(close),
            volume: Amount::whole(10),
        };
        self.candle(&candle)
    }

    /// Sends a quote, so long after the last thing.
    pub(crate) fn quote(&mut self, bid: f64, ask: f64, after: Duration) -> Decision {
        let price = |price: f64| self.instrument.price_from_f64(price).unwrap();
        self.at = self.at + after;
        let quote = Quote {
            instrument: InstrumentId(0),
            bid: price(bid),
            ask: price(ask),
            bid_quantity: Quantity(1_000),
            ask_quantity: Quantity(1_000),
            event_time: None,
            received_at: self.at,
        };
        self.price = quote.ask;
        self.quote = Some(quote);
        self.call(|strategy, view| strategy.on_quote(view, &quote).unwrap())
    }

    pub(crate) fn timer(&mut self, after: Duration) -> Decision {
        self.at = self.at + after;
        self.call(|strategy, view| strategy.on_timer(view).unwrap())
    }

    /// The value of the first part of a clause that has this text.
    pub(crate) fn shown(&self, text: &str) -> String {
        let parts = self.strategy.explain(0);
        let mut found = parts.iter().filter(|part| part.text == text);
        found
            .next()
            .map_or_else(|| format!("{parts:?}"), |part| part.value.clone())
    }
}

/// Whether it is a target of this exposure.
pub(crate) fn is_target(decision: &Decision, exposure: Ppm) -> bool {
    matches!(decision, Decision::Target(target) if target.exposure == exposure)
}

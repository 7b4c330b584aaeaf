//! Where something happens inside a candle, and what depends on the unknown order of its prices.

use tradewind_engine::Engine;
use tradewind_events::{Configuration, Event, EventKind, PositionView};
use tradewind_model::{
    Amount, BotId, Fill, Instrument, InstrumentId, OwnerId, Price, Side, Timestamp,
};

/// The levels at which the engine will close one position. The matching core is spot only, so positions are long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExitLevels {
    pub(crate) bot: BotId,
    pub(crate) instrument: InstrumentId,
    pub(crate) opened_at: Timestamp,
    /// The higher of stop and trailing stop, on a tick at or below the level.
    pub(crate) stop: Option<Price>,
    /// The take-profit or the profit by age, the lower one, on a tick at or above the level.
    pub(crate) target: Option<Price>,
}

impl ExitLevels {
    /// Those of a bot's long position.
    fn of(position: &PositionView, rules: &Instrument, engine: &Engine) -> Option<Self> {
        let (OwnerId::Bot(bot), 1..) = (position.owner, position.quantity.0) else {
            return None;
        };
        let stop = position.exit.stop.max(position.exit.trailing);
        let by_age = engine.profit_by_age(bot, position.instrument);
        let targets = [position.exit.take_profit, by_age];
        let target = targets.into_iter().flatten().min();
        Some(Self {
            bot,
            instrument: position.instrument,
            opened_at: position.opened_at,
            stop: stop.map(|level| rules.round_price(level, Side::Buy)),
            target: target.map(|level| rules.round_price(level, Side::Sell)),
        })
    }
}

/// Where something happens on the way of a price, as the engine has it after its last input.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    exits: Vec<ExitLevels>,
    /// Limits of buys that wait.
    buys: Vec<(InstrumentId, Price)>,
    /// Whether the engine may have moved a level since they were read.
    stale: bool,
    /// Whether a trailing stop is among them: each quote may move it.
    trailing: bool,
    /// Whether a profit by age is among them: it may be another one at the next open.
    aging: bool,
}

impl Levels {
    /// Takes note of an announcement: orders come and go, positions open, change and close, and exit plans are replaced.
    pub(crate) const fn note(&mut self, event: &Event) {
        self.stale |= matches!(
            event.kind,
            EventKind::OrderAccepted { .. }
                | EventKind::OrderFilled { .. }
                | EventKind::OrderCancelled { .. }
                | EventKind::OrderExpired { .. }
                | EventKind::PositionClosed { .. }
                | EventKind::SignalGenerated {
                    details: Some(_),
                    ..
                }
        );
    }

    /// The engine has handled a quote.
    pub(crate) const fn quoted(&mut self) {
        self.stale |= self.trailing;
    }

    /// A candle begins.
    pub(crate) const fn opened(&mut self) {
        self.stale |= self.aging;
    }

    /// Reads the levels from the engine again, if they may have moved.
    pub(crate) fn refresh(&mut self, engine: &Engine, configuration: &Configuration) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        let view = engine.view();
        let positions = view.positions.iter();
        self.exits = positions
            .filter_map(|position| {
                let rules = configuration.instruments.get(position.instrument.index())?;
                ExitLevels::of(position, rules, engine)
            })
            .collect();
        self.aging = positions_of_bots(&view.positions)
            .any(|(bot, instrument)| engine.has_profit_by_age(bot, instrument));
        let buys = view.orders.iter().map(|order| order.terms);
        self.buys = buys
            .filter(|terms| terms.side == Side::Buy)
            .filter_map(|terms| Some((terms.instrument, terms.kind.limit()?)))
            .collect();
        self.trailing = view
            .positions
            .iter()
            .any(|position| position.exit.trailing.is_some());
    }

    /// Where the positions in an instrument are closed.
    pub(crate) fn exits(&self, instrument: InstrumentId) -> impl Iterator<Item = &ExitLevels> {
        let exits = self.exits.iter();
        exits.filter(move |exit| exit.instrument == instrument)
    }

    /// Limits of the buys that wait in an instrument.
    pub(crate) fn buys(&self, instrument: InstrumentId) -> impl Iterator<Item = Price> {
        let buys = self.buys.iter();
        buys.filter(move |(of, _)| *of == instrument)
            .map(|(_, limit)| *limit)
    }
}

fn positions_of_bots(positions: &[PositionView]) -> impl Iterator<Item = (BotId, InstrumentId)> {
    positions
        .iter()
        .filter_map(|position| match position.owner {
            OwnerId::Bot(bot) => Some((bot, position.instrument)),
            _ => None,
        })
}

/// Candles that hold both the stop and the target of a position, so that it is unknown which of the two came first. The
/// stop is filled. The difference to a fill at the target is added up.
#[derive(Debug, Default)]
pub(crate) struct Ambiguity {
    /// How many such candles there were.
    pub(crate) candles: u64,
    /// What the targets would have brought more, fees deducted, in the quote asset.
    pub(crate) gain: Amount,
    /// Positions whose stop and target lie in a candle that is being played, with the target.
    contested: Vec<(BotId, InstrumentId, Price)>,
}

impl Ambiguity {
    /// A candle of `instrument` holds stop and target of these positions, if any.
    pub(crate) fn candle(&mut self, instrument: InstrumentId, positions: Vec<(BotId, Price)>) {
        self.contested.retain(|(_, other, _)| *other != instrument);
        self.candles += u64::from(!positions.is_empty());
        let positions = positions.into_iter();
        self.contested
            .extend(positions.map(|(bot, target)| (bot, instrument, target)));
    }

    /// Takes note of an announcement: a sale of a contested position was its stop.
    pub(crate) fn note(&mut self, event: &Event, instruments: &[Instrument]) {
        match &event.kind {
            EventKind::OrderFilled {
                fill,
                bot: Some(bot),
                ..
            } if fill.side == Side::Sell => {
                let mut contested = self.contested.iter();
                if let Some((_, instrument, target)) =
                    contested.find(|(of, on, _)| (of, on) == (bot, &fill.instrument))
                {
                    let missed = missed(&instruments[instrument.index()], fill, *target);
                    self.gain += missed.unwrap_or_default();
                }
            }
            EventKind::PositionClosed {
                bot: Some(bot),
                instrument,
                ..
            } => self
                .contested
                .retain(|(of, on, _)| (of, on) != (bot, instrument)),
            _ => {}
        }
    }
}

/// What the same quantity at `target` would have brought more than this sale; `None` if the numbers do not fit.
fn missed(instrument: &Instrument, fill: &Fill, target: Price) -> Option<Amount> {
    let better = instrument.notional(target, fill.quantity)?;
    let got = instrument.notional(fill.price, fill.quantity)?;
    let fee = if fill.fee.asset == instrument.quote {
        let at_target = fill
            .fee
            .amount
            .mul_div(target.0.into(), fill.price.0.into())?;
        at_target - fill.fee.amount
    } else {
        Amount::ZERO
    };
    Some(better - got - fee)
}

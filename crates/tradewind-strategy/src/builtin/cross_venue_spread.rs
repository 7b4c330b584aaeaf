//! Cross-venue spread: buys what is cheaper on the account's venue than on a venue that the bot reads, and sells when the prices
//! have met.
//!
//! The instrument that is read is the first in the bot's `reads` with the same base and quote asset. It is evaluated on quotes of both. The
//! comparison is with prices that can be had: the own ask for an entry, the own bid for an exit, both against the middle of what is read. When either
//! quote is too old, or what is read is not live, nothing is decided: a position is left to the bot's exit plan then. It sells nothing short.
//!
//! Both venues quote many times a second, so each divergence is one signal, whatever becomes of it: an entry is requested when the ask falls as far
//! below as it must, and again only after it was near the middle. An exit is requested once, and again when the bid comes near the middle again.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{
    Candle, Decimal, Decision, Instrument, Parameter, Ppm, Price, Quote, Reason,
};

use super::position_phase::{PositionPhase, RuleOutput};
use super::prices::{mid_twice, unit};
use super::{hold, saved};
use crate::catalogue::{BuildError, StrategyInfo, WakesOn};
use crate::parameter_info::{NumberParameter, WholeParameter};
use crate::parameters::Parameters;
use crate::per_instrument::PerInstrument;
use crate::reads::{Pairing, ReadUse, Reading};
use crate::strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

pub(crate) const INFO: StrategyInfo = StrategyInfo {
    name: "cross_venue_spread",
    version: 1,
    description: "Long when the ask lies below the middle of the same product on a venue that the bot reads, flat when the bid has come near it.",
    wakes_on: WakesOn::Quotes,
    parameters: &[ENTRY.info(), EXIT.info(), MAX_AGE.info()],
    for_tests: false,
    build,
};

const ENTRY: NumberParameter = NumberParameter {
    name: "entry_bps",
    default: Decimal::whole(30),
    min: Decimal::new(1, 1),
    max: Decimal::whole(1_000),
    description: "how far the ask lies below the middle that is read for an entry, in basis points of that middle: 100 are 1 %",
};

const EXIT: NumberParameter = NumberParameter {
    name: "exit_bps",
    default: Decimal::whole(5),
    min: Decimal::whole(-1_000),
    max: Decimal::whole(1_000),
    description: "how far the bid lies below the middle that is read for an exit, in basis points of that middle; below 0 it lies above",
};

const MAX_AGE: WholeParameter = WholeParameter {
    name: "max_age_ms",
    default: 2_000,
    min: 1,
    max: 600_000,
    description: "age up to which the two quotes are compared, in milliseconds since each was received",
};

fn build(
    given: &BTreeMap<String, Parameter>,
    instruments: usize,
) -> Result<Box<dyn Strategy>, BuildError> {
    let mut parameters = Parameters::new(given, INFO.parameters);
    let settings = Settings {
        entry: parameters.number(&ENTRY),
        exit: parameters.number(&EXIT),
        max_age_ms: parameters.whole(&MAX_AGE),
    };
    if settings.exit >= settings.entry {
        let problem = format!(
            "{} is not below entry_bps = {}",
            settings.exit, settings.entry
        );
        parameters.refuse(
            EXIT.name,
            problem,
            "exit nearer to the price that is read than you enter",
        );
    }
    parameters.finish().map_err(BuildError::Parameters)?;
    let slots = PerInstrument::new(Spread::default(), instruments);
    Ok(Box::new(CrossVenueSpread { settings, slots }))
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    /// In basis points, as is the exit.
    entry: f64,
    exit: f64,
    max_age_ms: u32,
}

#[derive(Debug)]
struct CrossVenueSpread {
    settings: Settings,
    slots: PerInstrument<Spread>,
}

/// One instrument: its position, and which sides of the thresholds its prices were on.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Spread {
    phase: PositionPhase,
    /// The ask fell far enough below, and has not been near the middle since.
    is_cheap: bool,
    /// The bid is near the middle.
    is_near: bool,
}

impl CrossVenueSpread {
    fn decide(&mut self, view: &View<'_>) -> Decision {
        let max_age = Duration::from_millis(self.settings.max_age_ms.into());
        let is_old = |quote: &Quote| view.at.since(quote.received_at) > max_age;
        let Some(quote) = view.quote.filter(|quote| quote.is_sound()) else {
            return hold(Reason::plain("no quote to trade at"));
        };
        if is_old(quote) {
            return hold(Reason::plain("its own quote is too old"));
        }
        let Some(read) = view.reads.paired(view.instrument) else {
            return hold(Reason::plain("reads no instrument of the same assets"));
        };
        let Some(other) = read.live_quote() else {
            return hold(Reason::plain("what it reads is not live"));
        };
        if is_old(other) {
            return hold(Reason::plain("the quote that it reads is too old"));
        }
        let (own, other) = ((quote, view.instrument), (other, read.instrument));
        self.slots
            .at(view.slot)
            .decide(view, self.settings, own, other)
    }
}

impl Strategy for CrossVenueSpread {
    fn timeframes(&self) -> Vec<WarmUp> {
        Vec::new()
    }

    fn reads(&self) -> ReadUse {
        ReadUse {
            quotes: true,
            candles: Vec::new(),
            pairing: Pairing::SameAssets,
        }
    }

    fn on_quote(&mut self, view: &View<'_>, _: &Quote) -> Result<Decision, StrategyError> {
        Ok(self.decide(view))
    }

    fn on_read(
        &mut self,
        view: &View<'_>,
        _: &Reading<'_>,
        _: Option<&Candle>,
    ) -> Result<Decision, StrategyError> {
        Ok(self.decide(view))
    }

    fn save(&self) -> Vec<u8> {
        saved::save(&INFO, &self.settings, &self.slots)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), RestoreError> {
        self.slots = saved::restore(&INFO, &self.settings, state)?;
        Ok(())
    }
}

/// How far a price lies below the middle of a quote that is read, in basis points of that middle. Venues count in different
/// decimals; the difference is exact.
#[expect(
    clippy::cast_precision_loss,
    reason = "both are whole numbers, and the quotient is what is compared"
)]
fn below(price: Price, own: &Instrument, other: &Quote, read: &Instrument) -> f64 {
    let scale = |decimals: u8| 10_i128.pow(decimals.into());
    let middle = i128::from(other.mid_twice()).saturating_mul(scale(own.price_decimals));
    let price = (2 * i128::from(price.0)).saturating_mul(scale(read.price_decimals));
    (middle.saturating_sub(price)).saturating_mul(10_000) as f64 / middle as f64
}

impl Spread {
    fn decide(
        &mut self,
        view: &View<'_>,
        settings: Settings,
        (quote, own): (&Quote, &Instrument),
        (other, read): (&Quote, &Instrument),
    ) -> Decision {
        let (cheap, left) = (
            below(quote.ask, own, other, read),
            below(quote.bid, own, other, read),
        );
        let middle = mid_twice(other) / 2.0 * unit(read);
        let entry = [cheap, settings.entry, middle];
        let exit = [left, settings.exit, middle];
        let (was_cheap, was_near) = (self.is_cheap, self.is_near);
        self.is_near = left <= settings.exit;
        self.is_cheap = cheap >= settings.entry || was_cheap && cheap > settings.exit;
        let exposure = if self.is_cheap && !was_cheap {
            let reason = "ask {} bps below what is read, at least {}, of {}";
            Some((Ppm::ONE, Reason::Numbers(reason, entry)))
        } else if self.is_near && !(was_near && self.phase.is_leaving()) {
            let reason = "bid {} bps below what is read, at most {}, of {}";
            Some((Ppm::ZERO, Reason::Numbers(reason, exit)))
        } else {
            None
        };
        let outside = if self.is_cheap {
            let reason = "ask {} bps below what is read, enters again after at most {}, of {}";
            Reason::Numbers(reason, [cheap, settings.exit, middle])
        } else {
            Reason::Numbers("ask {} bps below what is read, needs {}", entry)
        };
        let output = RuleOutput {
            exposure,
            outside,
            inside: Reason::Numbers("bid {} bps below what is read, exits at {}", exit),
        };
        self.phase.decide(view, output)
    }
}

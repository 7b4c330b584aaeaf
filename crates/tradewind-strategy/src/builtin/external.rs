//! The strategy of an outside process: the bot follows the newest target that its source has sent.
//!
//! An entry needs a source that is connected, and a target that has not expired and was read, or repeated, since the source came,
//! since its last gap and since the desk's start. Leaving needs neither. A position that its exit plan or a person has closed is not opened again until the exposure changes.
//! What was denied is requested again after five seconds.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{
    CarriedOut, Decision, LastEntry, OnExpiry, Parameter, Ppm, Quote, Reason, StandingTarget,
    Timestamp,
};

use super::{hold, saved, target};
use crate::catalogue::{BuildError, StrategyInfo, WakesOn};
use crate::parameters::Parameters;
use crate::per_instrument::PerInstrument;
use crate::strategy::{RestoreError, Standing, Strategy, StrategyError, View, WarmUp};

pub(crate) const INFO: StrategyInfo = StrategyInfo {
    name: "external",
    version: 1,
    description: "Follows the targets that an outside process sends through a house source.",
    wakes_on: WakesOn::Quotes,
    parameters: &[],
    for_tests: false,
    build,
};

/// Wait before what was denied is requested again.
const RETRY: Duration = Duration::from_secs(5);

fn build(
    given: &BTreeMap<String, Parameter>,
    instruments: usize,
) -> Result<Box<dyn Strategy>, BuildError> {
    let parameters = Parameters::new(given, INFO.parameters);
    parameters.finish().map_err(BuildError::Parameters)?;
    let slots = PerInstrument::new(Slot::default(), instruments);
    Ok(Box::new(External { slots }))
}

/// What was requested last.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Slot {
    requested: Option<Ppm>,
    at: Timestamp,
}

#[derive(Debug)]
struct External {
    slots: PerInstrument<Slot>,
}

impl External {
    fn decide(&mut self, view: &View<'_>) -> Decision {
        let Some(standing) = view.standing else {
            return hold(Reason::plain("no outside process steers the bot"));
        };
        let slot = self.slots.at(view.slot);
        let (exposure, reason) = match slot.wanted(view, &standing) {
            Ok(wanted) => wanted,
            Err(reason) => return hold(reason),
        };
        slot.requested = Some(exposure);
        slot.at = view.at;
        target(exposure, reason)
    }
}

impl Slot {
    /// The exposure to request now, or why none is.
    fn wanted(self, view: &View<'_>, standing: &Standing<'_>) -> Result<(Ppm, Reason), Reason> {
        let held = held(view);
        let counting = standing.target.filter(|target| !target.is_expired(view.at));
        let Some(newest) = counting else {
            return self.without_target(view, standing);
        };
        let age = seconds(view.at.since(newest.event_time));
        let left = seconds(newest.expires.since(view.at));
        let about = |words| Reason::Numbers(words, [percent(newest.exposure), age, left]);
        if newest.exposure == Ppm::ZERO {
            return self.leaving(view, about("target {} % of {} s ago, {} s left"));
        }
        let wanted = newest.exposure;
        if newest.is_closed && held == 0 {
            let words = "closed by its exit plan or by hand, waiting for another exposure";
            return Err(Reason::plain(words));
        }
        if self.requested == Some(wanted) {
            let is_denied = view.last_entry == LastEntry::Denied;
            if !is_denied || view.at.since(self.at) < RETRY {
                return Err(about("follows the target {} % of {} s ago, {} s left"));
            }
        }
        let is_held = held == wanted.0.signum();
        let before = standing.exposure;
        if is_held && before.0.signum() == held && wanted.0.abs() < before.0.abs() {
            return Ok((wanted, about("target {} % of {} s ago, {} s left")));
        }
        match no_entry(view, standing, newest) {
            None => Ok((wanted, about("target {} % of {} s ago, {} s left"))),
            Some(why) if held == 0 || is_held => Err(why),
            Some(_) => self.leaving(view, about("turns to the target {} % of {} s ago")),
        }
    }

    /// What follows from a target that expired, and from a position without a target: another source had sent it.
    fn without_target(
        self,
        view: &View<'_>,
        standing: &Standing<'_>,
    ) -> Result<(Ppm, Reason), Reason> {
        let held = held(view);
        let words = match (standing.target, standing.on_expiry) {
            (None, _) if held == 0 => return Err(Reason::plain("no target was sent yet")),
            (None, OnExpiry::Hold) => "no target was sent yet, the position is kept",
            (None, OnExpiry::Flat) => "its source has sent no target for the position",
            (Some(_), OnExpiry::Hold) if held != 0 => "its target expired, the position is kept",
            (Some(_), _) => "its target expired",
        };
        let reason = Reason::plain(words);
        if standing.on_expiry == OnExpiry::Hold && held != 0 {
            return Err(reason);
        }
        self.leaving(view, reason)
    }

    /// To be flat. It is requested once, and again while something is held.
    fn leaving(self, view: &View<'_>, reason: Reason) -> Result<(Ppm, Reason), Reason> {
        let is_requested = self.requested == Some(Ppm::ZERO);
        if is_requested && (held(view) == 0 || view.at.since(self.at) < RETRY) {
            return Err(reason);
        }
        Ok((Ppm::ZERO, reason))
    }
}

/// Why no position is opened or enlarged now.
fn no_entry(view: &View<'_>, standing: &Standing<'_>, target: &StandingTarget) -> Option<Reason> {
    let words = if !standing.is_source_live {
        "no entry: the source of its targets is not connected"
    } else if target.is_doubtful {
        "no entry: a newer target may have been missed, waiting for the next"
    } else if view.carried_out != CarriedOut::All {
        "no entry: the bot is paused"
    } else if !view.quote.is_some_and(Quote::is_sound) {
        "no entry: no usable quote"
    } else {
        return None;
    };
    Some(Reason::plain(words))
}

/// The sign of the position; less than the minimum order is dust.
fn held(view: &View<'_>) -> i64 {
    let quantity = view.position.quantity;
    if quantity.abs() < view.instrument.quantity_min {
        return 0;
    }
    quantity.0.signum()
}

/// Whole seconds, for reasons.
fn seconds(span: Duration) -> f64 {
    span.as_secs_f64().floor()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "it is shown to people; an exposure has seven digits"
)]
fn percent(exposure: Ppm) -> f64 {
    exposure.0 as f64 / 10_000.0
}

impl Strategy for External {
    fn timeframes(&self) -> Vec<WarmUp> {
        Vec::new()
    }

    fn on_quote(&mut self, view: &View<'_>, _: &Quote) -> Result<Decision, StrategyError> {
        Ok(self.decide(view))
    }

    fn on_target(&mut self, view: &View<'_>) -> Result<Decision, StrategyError> {
        Ok(self.decide(view))
    }

    fn save(&self) -> Vec<u8> {
        saved::save(&INFO, &(), &self.slots)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), RestoreError> {
        self.slots = saved::restore(&INFO, &(), state)?;
        Ok(())
    }
}

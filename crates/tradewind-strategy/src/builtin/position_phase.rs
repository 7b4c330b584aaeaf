//! The phase of a strategy's position in one instrument: what it requested, and what was filled.
//!
//! A rule has an output at each evaluation, but a signal is sent once. The phase compares the output with the position and
//! with the last request, so that a bot neither repeats a signal at each candle nor buys back at once what its stop has
//! just sold.
//!
//! ```text
//!            enter                 filled
//!   Out ──────────────► Entering ─────────────► In
//!    ▲ ▲ ◄──── denied ─────┤ leave               │ │ closed by a stop or by hand
//!    │ └───── flat ──── Leaving ◄──── leave ─────┘ ▼
//!    └─────────────────── leave ─────── ClosedExternally
//! ```
//!
//! A denied entry is requested again at the next evaluation whose rule still wants it: the next close, the next turn of the bot's
//! timer, or the next crossing of a rule that looks at quotes. So a desk that takes no entries denies one per close, not one per quote.

use serde::{Deserialize, Serialize};
use tradewind_model::{CarriedOut, Decision, LastEntry, Ppm, Reason};

use super::{hold, target};
use crate::strategy::View;

/// The requested exposure and the phase. All built-in strategies are long or flat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PositionPhase {
    phase: Phase,
    /// The last requested exposure.
    #[serde(rename = "asked")]
    requested: Ppm,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// No position and no request.
    #[default]
    Out,
    /// An entry was requested; nothing is filled yet.
    #[serde(rename = "Asked")]
    Entering,
    /// A position is open.
    In,
    /// A stop or a person closed the position. No new entry until the rule's own exit.
    #[serde(rename = "Spent")]
    ClosedExternally,
    /// An exit was requested; the position is still open.
    Leaving,
}

/// The output of a rule at one evaluation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RuleOutput {
    /// The target exposure and its reason; `None` if the rule has no preference.
    pub exposure: Option<(Ppm, Reason)>,
    /// The reason to hold while there is no position.
    pub outside: Reason,
    /// The reason to hold while there is a position.
    pub inside: Reason,
}

impl PositionPhase {
    /// Turns the output of a rule into a decision. What is not carried out does not change the phase.
    pub(super) fn decide(&mut self, view: &View<'_>, output: RuleOutput) -> Decision {
        self.observe(view);
        if let Some((exposure, reason)) = output.exposure {
            let transition = self.transition(exposure);
            if transition.is_carried_out(view.carried_out) {
                self.apply(transition);
            }
            if transition.is_requested() {
                return target(exposure, reason);
            }
        }
        hold(match self.phase {
            Phase::Out => output.outside,
            Phase::Entering => Reason::plain("entry requested, waiting for a fill"),
            Phase::In => output.inside,
            Phase::ClosedExternally => {
                Reason::plain("closed by its stop or by hand, waiting for its own exit signal")
            }
            Phase::Leaving => Reason::plain("exit requested, waiting for a fill"),
        })
    }

    /// Whether an exit was requested and the position was still open.
    pub(super) const fn is_leaving(&self) -> bool {
        matches!(self.phase, Phase::Leaving)
    }

    /// Updates the phase from the position.
    fn observe(&mut self, view: &View<'_>) {
        let held = is_long(view);
        // Only where nothing is held: more of a position that a stop may be selling is not requested twice.
        if view.last_entry == LastEntry::Denied && self.phase == Phase::Entering && !held {
            *self = Self::default();
        }
        self.phase = match (self.phase, held) {
            (Phase::Out, true) => {
                self.requested = Ppm::ONE;
                Phase::In
            }
            (Phase::Entering | Phase::ClosedExternally, true) => Phase::In,
            (Phase::In, false) => Phase::ClosedExternally,
            (Phase::Leaving, false) => Phase::Out,
            (unchanged, _) => unchanged,
        };
    }

    /// The transition for a target of `exposure`.
    fn transition(&self, exposure: Ppm) -> Transition {
        let leaves = exposure <= Ppm::ZERO;
        match self.phase {
            Phase::Out if leaves => Transition::Keep,
            Phase::ClosedExternally if leaves => Transition::Rearm,
            Phase::ClosedExternally => Transition::Keep,
            Phase::Entering | Phase::In | Phase::Leaving if leaves => Transition::Leave,
            Phase::Entering | Phase::In if self.requested == exposure => Transition::Keep,
            Phase::In => Transition::Change(exposure, Phase::In),
            Phase::Out | Phase::Entering | Phase::Leaving => {
                Transition::Change(exposure, Phase::Entering)
            }
        }
    }

    fn apply(&mut self, transition: Transition) {
        let (phase, requested) = match transition {
            Transition::Keep => return,
            Transition::Rearm => (Phase::Out, Ppm::ZERO),
            Transition::Leave => (Phase::Leaving, Ppm::ZERO),
            Transition::Change(exposure, phase) => (phase, exposure),
        };
        *self = Self { phase, requested };
    }
}

/// How a target exposure changes the phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transition {
    /// No change.
    Keep,
    /// No signal, but a new entry is possible again.
    Rearm,
    /// Request an exit; repeated while a position is open, because an exit must not be lost.
    Leave,
    /// Request an exposure.
    Change(Ppm, Phase),
}

impl Transition {
    const fn is_carried_out(self, carried_out: CarriedOut) -> bool {
        match carried_out {
            CarriedOut::All => true,
            CarriedOut::Exits => matches!(self, Self::Leave | Self::Rearm),
            CarriedOut::Nothing => false,
        }
    }

    const fn is_requested(self) -> bool {
        matches!(self, Self::Leave | Self::Change(..))
    }
}

/// Whether there is a long position that can be sold; less than the minimum order is dust.
fn is_long(view: &View<'_>) -> bool {
    let quantity = view.position.quantity;
    quantity.0 > 0 && quantity >= view.instrument.quantity_min
}

/// Minutes since the position was opened, for reasons; 0 when flat.
#[expect(
    clippy::cast_precision_loss,
    reason = "it is shown to people, who need no nanoseconds"
)]
pub(super) fn minutes_held(view: &View<'_>) -> f64 {
    let opened = view.position.opened_at;
    opened.map_or(0.0, |opened| (view.at.since(opened).as_secs() / 60) as f64)
}

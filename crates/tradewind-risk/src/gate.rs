//! The one place where an order becomes sendable.
//!
//! [`check`] runs the list of checks in order and stops at the first that denies. Each check is a file of its own in
//! `checks/`; adding a rule is adding a file and a line here.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{
    Amount, BotId, ClientOrderId, Depth, Instrument, OrderTerms, Ppm, Price, Quantity, Quote,
    Timestamp,
};

use crate::approved_order::{ApprovedOrder, Seal};
use crate::checks;
use crate::deny::DenyReason;
use crate::limits::Limits;
use crate::rates::TokenBucket;
use crate::recent::RecentOrders;
use crate::state::TradingState;

/// Whether an order adds risk or only takes it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PositionEffect {
    /// Opens or enlarges a position.
    Entry,
    /// Only reduces a position the desk owns.
    Exit,
    /// A stop that waits at the venue for the case that the desk cannot exit. It only reduces a position.
    Protect,
}

impl PositionEffect {
    /// Whether the order can only reduce a position.
    #[must_use]
    pub const fn reduces(self) -> bool {
        matches!(self, Self::Exit | Self::Protect)
    }
}

/// An order to be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The order.
    pub terms: OrderTerms,
    /// The bot that requests it; `None` for a person.
    pub bot: Option<BotId>,
    /// Entry, exit or protective stop.
    pub purpose: PositionEffect,
    /// Whether a quote decided it; candles and timers give an entry more time (R04).
    pub decided_on_quote: bool,
    /// The price that a candle or a timer decided it at; a market price further away than R04 allows denies it.
    pub reference: Option<Price>,
    /// Where the loss of the position it opens is taken, if its plan says so.
    pub stop: Option<Price>,
    /// Whether it is the next slice or the re-placement of an order that ended: it is no duplicate of that one (R18).
    pub continues: bool,
}

/// What the checks may know. All of it is the engine's, as of now.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Now, by the engine's clock.
    pub now: Timestamp,
    /// The limits of the desk.
    pub limits: &'a Limits,
    /// The strictest state that covers the order.
    pub state: TradingState,
    /// The instrument, with its current filters.
    pub instrument: &'a Instrument,
    /// Whether the instrument is on the bot's list; true for a person.
    pub allowed: bool,
    /// The latest quote, if it is sound and its feed live.
    pub quote: Option<&'a Quote>,
    /// The top of the book, if the feed has one and is live.
    pub depth: Option<&'a Depth>,
    /// The second source of its price, where one is configured.
    pub second_source: Option<SecondSource<'a>>,
    /// Worth of one whole unit of the quote asset in the report currency, if known.
    pub quote_rate: Option<Amount>,
    /// Equity of the account in the report currency.
    pub equity: Amount,
    /// The worst fee the venue would take, as a share of the value.
    pub fee: Ppm,
    /// The owner's balance in the asset this order spends, less what its open orders have reserved.
    pub free: Amount,
    /// The owner's position in the instrument; for a protective stop, the positions it covers together.
    pub position: Quantity,
    /// The owner's working quantity on the order's side. It contains no protective stops, unless the order is one.
    pub working: Quantity,
    /// The account: its venue and the orders and positions of all its owners.
    pub account: AccountFacts,
    /// The owner's order rate, as left by its last order.
    pub rate: &'a TokenBucket,
    /// The owner's last orders.
    pub recent: &'a RecentOrders,
    /// Entries of the owner on the order's side within the window of R19.
    pub same_side_entries: u32,
}

/// Another instrument whose price an entry's is compared with.
#[derive(Clone, Copy, Debug)]
pub struct SecondSource<'a> {
    /// The other instrument.
    pub instrument: &'a Instrument,
    /// Its latest quote, if it is sound and its feed live.
    pub quote: Option<&'a Quote>,
    /// How far the mids may be apart, as a share of the other's.
    pub within: Ppm,
}

/// What is known of an order's account and of its venue.
#[derive(Clone, Copy, Debug)]
pub struct AccountFacts {
    /// Whether it was read from its venue since the start.
    pub reconciled: bool,
    /// UNKNOWN orders of the owner in the instrument.
    pub unknown_here: u32,
    /// UNKNOWN orders of the account.
    pub unknown: u32,
    /// Entries open in the instrument, over all owners.
    pub open_entries_instrument: u32,
    /// Entries open on the account.
    pub open_entries: u32,
    /// Instruments the account trades.
    pub instruments: u32,
    /// Value of all positions and open entries in the report currency; `None` if one of them has no price.
    pub exposure: Option<Amount>,
    /// The same of the owner alone.
    pub owner_exposure: Option<Amount>,
    /// A resting order of the account, of any owner, that this order could trade with.
    pub crossing: Option<ClientOrderId>,
    /// How far the offset of the venue's clock may be wrong; `None` where there is no venue clock to compare with.
    pub clock_uncertainty: Option<Duration>,
    /// Whether the account's stream is proved live, or there is none.
    pub stream_proved: bool,
    /// Whether a circuit breaker over the order waits for the outcome of its probe.
    pub probe_open: bool,
}

/// A reconciled account of one instrument without positions and orders.
impl Default for AccountFacts {
    fn default() -> Self {
        Self {
            reconciled: true,
            unknown_here: 0,
            unknown: 0,
            open_entries_instrument: 0,
            open_entries: 0,
            instruments: 1,
            exposure: Some(Amount::ZERO),
            owner_exposure: Some(Amount::ZERO),
            crossing: None,
            clock_uncertainty: None,
            stream_proved: true,
            probe_open: false,
        }
    }
}

/// A check: returns the reason for a denial.
type Check = fn(&Candidate, &Context<'_>) -> Result<(), DenyReason>;

/// Which orders a check may deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AppliesTo {
    /// Entries alone.
    Entry,
    /// Entries and exits.
    Decisions,
    /// Exits and protective stops.
    Reducing,
    /// Every order.
    All,
}

impl AppliesTo {
    const fn covers(self, effect: PositionEffect) -> bool {
        match self {
            Self::Entry => matches!(effect, PositionEffect::Entry),
            Self::Decisions => !matches!(effect, PositionEffect::Protect),
            Self::Reducing => effect.reduces(),
            Self::All => true,
        }
    }
}

/// The list, cheapest and most final first. The time to live of R04 is sealed into an entry by [`check`]. R17, R22, R23
/// and R25 are not per order: see `monitors/`.
static CHECKS: [(AppliesTo, Check); 23] = [
    (AppliesTo::All, checks::r01_trading_state::check),
    (AppliesTo::All, checks::r02_start_gate::check),
    (AppliesTo::Entry, checks::limits_present),
    (AppliesTo::All, checks::r05_instrument::check),
    (AppliesTo::Entry, checks::r24_clock_and_stream::check),
    (AppliesTo::Entry, checks::r03_unknown_orders::check),
    (AppliesTo::All, checks::r06_steps::check),
    (AppliesTo::All, checks::r07_size::check),
    (AppliesTo::Entry, checks::r07_exit_value::check),
    (AppliesTo::Decisions, checks::r18_duplicate::check),
    (AppliesTo::Reducing, checks::r21_exit_size::check),
    (AppliesTo::Entry, checks::r11_reference::check),
    (AppliesTo::Entry, checks::r04_time_to_live::check),
    (AppliesTo::Entry, checks::r10_collar::check),
    (AppliesTo::Entry, checks::r09_liquidity::check),
    (AppliesTo::Entry, checks::r08_order_value::check),
    (AppliesTo::Entry, checks::r12_balance::check),
    (AppliesTo::Entry, checks::r13_position::check),
    (AppliesTo::Entry, checks::r14_exposure::check),
    (AppliesTo::Entry, checks::r15_open_entries::check),
    (AppliesTo::Entry, checks::r16_order_rate::check),
    (AppliesTo::Entry, checks::r19_repeated_entries::check),
    (AppliesTo::Entry, checks::r20_self_match::check),
];

/// Approves the order if every check passes.
///
/// # Errors
/// The first reason against it. A denial is an answer, not a fault.
pub fn check(candidate: &Candidate, context: &Context<'_>) -> Result<ApprovedOrder, DenyReason> {
    for (applies_to, check) in &CHECKS {
        if applies_to.covers(candidate.purpose) {
            check(candidate, context)?;
        }
    }
    let expires_at = match candidate.purpose {
        PositionEffect::Exit | PositionEffect::Protect => None,
        PositionEffect::Entry => {
            Some(context.now + checks::r04_time_to_live::of(candidate, context.limits)?)
        }
    };
    let seal = Seal {
        decided_at: context.now,
        expires_at,
        exit: candidate.purpose.reduces(),
        flattening: context.state == TradingState::Flattening,
    };
    Ok(ApprovedOrder::new(candidate.terms, seal))
}

impl Context<'_> {
    /// The price for the order's value: its limit, else the price it would trade at.
    pub(crate) fn value_price(&self, terms: &OrderTerms) -> Option<Price> {
        terms
            .kind
            .limit()
            .or_else(|| self.quote.map(|quote| quote.opposite_side(terms.side)))
    }

    /// Worth of `quantity` of the instrument at the order's price, in the report currency.
    pub(crate) fn value(
        &self,
        terms: &OrderTerms,
        quantity: Quantity,
    ) -> Result<Amount, DenyReason> {
        let price = self.value_price(terms).ok_or(DenyReason::NoReference)?;
        let notional = self
            .instrument
            .notional(price, quantity)
            .ok_or(DenyReason::Unpriced)?;
        match self.quote_rate {
            Some(Amount::ONE) => Ok(notional),
            Some(rate) => notional
                .mul_div(rate.0, Amount::ONE.0)
                .ok_or(DenyReason::Unpriced),
            None => Err(DenyReason::Unpriced),
        }
    }
}

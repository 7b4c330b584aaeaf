//! The one place where an order becomes sendable.
//!
//! [`check`] runs the list of checks in order and stops at the first that denies. Each check is a file of its own in
//! `checks/`; adding a rule is adding a file and a line here.

use serde::{Deserialize, Serialize};
use tradewind_model::{Amount, BotId, Instrument, OrderTerms, Ppm, Quantity, Quote, Timestamp};

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
    /// Entries open in the instrument, over all owners.
    pub open_entries_instrument: u32,
    /// Entries open on the account.
    pub open_entries_account: u32,
    /// Instruments the account trades.
    pub account_instruments: u32,
    /// The owner's order rate, as left by its last order.
    pub rate: &'a TokenBucket,
    /// The owner's last orders.
    pub recent: &'a RecentOrders,
}

/// A check: returns the reason for a denial.
type Check = fn(&Candidate, &Context<'_>) -> Result<(), DenyReason>;

/// The list, cheapest and most final first.
const CHECKS: [Check; 10] = [
    checks::r01_trading_state::check,
    checks::r05_instrument::check,
    checks::r06_r07_filters::check,
    checks::r18_duplicate::check,
    checks::r21_exit_size::check,
    checks::r10_collar::check,
    checks::r08_order_value::check,
    checks::r12_balance::check,
    checks::r13_position::check,
    checks::r15_r16_pace::check,
];

/// Approves the order if every check passes.
///
/// # Errors
/// The first reason against it. A denial is an answer, not a fault.
pub fn check(candidate: &Candidate, context: &Context<'_>) -> Result<ApprovedOrder, DenyReason> {
    for check in CHECKS {
        check(candidate, context)?;
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
    pub(crate) fn value_price(&self, terms: &OrderTerms) -> Option<tradewind_model::Price> {
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

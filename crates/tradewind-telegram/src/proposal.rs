//! An order as it was written becomes one with a quantity, and with its value, which is read back before it is placed.
//!
//! This is for the person, not for safety: whatever comes of it passes the same risk gate as a bot's order.

use tradewind_events::{Action, Configuration, DeskView};
use tradewind_model::{
    AccountId, Amount, Instrument, InstrumentId, OrderKind, OwnerId, Price, Quantity, Quote, Side,
};

use crate::names;
use crate::request::OrderRequest;

/// An order that could be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proposal {
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) quantity: Quantity,
    /// The price it would take now.
    pub(crate) price: Price,
    /// What it is worth at that price, in the quote asset.
    pub(crate) notional: Amount,
    /// Whether it only reduces the position opened by hand.
    pub(crate) shrinks: bool,
}

impl Proposal {
    /// The order at market.
    pub(crate) const fn action(&self) -> Action {
        Action::PlaceOrder {
            account: self.account,
            instrument: self.instrument,
            side: self.side,
            quantity: self.quantity,
            kind: OrderKind::Market,
        }
    }
}

/// Resolves names and sizes, or returns the problem.
pub(crate) fn propose(
    configuration: &Configuration,
    view: &DeskView,
    request: &OrderRequest,
) -> Result<Proposal, String> {
    let instrument = names::find_instrument(configuration, &request.instrument)?;
    let account = names::find_account(configuration, instrument, request.account.as_deref())?;
    let quote = quote_of(view, instrument)?;
    let price = quote.opposite_side(request.side);
    let quantity = quantity(configuration, instrument, request, price)?;
    let notional = instrument
        .notional(price, quantity)
        .ok_or("that is too large a number")?;
    Ok(Proposal {
        account: account.id,
        instrument: instrument.id,
        side: request.side,
        quantity,
        price,
        notional,
        shrinks: shrinks(
            view,
            account.id,
            instrument.id,
            request.side.signed(quantity),
        ),
    })
}

fn quote_of(view: &DeskView, instrument: &Instrument) -> Result<Quote, String> {
    let mut feeds = view.feeds.iter();
    let quote = feeds
        .find(|feed| feed.instrument == instrument.id)
        .and_then(|feed| feed.quote)
        .filter(Quote::is_sound);
    quote.ok_or_else(|| format!("there is no quote for {} to measure it by", instrument.name))
}

fn quantity(
    configuration: &Configuration,
    instrument: &Instrument,
    request: &OrderRequest,
    price: Price,
) -> Result<Quantity, String> {
    let base = names::asset(configuration, instrument.base);
    let quote = names::asset(configuration, instrument.quote);
    let unit = request.unit.as_deref().unwrap_or(base);
    let quantity = if unit.eq_ignore_ascii_case(base) {
        let read = instrument.parse_quantity(&request.number);
        read.map_err(|error| format!("{}: {error}", request.number))?
    } else if unit.eq_ignore_ascii_case(quote) {
        let value: Amount = request
            .number
            .parse()
            .map_err(|error| format!("{}: {error}", request.number))?;
        instrument.quantity_for(value, price)
    } else {
        return Err(format!(
            "amounts of {} are in {base} or {quote}",
            instrument.name
        ));
    };
    if quantity.0 <= 0 {
        let least = instrument.quantity_text(instrument.quantity_min);
        return Err(format!("that is nothing: the least is {least} {base}"));
    }
    Ok(quantity)
}

fn shrinks(
    view: &DeskView,
    account: AccountId,
    instrument: InstrumentId,
    change: Quantity,
) -> bool {
    let held = view.positions.iter().find(|position| {
        position.account == account
            && position.instrument == instrument
            && position.owner == OwnerId::Unallocated
    });
    held.is_some_and(|held| {
        held.quantity.0.signum() == -change.0.signum() && change.abs() <= held.quantity.abs()
    })
}

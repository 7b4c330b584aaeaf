//! What one fill does: money and asset change hands, the order moves on, the account is told.
//!
//! A maker pays from what its order locked; a taker from what is free. For every fill of an order there is another side:
//! another order, or the market model.

use tradewind_model::{
    AccountId, Amount, Liquidity, Money, OrderStatus, Price, Quantity, Side, Timestamp, TradeId,
};

use crate::account::{Ledger, Purse};
use crate::fees::FeeSchedule;
use crate::listing::Listing;
use crate::order::Order;
use crate::outbox::Execution;

/// One fill, before it is booked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deal {
    pub(crate) at: Timestamp,
    pub(crate) trade_id: TradeId,
    pub(crate) price: Price,
    pub(crate) quantity: Quantity,
}

/// What an incoming order still has to pay, out of what is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpokenFor {
    pub(crate) account: AccountId,
    pub(crate) money: Money,
}

/// What a fill costs: a share of what comes in, unless the cheaper fee asset covers it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tariff<'a> {
    pub(crate) fees: &'a FeeSchedule,
    /// The fee in the fee asset, if the account chose that and its price is known.
    pub(crate) in_fee_asset: Option<Money>,
    /// How much of that asset the order at work still has to pay: a fee must leave it.
    pub(crate) spoken_for: Amount,
}

/// Books a deal for one order and moves the order on.
///
/// # Panics
/// If the worth cannot be told: the order was checked at its own price or its plan's when it was taken.
pub(crate) fn settle(
    ledger: &mut Ledger,
    tariff: &Tariff<'_>,
    listing: &Listing,
    order: &mut Order,
    deal: &Deal,
    liquidity: Liquidity,
) -> Execution {
    let quote = listing
        .worth(deal.price, deal.quantity)
        .expect("worth was checked when the order was taken");
    let base = listing.base_amount(deal.quantity);
    let (paid, received) = match order.side {
        Side::Buy => (
            Money {
                asset: listing.quote,
                amount: quote,
            },
            Money {
                asset: listing.base,
                amount: base,
            },
        ),
        Side::Sell => (
            Money {
                asset: listing.base,
                amount: base,
            },
            Money {
                asset: listing.quote,
                amount: quote,
            },
        ),
    };
    let purse = match liquidity {
        Liquidity::Maker => Purse::Locked,
        Liquidity::Taker => Purse::Free,
    };
    ledger.pay(order.account, paid.asset, paid.amount, purse);
    ledger.receive(order.account, received.asset, received.amount);
    let covers = |fee: &Money| {
        let free = ledger.balance(order.account, fee.asset).free;
        free - tariff.spoken_for >= fee.amount
    };
    let fee = tariff.in_fee_asset.filter(covers).unwrap_or_else(|| Money {
        asset: received.asset,
        amount: tariff.fees.fee(received.amount, liquidity),
    });
    ledger.charge(order.account, fee.asset, fee.amount);

    order.filled += deal.quantity;
    order.quote_filled += quote;
    order.status = if order.remaining().is_zero() {
        OrderStatus::Filled
    } else {
        OrderStatus::PartiallyFilled
    };
    order.updated_at = deal.at;
    Execution {
        trade_id: deal.trade_id,
        order_id: order.id,
        account: order.account,
        instrument: order.instrument,
        side: order.side,
        price: deal.price,
        quantity: deal.quantity,
        quote,
        fee,
        liquidity,
        at: deal.at,
    }
}

/// Books the market model's side of a deal with an order of side `side`.
pub(crate) fn settle_market(ledger: &mut Ledger, listing: &Listing, side: Side, deal: &Deal) {
    let quote = listing
        .worth(deal.price, deal.quantity)
        .expect("worth was checked when the order was taken");
    let base = listing.base_amount(deal.quantity);
    let (quote, base) = match side {
        Side::Buy => (quote, -base),
        Side::Sell => (-quote, base),
    };
    ledger.market_gains(listing.quote, quote);
    ledger.market_gains(listing.base, base);
}

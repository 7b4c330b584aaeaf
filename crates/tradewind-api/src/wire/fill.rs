//! Fills: executions of our orders.

use serde::{Deserialize, Serialize};
use tradewind_model::{BotId, EventId, Fill as Inner};
use utoipa::ToSchema;

use super::names::Names;
use super::number::{Decimal, Instant};
use super::words::{Liquidity, Side};

/// One execution. Its identity is (account, instrument, trade id, order).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fill {
    /// The venue's id of the execution.
    pub trade_id: String,
    /// The venue's id of the order.
    pub venue_order_id: String,
    /// Our id of the order.
    pub client_id: String,
    /// Account.
    pub account: String,
    /// Instrument.
    pub instrument: String,
    /// The bot it was for; `null` for a person.
    pub bot: Option<String>,
    /// Buy or sell.
    pub side: Side,
    /// Price.
    pub price: Decimal,
    /// Quantity.
    pub quantity: Decimal,
    /// Price times quantity, in the quote asset; `null` if that does not fit.
    pub value: Option<Decimal>,
    /// Fee paid; negative is a rebate.
    pub fee: Decimal,
    /// What the fee was paid in.
    pub fee_asset: String,
    /// Maker or taker.
    pub liquidity: Liquidity,
    /// The venue's stamp.
    pub event_time: Instant,
    /// The `order_filled` event: `why?event=` returns the chain of causes.
    pub event: Option<String>,
}

impl Fill {
    /// A fill with whose it was and the event that announced it.
    #[must_use]
    pub fn new(fill: &Inner, bot: Option<BotId>, event: Option<EventId>, names: &Names) -> Self {
        let value = names.value(fill.instrument, fill.price, fill.quantity);
        Self {
            trade_id: fill.trade_id.0.to_string(),
            venue_order_id: fill.venue_order_id.0.to_string(),
            client_id: fill.client_id.to_string(),
            account: names.account(fill.account),
            instrument: names.instrument(fill.instrument),
            bot: bot.map(|bot| names.bot(bot)),
            side: fill.side.into(),
            price: names.price(fill.instrument, fill.price),
            quantity: names.quantity(fill.instrument, fill.quantity),
            value: value.map(Decimal::from),
            fee: fill.fee.amount.into(),
            fee_asset: names.asset(fill.fee.asset),
            liquidity: fill.liquidity.into(),
            event_time: fill.event_time.into(),
            event: event.map(|id| id.to_string()),
        }
    }
}

//! What the checks compare: the books of both sides in names and exact amounts.

use std::collections::BTreeMap;

use tradewind_model::{Amount, Quantity, Side};
use tradewind_simx::{Exchange, Execution, Order};

use crate::virtual_server::VirtualServer;

/// An execution, as either side has booked it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookedFill {
    /// The venue's symbol.
    pub symbol: String,
    /// The venue's id of the trade; the two sides of a self-trade share it.
    pub trade_id: u64,
    /// The venue's id of the order.
    pub order_id: u64,
    /// Side of the order.
    pub side: Side,
    /// Price.
    pub price: Amount,
    /// Quantity, positive.
    pub quantity: Amount,
    /// Fee, positive.
    pub fee: Amount,
    /// The asset that the fee was taken in.
    pub fee_asset: String,
}

/// An order at the exchange, open or finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VenueOrder {
    /// The venue's symbol.
    pub symbol: String,
    /// The venue's id.
    pub order_id: u64,
    /// The client's id.
    pub client_id: String,
    /// Whether it can still trade.
    pub is_open: bool,
    /// How much of it was filled.
    pub filled: Amount,
    /// What it would still sell, if it is an open sell order that waits for a trigger.
    pub guards: Amount,
}

/// An order that a desk holds for open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenOrder {
    /// The client's id.
    pub client_id: String,
    /// How much of it was filled.
    pub filled: Amount,
}

/// An asset's balance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// What can be used.
    pub free: Amount,
    /// What open orders have reserved.
    pub locked: Amount,
}

/// An intent, as it is in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The id of the order that it makes.
    pub client_id: String,
    /// The journal's length behind it, in the unit of the network's mark.
    pub ends: u64,
}

/// An account at the exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VenueBooks {
    /// Orders; of the finished ones the newest 100,000.
    pub orders: Vec<VenueOrder>,
    /// Executions, oldest first; the newest 100,000.
    pub fills: Vec<BookedFill>,
    /// Balances by asset; one that is not here is nothing.
    pub balances: BTreeMap<String, Holding>,
}

/// The same account as a desk shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeskBooks {
    /// Orders that it holds for open.
    pub open_orders: Vec<OpenOrder>,
    /// Fills in its ledger.
    pub fills: Vec<BookedFill>,
    /// Balances by asset; one that is not here is nothing.
    pub balances: BTreeMap<String, Holding>,
    /// What each owner has, by asset and owner.
    pub owners: BTreeMap<(String, String), Amount>,
    /// By symbol, what positions with a stop in their exit plan hold, less what exits at work sell and what is listed as
    /// unprotected.
    pub to_guard: BTreeMap<String, Amount>,
}

impl VenueBooks {
    /// The account that `key` opened; `None` when there is none.
    #[must_use]
    pub fn of(server: &VirtualServer, key: &str) -> Option<Self> {
        let account = server.account(key)?;
        let exchange = server.exchange();
        let orders = exchange
            .open_orders(account)
            .chain(exchange.finished_orders(account));
        let fills = exchange.executions(account);
        let holding = |name: &str, asset| {
            let balance = exchange.balance(account, asset);
            let (free, locked) = (balance.free, balance.locked);
            (name.to_owned(), Holding { free, locked })
        };
        Some(Self {
            orders: orders
                .filter_map(|order| VenueOrder::of(server, exchange, order))
                .collect(),
            fills: fills
                .filter_map(|fill| BookedFill::of(server, exchange, fill))
                .collect(),
            balances: server
                .assets()
                .iter()
                .map(|asset| holding(&asset.name, asset.id))
                .collect(),
        })
    }
}

impl VenueOrder {
    fn of(server: &VirtualServer, exchange: &Exchange, order: &Order) -> Option<Self> {
        let rules = exchange.instruments().get(order.instrument.index())?;
        let waits = order.is_open() && order.trigger.is_some() && order.working_since.is_none();
        let left = if waits && order.side == Side::Sell {
            Quantity(order.quantity.0 - order.filled.0)
        } else {
            Quantity::ZERO
        };
        Some(Self {
            symbol: server.symbol(order.instrument).to_owned(),
            order_id: order.id.0,
            client_id: order.client_id.as_str().to_owned(),
            is_open: order.is_open(),
            filled: rules.quantity_amount(order.filled),
            guards: rules.quantity_amount(left),
        })
    }
}

impl BookedFill {
    fn of(server: &VirtualServer, exchange: &Exchange, fill: &Execution) -> Option<Self> {
        let rules = exchange.instruments().get(fill.instrument.index())?;
        let fee_asset = server
            .assets()
            .iter()
            .find(|asset| asset.id == fill.fee.asset)?;
        Some(Self {
            symbol: server.symbol(fill.instrument).to_owned(),
            trade_id: fill.trade_id.0,
            order_id: fill.order_id.0,
            side: fill.side,
            price: rules.price_amount(fill.price),
            quantity: rules.quantity_amount(fill.quantity),
            fee: fill.fee.amount,
            fee_asset: fee_asset.name.clone(),
        })
    }
}

//! A small exchange on a test bench: one instrument with prices in cents and quantities in thousandths, rich accounts.

#![allow(unreachable_pub, reason = "shared by test files")]
#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up fails its test"
)]

use tradewind_model::{
    AccountId, Amount, AssetId, Depth, Instrument, InstrumentId, Level, OrderKind, OrderStatus,
    Price, Quantity, Quote, Side, TimeInForce, Timestamp, Trade, TradeId,
};
use tradewind_simx::{
    CancelOrder, ClientId, Exchange, ExchangeConfig, Execution, NewOrder, Order, OrderEvent,
    OrderRef, Outbox, Refusal, Size,
};

pub const BASE: AssetId = AssetId(0);
pub const QUOTE: AssetId = AssetId(1);
pub const ONLY: InstrumentId = InstrumentId(0);

/// Levels as price and quantity.
pub type Rows = Vec<(i64, i64)>;

pub struct Bench {
    pub exchange: Exchange,
    pub out: Outbox,
    pub now: Timestamp,
    pub names: u32,
}

pub fn instrument() -> Instrument {
    Instrument {
        quantity_decimals: 3,
        price_max: Price(100_000),
        quantity_max: Quantity(1_000_000),
        market_quantity_max: Quantity(500_000),
        ..Instrument::spot(ONLY, "simx:AAA/BBB", BASE, QUOTE)
    }
}

impl Bench {
    /// Two accounts with 1,000 of the base asset and 100,000 of the quote asset each.
    pub fn new(config: ExchangeConfig) -> Self {
        Self::with_rules(config, instrument())
    }

    pub fn with_rules(config: ExchangeConfig, rules: Instrument) -> Self {
        let exchange = Exchange::new(config, vec![rules]);
        let mut bench = Self {
            exchange,
            out: Outbox::default(),
            now: Timestamp::from_secs(1),
            names: 0,
        };
        for _ in 0..2 {
            let account = bench.exchange.open_account();
            for (asset, units) in [(BASE, 1_000), (QUOTE, 100_000)] {
                bench
                    .exchange
                    .deposit(
                        bench.now,
                        account,
                        asset,
                        Amount::whole(units),
                        &mut bench.out,
                    )
                    .unwrap();
            }
        }
        bench.out.clear();
        bench
    }

    pub fn name(&mut self) -> ClientId {
        self.names += 1;
        ClientId::new(&format!("order-{}", self.names)).unwrap()
    }

    pub fn order(&mut self, account: u32, side: Side, quantity: i64, kind: OrderKind) -> NewOrder {
        let name = self.name();
        NewOrder::new(
            AccountId(account),
            ONLY,
            name,
            side,
            Size::Base(Quantity(quantity)),
            kind,
        )
    }

    pub fn submit(
        &mut self,
        account: u32,
        side: Side,
        quantity: i64,
        kind: OrderKind,
    ) -> Result<Order, Refusal> {
        let order = self.order(account, side, quantity, kind);
        self.send(&order)
    }

    pub fn send(&mut self, order: &NewOrder) -> Result<Order, Refusal> {
        self.exchange.submit(self.now, order, &mut self.out)
    }

    pub fn cancel(&mut self, account: u32, order: OrderRef) -> Result<Order, Refusal> {
        let cancel = CancelOrder {
            account: AccountId(account),
            instrument: ONLY,
            order,
            cancel_id: None,
        };
        self.exchange.cancel(self.now, &cancel, &mut self.out)
    }

    pub fn quote(&mut self, bid: (i64, i64), ask: (i64, i64)) {
        let quote = Quote {
            instrument: ONLY,
            bid: Price(bid.0),
            ask: Price(ask.0),
            bid_quantity: Quantity(bid.1),
            ask_quantity: Quantity(ask.1),
            event_time: None,
            received_at: self.now,
        };
        self.exchange.quote(self.now, &quote, &mut self.out);
    }

    pub fn levels(&mut self, bids: &[(i64, i64)], asks: &[(i64, i64)]) {
        let (bids, asks) = (levels(bids), levels(asks));
        let depth = Depth {
            instrument: ONLY,
            bids,
            asks,
            received_at: self.now,
        };
        self.exchange.levels(self.now, &depth, &mut self.out);
    }

    pub fn trade(&mut self, taker: Side, price: i64, quantity: i64) {
        let trade = Trade {
            instrument: ONLY,
            taker,
            id: TradeId(0),
            price: Price(price),
            quantity: Quantity(quantity),
            event_time: None,
            received_at: self.now,
        };
        self.exchange.trade(self.now, &trade, &mut self.out);
    }

    pub fn find(&self, account: u32, order: &Order) -> Order {
        self.exchange
            .order(AccountId(account), ONLY, OrderRef::Venue(order.id))
            .unwrap()
    }

    pub fn free(&self, account: u32, asset: AssetId) -> String {
        self.exchange
            .balance(AccountId(account), asset)
            .free
            .to_string()
    }

    pub fn locked(&self, account: u32, asset: AssetId) -> String {
        self.exchange
            .balance(AccountId(account), asset)
            .locked
            .to_string()
    }

    /// The visible book: bids, asks, as price and quantity.
    pub fn book(&self) -> (Rows, Rows) {
        let mut depth = Depth {
            instrument: ONLY,
            bids: vec![],
            asks: vec![],
            received_at: Timestamp::EPOCH,
        };
        self.exchange.depth(ONLY, 100, &mut depth);
        let list = |levels: &[Level]| {
            levels
                .iter()
                .map(|level| (level.price.0, level.quantity.0))
                .collect()
        };
        (list(&depth.bids), list(&depth.asks))
    }

    /// Fills reported since the outbox was cleared, as account, price, quantity; clears it.
    pub fn fills(&mut self) -> Vec<(u32, i64, i64)> {
        let fills = executions(&self.out)
            .map(|fill| (fill.account.0, fill.price.0, fill.quantity.0))
            .collect();
        self.out.clear();
        fills
    }

    /// Prints since the outbox was cleared, as price and quantity.
    pub fn prints(&self) -> Vec<(i64, i64)> {
        self.out
            .prints
            .iter()
            .map(|print| (print.price.0, print.quantity.0))
            .collect()
    }
}

impl Bench {
    /// The orders' events since the outbox was cleared, as client id and event; clears it.
    pub fn events(&mut self) -> Vec<(String, OrderEvent)> {
        let events = self
            .out
            .orders
            .iter()
            .map(|report| (report.order.client_id.to_string(), report.event))
            .collect();
        self.out.clear();
        events
    }

    pub fn status(&self, account: u32, name: &str) -> OrderStatus {
        let name = OrderRef::Client(ClientId::new(name).unwrap());
        self.exchange
            .order(AccountId(account), ONLY, name)
            .unwrap()
            .status
    }
}

pub fn named(account: u32, name: &str, side: Side, quantity: i64, kind: OrderKind) -> NewOrder {
    let (account, name) = (AccountId(account), ClientId::new(name).unwrap());
    NewOrder::new(
        account,
        ONLY,
        name,
        side,
        Size::Base(Quantity(quantity)),
        kind,
    )
}

pub fn executions(out: &Outbox) -> impl Iterator<Item = Execution> + '_ {
    out.orders.iter().filter_map(|report| match report.event {
        OrderEvent::Filled(execution) => Some(execution),
        OrderEvent::Accepted
        | OrderEvent::Activated
        | OrderEvent::Amended { .. }
        | OrderEvent::Cancelled { .. }
        | OrderEvent::Expired(_) => None,
    })
}

pub fn levels(list: &[(i64, i64)]) -> Vec<Level> {
    list.iter()
        .map(|&(price, quantity)| Level {
            price: Price(price),
            quantity: Quantity(quantity),
        })
        .collect()
}

pub const fn limit(price: i64) -> OrderKind {
    OrderKind::Limit {
        price: Price(price),
        time_in_force: TimeInForce::GoodTillCancel,
    }
}

pub const fn immediate(price: i64) -> OrderKind {
    OrderKind::Limit {
        price: Price(price),
        time_in_force: TimeInForce::ImmediateOrCancel,
    }
}

pub const fn all_or_nothing(price: i64) -> OrderKind {
    OrderKind::Limit {
        price: Price(price),
        time_in_force: TimeInForce::FillOrKill,
    }
}

pub const fn post_only(price: i64) -> OrderKind {
    OrderKind::PostOnly {
        price: Price(price),
    }
}

//! Actions through the exchange's core, beside a bare order book that does the same matching: `cargo bench -p tradewind-simx`.
//!
//! 25 instruments with their filters, 20 accounts, 10,000 resting orders; of the actions 40 % are new orders that rest, 40 %
//! cancels and 20 % orders that take a tenth of one. The core checks filters and balances, takes fees, reports and keeps history, which is
//! full when the timing begins; the bare book knows prices, quantities and ids.

#![expect(clippy::print_stdout, reason = "a benchmark's figures are its output")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run says so")]
#![expect(
    clippy::cast_possible_truncation,
    reason = "numbers of a benchmark that are known to be small"
)]

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};
use tradewind_model::{
    AccountId, Amount, InstrumentId, OrderKind, OrderStatus, Price, Quantity, Side, TimeInForce,
    Timestamp, VenueId, VenueOrderId,
};
use tradewind_simx::{
    CancelOrder, ClientId, Exchange, ExchangeConfig, NewOrder, OrderEvent, OrderRef, Outbox, Size,
    universe,
};

const ACTIONS: u64 = 3_000_000;
/// After so many every account's history is full, as it is at an exchange that has run for a while.
const WARM_UP: u64 = 6_000_000;
const RESTING: usize = 10_000;
const ACCOUNTS: u32 = 20;
const RUNS: usize = 3;

fn main() {
    let mut ratios = Vec::new();
    for _ in 0..RUNS {
        let core = run("core", Core::new());
        let bare = run("bare book", Bare::default());
        ratios.push((core, bare));
    }
    ratios.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (core, bare) = ratios[RUNS / 2];
    println!(
        "median: core {:.2} M actions/s, bare book {:.2} M/s: {:.1} x",
        core / 1e6,
        bare / 1e6,
        bare / core
    );
}

/// Something that takes orders.
trait Venue {
    /// A new limit order; whether it rests.
    fn rest(&mut self, order: &Wish) -> Option<VenueOrderId>;
    /// An order that takes what there is; the ids of those that are gone.
    fn take(&mut self, order: &Wish, gone: &mut Vec<VenueOrderId>);
    /// Ends a resting order.
    fn cancel(&mut self, order: &Wish, id: VenueOrderId);
}

/// What somebody wants.
#[derive(Clone, Copy)]
struct Wish {
    account: u32,
    instrument: u32,
    side: Side,
    offset: i64,
    lots: i64,
    number: u64,
}

/// The orders that rest, to be chosen from and to be forgotten by id.
#[derive(Default)]
struct Resting {
    orders: Vec<(VenueOrderId, Wish)>,
    places: Vec<u32>,
}

impl Resting {
    fn add(&mut self, id: VenueOrderId, wish: Wish) {
        let index = id.0 as usize;
        if self.places.len() <= index {
            self.places.resize(index * 2 + 1, u32::MAX);
        }
        self.places[index] = self.orders.len() as u32;
        self.orders.push((id, wish));
    }

    fn forget(&mut self, id: VenueOrderId) {
        let place = self.places.get_mut(id.0 as usize);
        let place = place.map_or(u32::MAX, |place| std::mem::replace(place, u32::MAX)) as usize;
        if place < self.orders.len() {
            self.orders.swap_remove(place);
            if let Some((moved, _)) = self.orders.get(place) {
                self.places[moved.0 as usize] = place as u32;
            }
        }
    }
}

/// Draws wishes.
struct Crowd {
    dice: Xoshiro256PlusPlus,
    number: u64,
}

impl Crowd {
    fn wish(&mut self) -> Wish {
        self.number += 1;
        let bits = self.dice.next_u64();
        Wish {
            account: (bits & 0xFF) as u32 % ACCOUNTS,
            instrument: (bits >> 8 & 0xFFFF) as u32 % 25,
            side: if bits >> 24 & 1 == 0 {
                Side::Buy
            } else {
                Side::Sell
            },
            offset: (bits >> 25 & 0x3F) as i64 + 1,
            lots: (bits >> 32 & 7) as i64 + 8,
            number: self.number,
        }
    }
}

/// Fills the book, then times the mix; actions a second.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn run(name: &str, mut venue: impl Venue) -> f64 {
    let mut crowd = Crowd {
        dice: Xoshiro256PlusPlus::seed_from_u64(7),
        number: 0,
    };
    let (mut resting, mut gone) = (Resting::default(), Vec::new());
    while resting.orders.len() < RESTING {
        let wish = crowd.wish();
        if let Some(id) = venue.rest(&wish) {
            resting.add(id, wish);
        }
    }
    let mut done = [0_u64; 3];
    let (mut started, mut growing) = (Instant::now(), 0.0);
    for action in 0..WARM_UP + ACTIONS {
        if action == WARM_UP {
            growing = WARM_UP as f64 / started.elapsed().as_secs_f64();
            (started, done) = (Instant::now(), [0; 3]);
        }
        let wish = crowd.wish();
        let dice = crowd.dice.next_u64();
        if dice % 10 < 2 {
            gone.clear();
            venue.take(&Wish { lots: 1, ..wish }, &mut gone);
            gone.iter().for_each(|id| resting.forget(*id));
            done[2] += 1;
        } else if resting.orders.len() <= RESTING {
            if let Some(id) = venue.rest(&wish) {
                resting.add(id, wish);
            }
            done[0] += 1;
        } else {
            let place = (dice >> 8) as usize % resting.orders.len();
            let (id, wish) = resting.orders[place];
            venue.cancel(&wish, id);
            resting.forget(id);
            done[1] += 1;
        }
    }
    let rate = ACTIONS as f64 / started.elapsed().as_secs_f64();
    println!(
        "{name}: {:.2} M actions/s, {:.2} M while its memory grew ({} new, {} cancels, {} takes)",
        rate / 1e6,
        growing / 1e6,
        done[0],
        done[1],
        done[2]
    );
    rate
}

/// The exchange.
struct Core {
    exchange: Exchange,
    out: Outbox,
    middles: Vec<i64>,
    lots: Vec<i64>,
}

impl Core {
    fn new() -> Self {
        let listed = universe("simx", VenueId(0));
        let rich: Vec<_> = listed.assets.iter().map(|asset| asset.id).collect();
        let (middles, lots) = listed
            .instruments
            .iter()
            .map(|instrument| {
                let middle = instrument.price_max.0 / 15;
                // One lot is worth about 20 units of the quote asset.
                let lot = instrument
                    .quantity_for(Amount::whole(20), Price(middle))
                    .0
                    .max(1);
                (middle, lot)
            })
            .unzip();
        let mut instruments = listed.instruments;
        for instrument in &mut instruments {
            instrument.open_orders_max = 100_000;
        }
        let mut exchange = Exchange::new(ExchangeConfig::default(), instruments);
        let mut out = Outbox::default();
        for _ in 0..ACCOUNTS {
            let account = exchange.open_account();
            for asset in &rich {
                let plenty = Amount::whole(1_000_000_000_000);
                exchange
                    .deposit(NOW, account, *asset, plenty, &mut out)
                    .unwrap();
            }
        }
        Self {
            exchange,
            out,
            middles,
            lots,
        }
    }

    fn order(&self, wish: &Wish, time_in_force: TimeInForce, offset: i64) -> NewOrder {
        let middle = self.middles[wish.instrument as usize];
        let price = match wish.side {
            Side::Buy => middle - offset,
            Side::Sell => middle + offset,
        };
        NewOrder::new(
            AccountId(wish.account),
            InstrumentId(wish.instrument),
            name(wish.number),
            wish.side,
            Size::Base(Quantity(wish.lots * self.lots[wish.instrument as usize])),
            OrderKind::Limit {
                price: Price(price),
                time_in_force,
            },
        )
    }
}

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

fn at(number: u64) -> Timestamp {
    NOW + std::time::Duration::from_micros(number)
}

/// 32 hexadecimal digits, as a desk's names are.
fn name(number: u64) -> ClientId {
    ClientId::from(tradewind_model::ClientOrderId(u128::from(number)))
}

impl Venue for Core {
    fn rest(&mut self, wish: &Wish) -> Option<VenueOrderId> {
        self.out.clear();
        let order = self.order(wish, TimeInForce::GoodTillCancel, wish.offset);
        let order = self.exchange.submit(at(wish.number), &order, &mut self.out);
        order
            .ok()
            .filter(|order| order.is_open())
            .map(|order| order.id)
    }

    fn take(&mut self, wish: &Wish, gone: &mut Vec<VenueOrderId>) {
        self.out.clear();
        let order = self.order(wish, TimeInForce::ImmediateOrCancel, -64);
        self.exchange
            .submit(at(wish.number), &order, &mut self.out)
            .unwrap();
        for report in &self.out.orders {
            let filled = matches!(report.event, OrderEvent::Filled(_));
            if filled && report.order.status == OrderStatus::Filled {
                gone.push(report.order.id);
            }
        }
    }

    fn cancel(&mut self, wish: &Wish, id: VenueOrderId) {
        self.out.clear();
        let cancel = CancelOrder {
            account: AccountId(wish.account),
            instrument: InstrumentId(wish.instrument),
            order: OrderRef::Venue(id),
            cancel_id: None,
        };
        self.exchange
            .cancel(at(wish.number), &cancel, &mut self.out)
            .unwrap();
    }
}

/// Ids and quantities by price, best first.
type Levels = BTreeMap<i64, VecDeque<(u64, i64)>>;

/// Price-time priority and nothing else.
#[derive(Default)]
struct Bare {
    books: [[Levels; 2]; 25],
    ids: u64,
    places: Vec<(u8, bool, i64)>,
}

impl Bare {
    fn key(side: Side, price: i64) -> i64 {
        if side == Side::Buy { -price } else { price }
    }
}

impl Venue for Bare {
    fn rest(&mut self, wish: &Wish) -> Option<VenueOrderId> {
        let price = if wish.side == Side::Buy {
            -wish.offset
        } else {
            wish.offset
        };
        let key = Self::key(wish.side, price);
        self.ids += 1;
        let own = usize::from(wish.side == Side::Sell);
        self.books[wish.instrument as usize][own]
            .entry(key)
            .or_default()
            .push_back((self.ids, wish.lots));
        self.places.resize(self.ids as usize + 1, (0, false, 0));
        self.places[self.ids as usize] = (wish.instrument as u8, wish.side == Side::Sell, key);
        Some(VenueOrderId(self.ids))
    }

    fn take(&mut self, wish: &Wish, gone: &mut Vec<VenueOrderId>) {
        let other = usize::from(wish.side == Side::Buy);
        let book = &mut self.books[wish.instrument as usize][other];
        let mut left = wish.lots;
        while left > 0 {
            let Some(mut level) = book.first_entry() else {
                return;
            };
            let queue = level.get_mut();
            while left > 0
                && let Some((id, quantity)) = queue.front_mut()
            {
                let taken = left.min(*quantity);
                (left, *quantity) = (left - taken, *quantity - taken);
                if *quantity == 0 {
                    gone.push(VenueOrderId(*id));
                    queue.pop_front();
                }
            }
            if queue.is_empty() {
                level.remove();
            }
        }
    }

    fn cancel(&mut self, _: &Wish, id: VenueOrderId) {
        let (instrument, sell, key) = self.places[id.0 as usize];
        let book = &mut self.books[usize::from(instrument)][usize::from(sell)];
        if let Some(queue) = book.get_mut(&key) {
            queue.retain(|(found, _)| *found != id.0);
            if queue.is_empty() {
                book.remove(&key);
            }
        }
    }
}

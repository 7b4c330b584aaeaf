//! How long positions are without a stop, by the exchange's books: while an entry is filled in parts, beside a bot whose stop has an unknown
//! fate, and where the market has passed a stop's limit.

#![expect(
    clippy::print_stdout,
    reason = "the times that it measured are its output"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_events::{EventKind, OrderView, SignalSource};
use tradewind_model::{Amount, BotId, OrderKind, OrderStatus, Quantity, Side, Timestamp};
use tradewind_risk::PositionEffect;
use tradewind_venues::OrderEntry;

use crate::tests::pairs::{DIP, held, resting_pair, run_until};
use crate::tests::rows::in_order;
use crate::world::{Choices, World};

const SECOND: Duration = Duration::from_secs(1);
/// How finely the exchange's books are looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Its entry rests so far below the market that only a fault fills it.
const PATIENT: &str = r#"
[[bots]]
id = "ada-momentum"
strategy = "momentum_timer"
account = "paper"
instruments = ["ADA/USDT"]
wake = "every 10m"
budget = 300
exit = { stop = "2%", take_profit = "1.5%", take_profit_order = "limit" }
policy = { type = "post_only", offset = "0.3%", timeout = "50s", then = "cancel" }
params = { lookback = 1, full_rise = 0.01 }
"#;

/// The first bot's stop rests as a pair, those of the others alone.
const NEIGHBOURS: &str = r#"
[[bots]]
id = "ada-pair"
strategy = "momentum_timer"
account = "paper"
instruments = ["ADA/USDT"]
wake = "every 1m"
budget = 300
exit = { stop = "2%", take_profit = "1.5%", take_profit_order = "limit" }
params = { lookback = 1, full_rise = 0.01 }

[[bots]]
id = "ada-alone"
strategy = "momentum_timer"
account = "paper"
instruments = ["ADA/USDT"]
wake = "every 1m"
budget = 350
exit = { stop = "2%", take_profit = "1.5%" }
params = { lookback = 1, full_rise = 0.01 }

[[bots]]
id = "ada-alone-too"
strategy = "momentum_timer"
account = "paper"
instruments = ["ADA/USDT"]
wake = "every 1m"
budget = 400
exit = { stop = "2%", take_profit = "1.5%" }
params = { lookback = 1, full_rise = 0.01 }
"#;

pub(crate) const ALONE: &str = r#"
[[bots]]
id = "ada-alone"
strategy = "momentum_timer"
account = "paper"
instruments = ["ADA/USDT"]
wake = "every 1m"
budget = 300
exit = { stop = "2%" }
params = { lookback = 1, full_rise = 0.01 }
"#;

/// Below the limit of the stop at the venue, which is 2 % beyond its trigger, in one step.
const GAP: &str = "[[fault]]\ndo = \"price\"\npath = [[\"0s\", 1], [\"10ms\", 0.9]]\n";

pub(crate) fn world(order_entry: OrderEntry, bots: &'static str) -> World {
    World::new(Choices {
        order_entry,
        bots,
        ..Choices::busy(3)
    })
}

/// What was seen of an account's stops.
#[derive(Debug, Default)]
pub(crate) struct Cover {
    /// Since when some of what was bought is without a stop.
    since: Option<Timestamp>,
    /// The longest time in which that was so.
    pub(crate) longest: Duration,
    /// How long nothing covered anything, in all.
    nothing: Duration,
    /// Whether all was covered before.
    was_covered: bool,
}

impl Cover {
    /// Looks at the exchange's books until `until` or for `within`. A stop that the desk itself took away is listed at once.
    pub(crate) fn watch(
        &mut self,
        world: &mut World,
        within: Duration,
        until: impl Fn(&mut World) -> bool,
    ) {
        let end = world.now() + within;
        while world.now() < end && !until(world) {
            world.run(LOOK);
            self.look(world);
        }
    }

    fn look(&mut self, world: &mut World) {
        let books = world.venue_books();
        let owned = books.balances["ADA"];
        let owned = owned.free + owned.locked;
        let guarded: Amount = books.orders.iter().map(|order| order.guards).sum();
        // No order can be as small as the dust that fees leave.
        if owned - guarded < Amount::ONE {
            self.since = None;
            self.was_covered |= !guarded.is_zero();
            return;
        }
        let now = world.now();
        let since = *self.since.get_or_insert(now);
        self.longest = self.longest.max(now.since(since) + LOOK);
        if guarded.is_zero() {
            self.nothing += LOOK;
            let is_listed = !world.view().unprotected.is_empty();
            assert!(is_listed || !self.was_covered, "{self:?}");
        }
    }
}

/// An open order of the bot that is no protection.
fn entry(world: &mut World) -> Option<OrderView> {
    let orders = world.view().orders.into_iter();
    let mut entries = orders.filter(|order| order.purpose == PositionEffect::Entry);
    entries.find(|order| order.status != OrderStatus::Pending)
}

/// V20, I23: each part of an entry has a stop within two seconds at the exchange. The pair of the first part rests until the entry has
/// ended; then one pair covers all.
#[test]
fn an_entry_that_fills_in_parts_is_covered_within_two_seconds_and_keeps_its_pair() {
    for order_entry in [OrderEntry::Rest, OrderEntry::WebSocket] {
        for completes in [true, false] {
            let mut world = world(order_entry, PATIENT);
            assert!(world.start_desk());
            run_until(&mut world, 3_600 * SECOND, |world| entry(world).is_some());
            let order = entry(&mut world).unwrap();
            let instrument = world.instrument(order.terms.instrument);
            let part = instrument.floor_quantity(Quantity(order.terms.quantity.0 / 4));
            let fill = |world: &World, quantity: Quantity| {
                let text = instrument.quantity_text(quantity);
                world.add_faults(&format!(
                    "[[fault]]\ndo = \"fill\"\naccount = \"key\"\nsymbol = \"ADAUSDT\"\nquantity = \"{text}\"\ntimes = 1\n"
                ));
            };
            let mut cover = Cover::default();
            fill(&world, part);
            cover.watch(&mut world, 3 * SECOND, |_| false);
            let first = resting_pair(&mut world).expect("a pair rests");
            for _ in 0..2 {
                fill(&world, part);
                cover.watch(&mut world, 3 * SECOND, |_| false);
                assert_eq!(resting_pair(&mut world), Some(first), "it stays");
            }
            assert!(cover.since.is_none(), "all of it is covered");
            if completes {
                fill(&world, Quantity(order.terms.quantity.0 - 3 * part.0));
            }
            let ended = |world: &mut World| entry(world).is_none();
            cover.watch(&mut world, 60 * SECOND, ended);
            cover.watch(&mut world, 3 * SECOND, |_| false);
            println!("{order_entry:?}, completes: {completes}: {cover:?}");
            assert!(cover.longest <= 2 * SECOND, "{cover:?}");
            assert!(cover.nothing <= 2 * SECOND, "{cover:?}");
            assert!(cover.since.is_none(), "all of it is covered");
            let (limit, stop) = resting_pair(&mut world).expect("a pair rests");
            assert_ne!((limit, stop), first);
            let all = instrument.floor_quantity(Quantity(held(&mut world)));
            let orders = world.view().orders;
            let protecting: Vec<_> = orders.iter().map(|order| order.terms).collect();
            assert_eq!(protecting.len(), 2, "one pair: {protecting:?}");
            // Apart from the dust of fees, which is less than one ADA.
            let is_all = |quantity: Quantity| (all.0 - quantity.0).abs() <= 10;
            assert!(protecting.iter().all(|terms| is_all(terms.quantity)));
            in_order(&mut world);
        }
    }
}

/// When each bot decided to leave, when it placed an order for that, and when it had sold.
#[derive(Debug, Default)]
struct Leaving {
    decided: BTreeMap<BotId, Timestamp>,
    placed: BTreeMap<BotId, Timestamp>,
    sold: BTreeMap<BotId, Timestamp>,
}

impl Leaving {
    fn look(&mut self, world: &World) {
        let now = world.now();
        for kind in world.events() {
            match kind {
                EventKind::SignalGenerated { bot, details, .. }
                    if details
                        .as_deref()
                        .is_some_and(|details| details.source == SignalSource::ExitPlan) =>
                {
                    self.decided.entry(bot).or_insert(now);
                }
                EventKind::OrderPlaced {
                    bot: Some(bot),
                    purpose: PositionEffect::Exit,
                    ..
                } => {
                    self.placed.entry(bot).or_insert(now);
                }
                EventKind::OrderFilled {
                    fill,
                    bot: Some(bot),
                    ..
                } if fill.side == Side::Sell => {
                    self.sold.entry(bot).or_insert(now);
                }
                _ => {}
            }
        }
    }

    /// From the decision of a bot to its order, and to its sale.
    fn waited(&self, bot: u32) -> [Option<Duration>; 2] {
        let decided = self.decided.get(&BotId(bot));
        let since = |at: &Timestamp| Some(at.since(*decided?));
        [&self.placed, &self.sold].map(|times| times.get(&BotId(bot)).and_then(since))
    }
}

/// V21: the stop of one bot on the account has an unknown fate, live or absent. Its own exit waits ten seconds at most, and the exits of
/// the others not at all.
#[test]
fn an_unknown_stop_delays_the_exit_of_its_bot_alone() {
    for is_live in [true, false] {
        let mut world = world(OrderEntry::Rest, NEIGHBOURS);
        world.add_faults(&format!(
            "[[fault]]\ndo = \"lose-reply\"\ncall = \"orderList.place.oco\"\nexecuted = {is_live}\nnth = 1\n\
             [[fault]]\ndo = \"drop\"\nframe = \"executionReport/NEW\"\n\
             [[fault]]\ndo = \"hide-orders\"\nlag = \"120s\"\n\
             [[fault]]\ndo = \"answer\"\ncall = \"order.cancel\"\nstatus = 503\ncode = -1000\nexecuted = false\n"
        ));
        assert!(world.start_desk());
        let are_there = |world: &mut World| {
            let orders = world.view().orders;
            let stops = orders
                .iter()
                .filter(|order| order.terms.kind.trigger().is_some());
            let count = |status| stops.clone().filter(|stop| stop.status == status).count();
            (count(OrderStatus::Unknown), count(OrderStatus::Accepted)) == (1, 2)
        };
        run_until(&mut world, 1_800 * SECOND, are_there);
        world.add_faults(DIP);
        let began = world.now();
        let mut leaving = Leaving::default();
        while leaving.placed.len() < 3 && world.now().since(began) < 30 * SECOND {
            world.run(SECOND / 10);
            leaving.look(&world);
        }
        println!("live: {is_live}: {leaving:?}");
        for bot in [1, 2] {
            let [_, sold] = leaving.waited(bot);
            assert!(sold.is_some_and(|sold| sold <= 2 * SECOND), "{leaving:?}");
        }
        let [placed, _] = leaving.waited(0);
        let placed = placed.expect("it sells");
        assert!(placed > 5 * SECOND && placed <= 11 * SECOND, "{leaving:?}");
        world.heal();
        run_until(&mut world, 60 * SECOND, |world| held(world) == 0);
        in_order(&mut world);
    }
}

/// The exchange lists stops with a limit only.
fn limits_only(world: &World) {
    for symbol in 0..40 {
        world.add_faults(&format!(
            "[[fault]]\ndo = \"mutate\"\non = \"answer\"\ncall = \"exchangeInfo\"\nfield = \"symbols.{symbol}.orderTypes\"\n\
             to = [\"LIMIT\", \"LIMIT_MAKER\", \"MARKET\", \"STOP_LOSS_LIMIT\"]\n"
        ));
    }
}

/// A desk of one bot whose stop with a limit rests at the exchange.
fn with_a_stop_limit() -> World {
    let mut world = world(OrderEntry::Rest, ALONE);
    limits_only(&world);
    assert!(world.start_desk());
    run_until(&mut world, 1_800 * SECOND, |world| {
        let orders = world.view().orders;
        let is_stop = |order: &OrderView| {
            let is_limited = matches!(order.terms.kind, OrderKind::StopLimit { .. });
            is_limited && order.status == OrderStatus::Accepted
        };
        orders.iter().any(is_stop)
    });
    world
}

/// I23: the market gaps through a stop's limit. The desk sells at market in its place.
#[test]
fn a_gap_through_a_stops_limit_is_sold_at_market_within_two_seconds() {
    let mut world = with_a_stop_limit();
    world.add_faults(GAP);
    let waited = run_until(&mut world, 5 * SECOND, |world| held(world) == 0);
    println!("sold {waited:?} after the gap");
    assert!(waited <= 2 * SECOND, "{waited:?}");
    in_order(&mut world);
}

/// The same while the desk is dead: the stop was triggered and rests at its limit, above the market. The next start sells.
#[test]
fn a_position_beyond_its_stops_limit_is_sold_by_the_next_start_within_two_seconds() {
    let mut world = with_a_stop_limit();
    world.kill_desk();
    world.add_faults(GAP);
    world.run(20 * SECOND);
    let books = world.venue_books();
    let open = books.orders.iter().filter(|order| order.is_open);
    let open: Vec<_> = open.collect();
    assert_eq!(open.len(), 1, "{open:?}");
    assert!(
        open[0].guards.is_zero() && open[0].filled.is_zero(),
        "{open:?}"
    );
    assert!(world.start_desk());
    let reads = |world: &mut World| {
        let accounts = world.view().accounts;
        accounts.iter().all(|account| account.reconciled)
    };
    let read = run_until(&mut world, 60 * SECOND, reads);
    let waited = run_until(&mut world, 10 * SECOND, |world| held(world) == 0);
    println!("read {read:?} after the start, sold {waited:?} later");
    assert!(waited <= 2 * SECOND, "{waited:?}");
    in_order(&mut world);
}

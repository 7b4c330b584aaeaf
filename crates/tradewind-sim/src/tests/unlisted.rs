//! What others trade in instruments that the desk does not list, and what they leave in the account.

use std::time::Duration;

use tradewind_events::{AlarmKind, EventKind};
use tradewind_model::OwnerId;

use crate::tests::rows::in_order;
use crate::world::{Choices, World};

/// V17, I22: somebody buys and sells on the desk's account what no bot of it trades. Each trade is named, the money and the coins are
/// EXTERNAL's, and so it stays after a restart.
#[test]
fn trades_by_hand_beyond_the_list_are_named_and_outlive_a_restart() {
    let mut world = World::new(Choices::busy(3));
    world.start_desk();
    world.run(Duration::from_secs(20));
    world.add_faults(
        "[[fault]]\ndo = \"trade\"\naccount = \"key\"\nsymbol = \"BTCUSDT\"\nside = \"BUY\"\ntype = \"MARKET\"\nquantity = \"0.02\"\n\
         [[fault]]\ndo = \"trade\"\naccount = \"key\"\nsymbol = \"BTCUSDT\"\nside = \"SELL\"\ntype = \"MARKET\"\nquantity = \"0.01\"\n\
         after = \"70s\"\n",
    );
    // Trades within a minute are one alarm.
    world.run(Duration::from_secs(100));
    assert_eq!(world.fault_hits(), [1, 1]);
    let events = world.events();
    let named = |word: &str| {
        let is_meant = |kind: &&EventKind| match kind {
            EventKind::Alarm { alarm, text, .. } => {
                *alarm == AlarmKind::UnlistedTrade && text.contains(word)
            }
            _ => false,
        };
        events.iter().filter(is_meant).count()
    };
    let (bought, sold) = (named("bought"), named("sold"));
    assert!(bought > 0 && sold > 0, "{bought} {sold}");
    let external = |world: &mut World| {
        let balances = world.view().balances;
        let of_external = balances
            .iter()
            .filter(|held| held.owner == OwnerId::External);
        of_external
            .map(|held| (held.asset, held.amount))
            .collect::<Vec<_>>()
    };
    let before = external(&mut world);
    assert!(!before.is_empty());
    world.kill_desk();
    assert!(world.start_desk());
    world.run(Duration::from_secs(60));
    assert_eq!(external(&mut world), before);
    in_order(&mut world);
}

/// L02: every bot decides at the same moment, again and again. Nothing that must not be lost is: every fill is booked once, and the books
/// are the exchange's.
#[test]
fn forty_five_bots_that_decide_at_once_lose_nothing() {
    const SYMBOLS: [&str; 9] = [
        "BTC", "ETH", "SOL", "XRP", "ADA", "DOGE", "LTC", "LINK", "AVAX",
    ];
    let bot = |number: usize| {
        let symbol = SYMBOLS[number % SYMBOLS.len()];
        format!(
            "[[bots]]\nid = \"b{number}\"\nstrategy = \"momentum_timer\"\naccount = \"paper\"\ninstruments = [\"{symbol}/USDT\"]\n\
             wake = \"every 5s\"\nbudget = 300\nexit = {{ stop = \"0.5%\", time = \"1m\" }}\npolicy = \"market\"\n\
             params = {{ lookback = 1, full_rise = 0.001 }}\n"
        )
    };
    let bots: String = (0..45).map(bot).collect();
    let mut world = World::new(Choices {
        bots: Box::leak(bots.into_boxed_str()),
        ..Choices::busy(3)
    });
    world.start_desk();
    world.run(Duration::from_secs(180));
    let (mut woke, mut signals) = (0, 0);
    for _ in 0..60 {
        world.run(Duration::from_secs(1));
        let close = world.view().last_close;
        (woke, signals) = (woke.max(close.woke), signals.max(close.signals));
    }
    let fills = world.view().counters.fills;
    assert_eq!(woke, 45);
    assert!(signals >= 20 && fills > 0, "{signals} {fills}");
    in_order(&mut world);
}

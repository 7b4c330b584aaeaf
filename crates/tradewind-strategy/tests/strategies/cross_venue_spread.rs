//! The spread between two venues: which prices are compared, and when nothing is.

use std::time::Duration;

use tradewind_model::{
    Amount, AssetId, CarriedOut, Decision, FeedHealth, Instrument, InstrumentId, LastEntry,
    Numbers, PositionState, Ppm, Price, Quantity, Quote,
};
use tradewind_strategy::{
    FeedStatus, MarketReader, Pairing, Reading, Reads, Role, Strategy, View, build,
};

use crate::market::{START, exposure, instrument, parameters, quote, text_of};

const READ: InstrumentId = InstrumentId(1);

/// Prices of the other venue have three decimals, one more than those of the account's.
#[derive(Clone, Debug)]
struct Other {
    instrument: Instrument,
    health: FeedHealth,
    quote: Option<Quote>,
}

impl MarketReader for Other {
    fn read(&self, instrument: InstrumentId) -> Option<Reading<'_>> {
        (instrument == READ).then_some(Reading {
            instrument: &self.instrument,
            health: self.health,
            quote: self.quote.as_ref(),
            depth: None,
            trades: &[],
        })
    }
}

/// The middle is 100.000.
fn other() -> Other {
    Other {
        instrument: Instrument {
            price_decimals: 3,
            ..Instrument::spot(READ, "other:BTC/USDT", AssetId(0), AssetId(1))
        },
        health: FeedHealth::Live,
        quote: Some(Quote {
            instrument: READ,
            ..quote(99_990, 100_010)
        }),
    }
}

fn spread() -> Box<dyn Strategy> {
    let given = parameters(&[("entry_bps", "30"), ("exit_bps", "5")]);
    build("cross_venue_spread", &given, 1).unwrap()
}

/// What it decides 2 s after the start, on a quote of what it reads.
fn evaluated(
    strategy: &mut dyn Strategy,
    quote: Quote,
    held: i64,
    last_entry: LastEntry,
    other: &Other,
) -> Decision {
    let instrument = instrument();
    let view = View {
        members: None,
        at: START + Duration::from_secs(2),
        instrument: &instrument,
        slot: 0,
        role: Role::Traded,
        quote: Some(&quote),
        position: PositionState {
            quantity: Quantity(held),
            entry_price: (held != 0).then_some(Price(9_900)),
            opened_at: (held != 0).then_some(START),
        },
        budget: Amount::whole(1_000),
        reads: Reads::new(&[READ], other),
        feed: FeedStatus::default(),
        numbers: Numbers::none(),
        standing: None,
        carried_out: CarriedOut::All,
        last_entry,
        depth: None,
        exposure: Ppm::ZERO,
    };
    let read = view.reads.of(READ).unwrap();
    strategy.on_read(&view, &read, None).unwrap()
}

/// What it decides with these own prices, in cents: its exposure and its words.
fn decided(own: (i64, i64), held: i64, change: impl FnOnce(&mut Other)) -> (Option<Ppm>, String) {
    let mut other = other();
    change(&mut other);
    let given = parameters(&[("entry_bps", "30"), ("exit_bps", "5")]);
    let mut strategy = build("cross_venue_spread", &given, 1).unwrap();
    let (instrument, quote) = (instrument(), quote(own.0, own.1));
    let view = View {
        quote: Some(&quote),
        position: PositionState {
            quantity: Quantity(held),
            entry_price: (held != 0).then_some(Price(9_900)),
            opened_at: (held != 0).then_some(START),
        },
        budget: Amount::whole(1_000),
        reads: Reads::new(&[READ], &other),
        carried_out: CarriedOut::All,
        ..View::bare(START + Duration::from_secs(2), &instrument)
    };
    let on_own = strategy.on_quote(&view, &quote).unwrap();
    let mut again = build("cross_venue_spread", &given, 1).unwrap();
    let read = view.reads.of(READ).unwrap();
    let on_read = again.on_read(&view, &read, None).unwrap();
    assert_eq!(on_own, on_read, "it is the same on a quote of either venue");
    (exposure(&on_own), text_of(&on_own))
}

#[test]
fn it_buys_at_an_ask_below_the_threshold_and_sells_at_a_bid_near_the_middle() {
    let unchanged = |_: &mut Other| {};
    let buys = |ask: i64| decided((ask - 5, ask), 0, unchanged).0;
    // 30 bps below 100.00 are 99.70.
    assert_eq!(buys(9_971), None);
    assert_eq!(buys(9_970), Some(Ppm::ONE));
    assert_eq!(buys(10_000), None);
    let sells = |bid: i64| decided((bid, bid + 40), 1_000, unchanged).0;
    // 5 bps below 100.00 are 99.95.
    assert_eq!(sells(9_994), None);
    assert_eq!(sells(9_995), Some(Ppm::ZERO));
    assert_eq!(sells(10_020), Some(Ppm::ZERO));
    let text = decided((9_960, 9_965), 0, unchanged).1;
    assert_eq!(
        text,
        "1: ask 35 bps below what is read, at least 30, of 100"
    );
}

#[test]
fn nothing_is_decided_on_what_is_not_live_old_or_not_there() {
    let cheap = (9_900, 9_905);
    let words = |change: fn(&mut Other)| decided(cheap, 0, change);
    let silent = words(|other| other.health = FeedHealth::Stale);
    assert_eq!(silent, (None, "hold: what it reads is not live".to_owned()));
    let none = words(|other| other.quote = None);
    assert_eq!(none, (None, "hold: what it reads is not live".to_owned()));
    let old = words(|other| {
        let quote = other.quote.as_mut().unwrap();
        quote.received_at = START - Duration::from_millis(1);
    });
    assert_eq!(
        old,
        (None, "hold: the quote that it reads is too old".to_owned())
    );
    let strange = words(|other| other.instrument.quote = AssetId(7));
    let wanted = "hold: reads no instrument of the same assets";
    assert_eq!(strange, (None, wanted.to_owned()));
}

#[test]
fn an_own_quote_that_is_old_decides_nothing() {
    let other = other();
    for (held, own) in [(0, (9_900, 9_905)), (1_000, (9_999, 10_000))] {
        let mut strategy = spread();
        let old = START - Duration::from_millis(1);
        let fresh = START;
        let seen = [old, fresh].map(|received_at| {
            let quote = Quote {
                received_at,
                ..quote(own.0, own.1)
            };
            evaluated(&mut *strategy, quote, held, LastEntry::Standing, &other)
        });
        assert_eq!(text_of(&seen[0]), "hold: its own quote is too old");
        assert!(exposure(&seen[1]).is_some());
    }
}

/// A desk that denies all entries, and one whose exit waits, get one signal for each divergence, not one for each quote.
#[test]
fn each_divergence_is_one_signal() {
    let other = other();
    let mut strategy = spread();
    let mut signals = |own: (i64, i64), held: i64, last: LastEntry| {
        let quote = quote(own.0, own.1);
        let mut decide = || evaluated(&mut *strategy, quote, held, last, &other);
        (0..10).filter(|_| exposure(&decide()).is_some()).count()
    };
    let (cheap, less, met) = ((9_960, 9_965), (9_975, 9_980), (9_999, 10_000));
    assert_eq!(signals(cheap, 0, LastEntry::Denied), 1);
    assert_eq!(signals(less, 0, LastEntry::Denied), 0);
    assert_eq!(signals(cheap, 0, LastEntry::Denied), 0, "the same one");
    assert_eq!(signals(met, 0, LastEntry::Denied), 0);
    assert_eq!(signals(cheap, 0, LastEntry::Denied), 1);
    assert_eq!(signals(met, 0, LastEntry::Denied), 0);
    assert_eq!(signals(cheap, 0, LastEntry::Standing), 1);
    assert_eq!(signals(cheap, 1_000, LastEntry::Standing), 0);
    assert_eq!(signals(met, 1_000, LastEntry::Standing), 1);
    assert_eq!(signals(less, 1_000, LastEntry::Standing), 0);
    assert_eq!(signals(met, 1_000, LastEntry::Standing), 1, "it met again");
    assert_eq!(signals(met, 0, LastEntry::Standing), 0);
}

#[test]
fn it_subscribes_to_quotes_of_the_same_assets() {
    let strategy = build("cross_venue_spread", &parameters(&[]), 1).unwrap();
    let reads = strategy.reads();
    assert!(reads.quotes && reads.candles.is_empty());
    assert_eq!(reads.pairing, Pairing::SameAssets);
    let refused = build(
        "cross_venue_spread",
        &parameters(&[("entry_bps", "5"), ("exit_bps", "5")]),
        1,
    );
    assert_eq!(
        refused.unwrap_err().to_string(),
        "params.exit_bps: 5 is not below entry_bps = 5; exit nearer to the price that is read than you enter"
    );
}

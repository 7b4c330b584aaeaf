//! What is put into a mirror comes out in order, conflated and bounded; a kept exchange goes on under it.

use super::*;
use proptest::prelude::*;
use tradewind_model::{Level, OrderKind, Price, Side, TradeId, VenueId};
use tradewind_simx::{ClientId, ExchangeConfig, NewOrder, Size, universe};

fn quote(instrument: u32, bid: i64) -> Quote {
    Quote {
        instrument: InstrumentId(instrument),
        bid: Price(bid),
        ask: Price(bid + 2),
        bid_quantity: Quantity(5),
        ask_quantity: Quantity(5),
        event_time: None,
        received_at: Timestamp::EPOCH,
    }
}

fn trade(instrument: u32, price: i64) -> Trade {
    Trade {
        instrument: InstrumentId(instrument),
        taker: Side::Buy,
        id: TradeId(1),
        price: Price(price),
        quantity: Quantity(1),
        event_time: None,
        received_at: Timestamp::EPOCH,
    }
}

fn depth(instrument: u32, bid: i64) -> Depth {
    let level = |price| Level {
        price: Price(price),
        quantity: Quantity(3),
    };
    Depth {
        instrument: InstrumentId(instrument),
        bids: vec![level(bid), level(bid - 1)],
        asks: vec![level(bid + 2), level(bid + 3)],
        received_at: Timestamp::EPOCH,
    }
}

/// Two of the universe's instruments, at ids of their own.
fn mirror(bases: &[&str]) -> Mirror {
    let listed = universe("binance", VenueId(0));
    let mut assets = AssetTable::default();
    let mut instruments = Vec::new();
    for (id, base) in (0..).map(InstrumentId).zip(bases) {
        let name = format!("binance:{base}/USDT");
        let rules = listed.instruments.iter().find(|one| one.name == name);
        let (base, quote) = (assets.intern(base), assets.intern("USDT"));
        instruments.push(Instrument {
            id,
            base,
            quote,
            settlement: quote,
            ..rules.unwrap().clone()
        });
    }
    Mirror {
        venue: "binance".to_owned(),
        candles: vec![Vec::new(); instruments.len()],
        instruments,
        assets,
        feed: MirrorFeed::default(),
    }
}

/// What an exchange takes in, one word an event.
fn taken(source: &mut MirrorSource) -> Vec<String> {
    let mut words = Vec::new();
    source.advance(Timestamp::from_secs(1), &mut |_, event| {
        words.push(match event {
            MarketEvent::Quote(quote) => format!("q{}:{}", quote.instrument.0, quote.bid.0),
            MarketEvent::Trade(trade) => format!("t{}:{}", trade.instrument.0, trade.price.0),
            MarketEvent::Levels(depth) => {
                format!("b{}:{}", depth.instrument.0, depth.bids[0].price.0)
            }
        });
    });
    words
}

#[test]
fn newer_quotes_make_older_ones_room_and_trades_stay_where_they_were() {
    let mirror = mirror(&["BTC", "ETH"]);
    let (mut source, feed) = (MirrorSource::new(&mirror), mirror.feed.clone());
    feed.quote(quote(0, 100));
    feed.quote(quote(1, 50));
    feed.quote(quote(0, 101));
    feed.trade(trade(0, 103));
    feed.quote(quote(0, 102));
    feed.depth(depth(1, 51));
    feed.quote(quote(1, 52));
    assert_eq!(
        taken(&mut source),
        ["q0:101", "b1:51", "q1:52", "t0:103", "q0:102"]
    );
    assert_eq!(feed.counts().conflated, 2);
    assert_eq!(taken(&mut source), [""; 0], "once");
    // A book makes room for the touch that was told before it, too.
    feed.quote(quote(0, 100));
    feed.depth(depth(0, 101));
    feed.depth(depth(0, 102));
    let counts = feed.counts();
    assert_eq!(
        (counts.published, counts.conflated, counts.waiting),
        (10, 4, 1)
    );
}

#[test]
fn the_inbox_is_bounded_and_what_has_no_room_is_counted() {
    let mirror = mirror(&["BTC"]);
    let (mut source, feed) = (MirrorSource::new(&mirror), mirror.feed.clone());
    for _ in 0..TRADES_MAX + 3 {
        feed.trade(trade(0, 100));
    }
    assert_eq!(feed.counts().dropped, 3);
    assert_eq!(taken(&mut source).len(), TRADES_MAX);
    feed.trade(trade(0, 100));
    assert_eq!(taken(&mut source).len(), 1, "room again");
}

#[test]
fn a_kept_exchange_lists_what_is_new_and_its_assets_keep_their_ids() {
    let before = mirror(&["BTC", "ETH"]);
    let mut exchange = Exchange::new(ExchangeConfig::default(), before.instruments.clone());
    let (mut out, at) = (Outbox::default(), Timestamp::from_secs(5));
    let account = exchange.open_account();
    let usdt = before.assets.find("USDT").unwrap();
    exchange.market(at, MarketEvent::Quote(quote(0, 100)), &mut out);
    let saved = SavedMirror {
        venue: "binance".into(),
        assets: Cow::Borrowed(&before.assets),
    };
    // The same venue, named in another order, with one more.
    let after = mirror(&["SOL", "ETH", "BTC"]);
    let mut source = MirrorSource::kept(&after, saved);
    source.resume(&mut exchange, &after, at).unwrap();
    let names: Vec<&str> = exchange
        .instruments()
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["binance:BTC/USDT", "binance:ETH/USDT", "binance:SOL/USDT"]
    );
    assert_eq!(source.assets().find("USDT"), Some(usdt));
    assert_eq!(exchange.touch(InstrumentId(0)), None, "a book of yesterday");
    let solana = source.assets().find("SOL").unwrap();
    exchange
        .deposit(at, account, solana, tradewind_model::Amount::ONE, &mut out)
        .unwrap();
    // An account from before trades what is new.
    let (name, size) = (ClientId::new("new").unwrap(), Size::Base(Quantity(100)));
    let kind = OrderKind::PostOnly {
        price: Price(20_000),
    };
    let order = NewOrder::new(account, InstrumentId(2), name, Side::Sell, size, kind);
    let waits = exchange.submit(at, &order, &mut out).unwrap();
    assert!(waits.is_open());
    after.feed.quote(quote(0, 10));
    after.feed.quote(quote(2, 30));
    assert_eq!(taken(&mut source), ["q2:10", "q0:30"]);
}

#[test]
fn other_decimals_are_refused_by_name() {
    let before = mirror(&["BTC"]);
    let mut exchange = Exchange::new(ExchangeConfig::default(), before.instruments.clone());
    let saved = SavedMirror {
        venue: "binance".into(),
        assets: Cow::Borrowed(&before.assets),
    };
    let mut after = mirror(&["BTC"]);
    after.instruments[0].price_decimals += 1;
    let resumed = MirrorSource::kept(&after, saved).resume(&mut exchange, &after, Timestamp::EPOCH);
    let told = resumed.unwrap_err().to_string();
    assert!(told.starts_with("binance:BTC/USDT counts"), "{told}");
}

#[test]
fn the_candles_it_begins_with_are_the_venues_at_every_length() {
    let mut mirror = mirror(&["BTC"]);
    let unit = mirror.instruments[0].quantity_amount(Quantity(1));
    let candle = |interval: Interval, minute: i64, close: i64| Candle {
        instrument: InstrumentId(0),
        interval,
        complete: true,
        open_time: Timestamp::from_secs(minute * 60),
        open: Price(close),
        high: Price(close),
        low: Price(close),
        close: Price(close),
        volume: unit,
    };
    mirror.candles[0] = vec![
        candle(Interval::Hour1, 0, 7),
        candle(Interval::Hour1, 60, 8),
        candle(Interval::Minute1, 120, 9),
        candle(Interval::Minute1, 121, 10),
    ];
    let mut store = MirrorSource::new(&mirror).kline_store(&mirror, &mirror.instruments);
    let mut closes = |interval| {
        let range = tradewind_simx::KlineRange::newest(10);
        let found = store.klines(InstrumentId(0), interval, range);
        found.iter().map(|kline| kline.close.0).collect::<Vec<_>>()
    };
    assert_eq!(closes(Interval::Hour1), [7, 8, 10]);
    assert_eq!(closes(Interval::Minute1).split_off(2), [] as [i64; 0]);
}

proptest! {
    /// However often the exchange looks, it ends at the newest quote, and has seen every trade in order.
    #[test]
    fn nothing_but_superseded_quotes_is_lost(steps in prop::collection::vec((0_u32..2, 0_u8..4, 10_i64..99), 0..60)) {
        let mirror = mirror(&["BTC", "ETH"]);
        let (mut source, feed) = (MirrorSource::new(&mirror), mirror.feed.clone());
        let (mut seen, mut trades) = (Vec::new(), Vec::new());
        let mut newest = BTreeMap::new();
        for (instrument, what, price) in steps {
            match what {
                0 => feed.quote(quote(instrument, price)),
                1 => feed.depth(depth(instrument, price)),
                2 => {
                    feed.trade(trade(instrument, price));
                    trades.push(format!("t{instrument}:{price}"));
                }
                _ => seen.extend(taken(&mut source)),
            }
            if what < 2 {
                newest.insert(instrument, price);
            }
        }
        seen.extend(taken(&mut source));
        let is_trade = |word: &&String| word.starts_with('t');
        prop_assert!(seen.iter().filter(is_trade).eq(trades.iter()));
        for (instrument, price) in newest {
            let kinds = ["q", "b"].map(|kind| format!("{kind}{instrument}:"));
            let ends = |word: &&String| kinds.iter().any(|kind| word.starts_with(kind));
            let last = seen.iter().rfind(ends).unwrap();
            prop_assert!(last.ends_with(&format!(":{price}")), "{last} but {price}");
        }
    }
}

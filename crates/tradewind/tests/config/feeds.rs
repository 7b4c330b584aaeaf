//! Venues that give prices only.

use tradewind::config::{AbsentInstruments, VenueSettings};
use tradewind_model::{InstrumentId, VenueId};
use tradewind_simx::universe;
use tradewind_venues::BookSource;

use crate::{BASE, errors, read};

/// The base with more in front of its account.
fn with(venue: &str) -> String {
    BASE.replace("[accounts.paper]", &format!("{venue}\n[accounts.paper]"))
}

/// The only error of a text.
#[track_caller]
fn error(text: &str) -> String {
    let found = errors(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].clone()
}

#[test]
fn a_venue_of_prices_needs_its_kind_only_and_bots_read_it() {
    let reads = "instruments = [\"BTC/USDT\"]\nreads = [\"okx:BTC/USDT\", \"spot:ETH/USDT\"]";
    let text = with("[venues.okx]\nkind = \"okx\"\n[venues.spot]\nkind = \"bybit\"\n");
    let config = read(&text.replace("instruments = [\"BTC/USDT\"]", reads)).unwrap();
    let addresses = |venue: &VenueSettings| {
        [&venue.rest_url, &venue.ws_url, &venue.ws_api_url].map(Clone::clone)
    };
    let venues: Vec<[String; 3]> = config.venues.iter().map(addresses).collect();
    assert_eq!(
        venues[1..],
        [
            ["https://www.okx.com", "wss://ws.okx.com:8443", ""],
            ["https://api.bybit.com", "wss://stream.bybit.com", ""],
        ]
    );
    assert!(
        config
            .instrument_names()
            .contains(&"spot:ETH/USDT".to_owned())
    );
    let again = read(&config.show()).unwrap();
    assert_eq!(again.venues, config.venues);
}

#[test]
fn each_venue_of_prices_has_its_own_addresses() {
    for (kind, rest, streams) in [
        ("kraken", "https://api.kraken.com", "wss://ws.kraken.com"),
        (
            "coinbase",
            "https://api.coinbase.com",
            "wss://advanced-trade-ws.coinbase.com",
        ),
    ] {
        let config = read(&with(&format!("[venues.x]\nkind = \"{kind}\"\n"))).unwrap();
        let venue = config
            .venues
            .iter()
            .find(|venue| venue.name == "x")
            .unwrap();
        assert_eq!((&*venue.rest_url, &*venue.ws_url), (rest, streams));
    }
}

#[test]
fn books_come_whole_unless_the_configuration_says_otherwise() {
    let books = |text: &str| read(text).unwrap().venues[0].books;
    assert_eq!(books(BASE), BookSource::Top20);
    let diffs = BASE.replace("kind = \"binance\"", "kind = \"binance\"\nbook = \"diffs\"");
    assert_eq!(books(&diffs), BookSource::Diffs);
}

#[test]
fn nothing_is_traded_at_a_venue_of_prices() {
    let okx = with("[venues.okx]\nkind = \"okx\"\n");
    let account =
        "[accounts.other]\nvenue = \"okx\"\nmode = \"paper\"\nbalances = { USDT = 1 }\n\n[limits]";
    let refused = error(&okx.replace("[limits]", account));
    for part in [
        "accounts.other.venue",
        "okx gives prices only",
        "name the venue binance",
        "reads = [\"okx:BTC/USDT\"]",
    ] {
        assert!(refused.contains(part), "{refused:?} lacks {part:?}");
    }
    let trades = okx.replacen("[\"BTC/USDT\"]", "[\"okx:BTC/USDT\"]", 1);
    assert!(error(&trades).contains("is not an instrument of account"));
}

#[test]
fn addresses_are_encrypted_and_none_is_for_orders() {
    let okx = |line: &str| with(&format!("[venues.okx]\nkind = \"okx\"\n{line}\n"));
    assert_eq!(
        errors(&okx("rest_url = \"http://127.0.0.1:9\"")),
        Vec::<String>::new()
    );
    let plain = error(&okx("ws_url = \"ws://ws.okx.com:8443\""));
    assert!(plain.contains("venues.okx.ws_url"), "{plain}");
    let orders = error(&okx("ws_api_url = \"wss://ws.okx.com:8443/ws/v5/private\""));
    assert!(
        orders.contains("no order goes there; remove it"),
        "{orders}"
    );
    let line = "ws_api_url = \"wss://ws-api.binance.com:443/ws-api/v3\"\n";
    let missing = error(&BASE.replace(line, ""));
    assert!(
        missing.contains("venues.binance.ws_api_url: missing; write ws_api_url"),
        "{missing}"
    );
}

#[test]
fn a_strategy_that_compares_needs_the_same_product_of_another_venue() {
    let okx = with("[venues.okx]\nkind = \"okx\"\n");
    let spread = okx.replacen(
        "strategy = \"ma_cross\"",
        "strategy = \"cross_venue_spread\"",
        1,
    );
    let spread = spread.replacen("params = { fast = 10, slow = 20 }", "", 1);
    let alone = error(&spread);
    for part in [
        "bots[0].reads",
        "cross_venue_spread compares binance:BTC/USDT with another venue, and none is read",
        "[\"okx:BTC/USDT\"]",
    ] {
        assert!(alone.contains(part), "{alone:?} lacks {part:?}");
    }
    let reads = |other: &str| {
        let reads = format!("instruments = [\"BTC/USDT\"]\nreads = [\"{other}\"]");
        spread.replacen("instruments = [\"BTC/USDT\"]", &reads, 1)
    };
    assert!(error(&reads("okx:ETH/USDT")).contains("none is read"));
    assert_eq!(errors(&reads("okx:BTC/USDT")), Vec::<String>::new());
}

#[test]
fn a_second_source_is_another_instrument_of_the_same_base() {
    let venue = "[venues.okx]\nkind = \"okx\"\n[venues.binance.references]\n";
    let text = |line: &str| with(&format!("{venue}{line}\n"));
    let config = read(&text(
        "\"BTC/USDT\" = \"okx:BTC/USDT\"\n\"ETH/USDT\" = { source = \"okx:ETH/USDC\", within = \"0.5%\" }",
    ))
    .unwrap();
    let references: Vec<_> = config.venues[0].references.clone();
    let shown: Vec<(&str, &str, i64)> = references
        .iter()
        .map(|one| (&*one.instrument, &*one.source, one.within.0))
        .collect();
    assert_eq!(
        shown,
        [
            ("binance:BTC/USDT", "okx:BTC/USDT", 10_000),
            ("binance:ETH/USDT", "okx:ETH/USDC", 5_000),
        ]
    );
    let names = config.instrument_names();
    assert!(names.contains(&"okx:BTC/USDT".to_owned()), "{names:?}");
    assert_eq!(read(&config.show()).unwrap().venues, config.venues);
    let refused = [
        ("\"BTC/USDT\" = \"okx:ETH/USDT\"", "another product"),
        (
            "\"BTC/USDT\" = \"binance:BTC/USDT\"",
            "no second source of itself",
        ),
        ("\"BTC/USDT\" = \"okex:BTC/USDT\"", "no venue \"okex\""),
        ("\"BTC/USDT\" = \"BTC/USDT\"", "is no instrument"),
        ("\"BTC/USDT\" = { within = \"1%\" }", "no source"),
        ("BTC = \"okx:BTC/USDT\"", "is no product"),
    ];
    for (line, wanted) in refused {
        let found = error(&text(line));
        assert!(found.contains("venues.binance.references"), "{found}");
        assert!(found.contains(wanted), "{line}: {found}");
    }
}

/// A second source has none itself: nothing is entered there.
#[test]
fn second_sources_of_second_sources_are_left_out() {
    let text = with(
        "[venues.okx]\nkind = \"okx\"\n[venues.okx.references]\n\"BTC/USDT\" = \"bybit:BTC/USDT\"\n\
         [venues.bybit]\nkind = \"bybit\"\n[venues.binance.references]\n\"BTC/USDT\" = \"okx:BTC/USDT\"\n",
    );
    let config = read(&text).unwrap();
    let market = universe("binance", VenueId(0));
    let resolved = config
        .resolve(
            &market.instruments,
            market.assets,
            AbsentInstruments::NoData,
        )
        .unwrap();
    let name = |id: InstrumentId| resolved.instruments[id.index()].name.as_str();
    let pairs = resolved.references.iter();
    let pairs: Vec<_> = pairs
        .map(|one| (name(one.instrument), name(one.source)))
        .collect();
    assert_eq!(pairs, [("binance:BTC/USDT", "okx:BTC/USDT")]);
}

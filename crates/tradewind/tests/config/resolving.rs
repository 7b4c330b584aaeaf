//! From names to ids.

use tradewind::config::AbsentInstruments;
use tradewind_model::{AccountId, InstrumentId, InstrumentStatus, VenueId};
use tradewind_simx::universe;

use crate::{BASE, read};

#[test]
fn used_instruments_get_dense_ids_in_the_order_of_their_use() {
    let config = read(BASE).unwrap();
    let market = universe("binance", VenueId(0));
    let resolved = config
        .resolve(
            &market.instruments,
            market.assets,
            AbsentInstruments::Refuse,
        )
        .unwrap();
    let names: Vec<_> = resolved
        .instruments
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["binance:BTC/USDT", "binance:ETH/USDT", "binance:SOL/USDT"]
    );
    assert_eq!(names, config.instrument_names());
    let ids = resolved.instruments.iter().map(|one| one.id);
    assert!(ids.eq((0..3).map(InstrumentId)));
    assert_eq!(
        resolved.bots[1].instruments,
        [InstrumentId(1), InstrumentId(2)]
    );
    assert_eq!(resolved.bots[1].account, AccountId(0));
    assert_eq!(resolved.assets.name(resolved.report_asset), "USDT");
    assert_eq!(resolved.assets.name(resolved.instruments[1].base), "ETH");
    assert_eq!(resolved.fee.to_string(), "0.001");
    assert_eq!(resolved.bots[1].parameters.len(), 2, "both timeframes");
    assert!(resolved.own_gaps);
}

#[test]
fn an_instrument_the_venue_does_not_list_is_an_error_or_has_no_data() {
    let config = read(BASE).unwrap();
    let mut market = universe("binance", VenueId(0));
    market
        .instruments
        .retain(|one| one.name != "binance:BTC/USDT");

    let refused = config
        .resolve(
            &market.instruments,
            market.assets.clone(),
            AbsentInstruments::Refuse,
        )
        .unwrap_err()
        .to_string();
    assert!(refused.contains("2 errors in test.toml"), "{refused}");
    assert!(
        refused.contains("bots[0].instruments[0] (line "),
        "{refused}"
    );
    assert!(
        refused.contains("bots[2].instruments[0] (line "),
        "{refused}"
    );

    let allowed = config
        .resolve(
            &market.instruments,
            market.assets,
            AbsentInstruments::NoData,
        )
        .unwrap();
    assert!(!allowed.own_gaps, "recorded data goes by stale_after alone");
    let status = |index: usize| allowed.instruments[index].status;
    assert_eq!(status(0), InstrumentStatus::NoData);
    assert_eq!(status(1), InstrumentStatus::Trading);
    assert_eq!(allowed.assets.name(allowed.instruments[0].base), "BTC");
}

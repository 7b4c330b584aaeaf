//! The objects of `filters.json`. What its tables accept and reject is decided in the exchange's core, not here.

use std::collections::BTreeSet;

use serde_json::Value;
use tradewind_testkit::test_data;

use crate::client::TestServer;

/// Documented filters that no instrument here has.
const LEFT_OUT: [&str; 9] = [
    "PERCENT_PRICE",                   // the one by side is used
    "MIN_NOTIONAL",                    // NOTIONAL is used
    "ICEBERG_PARTS",                   // there are no iceberg orders
    "MAX_NUM_ICEBERG_ORDERS",          // there are no iceberg orders
    "EXCHANGE_MAX_NUM_ICEBERG_ORDERS", // there are no iceberg orders
    "MAX_POSITION",                    // positions are not limited
    "EXCHANGE_MAX_NUM_ORDERS",         // counted by instrument
    "EXCHANGE_MAX_NUM_ALGO_ORDERS",    // counted by instrument
    "EXCHANGE_MAX_NUM_ORDER_LISTS",    // counted by instrument
];
/// The same, of assets.
const LEFT_OUT_OF_ASSETS: &str = "MAX_ASSET";

#[tokio::test]
async fn filters_have_the_documented_fields() {
    let Some(path) = test_data("known_answers/filters.json") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let documented: Value = serde_json::from_str(&text).unwrap();
    let documented = documented["documented_objects"].as_array().unwrap();
    let server = TestServer::start();
    let (_, info) = server.get("/api/v3/exchangeInfo?symbol=BTCUSDT").await;
    let filters = info["symbols"][0]["filters"].as_array().unwrap();
    let keys = |filter: &Value| filter.as_object().unwrap().keys().cloned().collect();
    let mut compared = BTreeSet::new();
    for filter in filters {
        let name = filter["filterType"].as_str().unwrap();
        let wanted = documented.iter().find(|known| known["filterType"] == name);
        let (wanted, found): (BTreeSet<String>, BTreeSet<String>) =
            (keys(wanted.unwrap()), keys(filter));
        assert_eq!(found, wanted, "{name}");
        compared.insert(name);
    }
    for name in documented
        .iter()
        .map(|known| known["filterType"].as_str().unwrap())
    {
        let left_out = LEFT_OUT.contains(&name) || name == LEFT_OUT_OF_ASSETS;
        assert!(compared.contains(name) != left_out, "{name}");
    }
    server.stop().await;
}

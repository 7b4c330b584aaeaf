//! Bots that an outside process steers: which source, and what becomes of a position when a target expires.

use tradewind_events::{ExternalControl, WakeRule};
use tradewind_model::OnExpiry;

use crate::{changed, errors, read};

const SOURCE: &str = "[sources.signals]\nkind = \"tcp\"\naddress = \"tcp://127.0.0.1:9100\"\ninstruments = [{ name = \"BTC/USDT\" }]\n";

/// A desk with a source, whose bot has `keys` in place of its strategy and its parameters.
fn with(keys: &str) -> String {
    let base = changed("[accounts.paper]", &format!("{SOURCE}\n[accounts.paper]"));
    let base = base.replace("params = { fast = 10, slow = 20 }", "");
    base.replace("strategy = \"ma_cross\"", keys)
}

#[test]
fn a_bot_follows_the_source_that_it_names() {
    for (more, on_expiry) in [
        ("", OnExpiry::Flat),
        ("on_expiry = \"flat\"", OnExpiry::Flat),
        ("on_expiry = \"hold\"", OnExpiry::Hold),
    ] {
        let keys = format!("strategy = \"external\"\nsource = \"signals\"\n{more}");
        let config = read(&with(&keys)).unwrap();
        let control = ExternalControl {
            source: "signals".to_owned(),
            on_expiry,
        };
        assert_eq!(config.bots[0].external, Some(control));
        assert_eq!(config.bots[0].wakes(), [WakeRule::Quotes]);
        let again = read(&config.show()).unwrap();
        assert_eq!(again.bots, config.bots);
    }
}

#[test]
fn mistakes_of_a_steered_bot_name_the_key_and_the_cure() {
    let external = "strategy = \"external\"";
    for (keys, wanted) in [
        (external.to_owned(), ["bots[0].source", "missing"]),
        (
            format!("{external}\nsource = \"signal\""),
            ["bots[0].source", "did you mean \"signals\"?"],
        ),
        (
            format!("{external}\nsource = \"signals\"\non_expiry = \"keep\""),
            ["bots[0].on_expiry", "\"hold\""],
        ),
        (
            format!("{external}\nsource = \"signals\"\nlane = \"thread\""),
            ["bots[0].lane", "needs no thread"],
        ),
        (
            "strategy = \"ma_cross\"\nsource = \"signals\"".to_owned(),
            ["bots[0].source", "only an external bot"],
        ),
    ] {
        let found = errors(&with(&keys));
        assert_eq!(found.len(), 1, "{keys}: {found:?}");
        for part in wanted {
            assert!(found[0].contains(part), "{keys}: {found:?}");
        }
    }
}

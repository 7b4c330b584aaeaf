//! Bots in place of those of the configuration (H07).

use std::collections::BTreeMap;

use tradewind::config::{BotChange, ConfigErrors, DeskConfig, Listing, SettingChange, Sources};

use crate::{BASE, changed, read};

fn with_bots(desk: &DeskConfig, text: &str) -> Result<DeskConfig, ConfigErrors> {
    desk.with_bots(&Sources {
        file: "bots.toml",
        text,
        environment: &BTreeMap::new(),
        listing: Listing::Generated,
    })
}

/// The base's bots alone.
fn bots(text: &str) -> String {
    let (_, bots) = text.split_once("[[bots]]").unwrap();
    format!("[[bots]]{bots}")
}

fn errors(desk: &DeskConfig, text: &str) -> Vec<String> {
    let error = with_bots(desk, text).unwrap_err();
    error.errors.iter().map(ToString::to_string).collect()
}

#[test]
fn bots_alone_or_in_the_whole_file_take_the_place_of_the_others() {
    let desk = read(BASE).unwrap();
    for text in [BASE.to_owned(), bots(BASE)] {
        let same = with_bots(&desk, &text).unwrap();
        assert_eq!((&same.bots, &same.limits), (&desk.bots, &desk.limits));
        assert_eq!(desk.bot_changes(&same), []);
    }
    let text = bots(BASE)
        .replacen("budget = 500\n", "budget = 600\nmax_positions = 1\n", 1)
        .replacen(
            "params = { fast = 10, slow = 20 }",
            "params = { fast = 12, slow = 20 }",
            1,
        )
        .replacen("id = \"third\"", "id = \"fourth\"", 1);
    let other = with_bots(&desk, &text).unwrap();
    let change = |key: &str, before: &str, after: &str| SettingChange {
        key: key.to_owned(),
        before: Some(before.to_owned()),
        after: Some(after.to_owned()),
    };
    let settings = vec![
        change("budget", "500", "600"),
        change("params.fast", "10", "12"),
    ];
    let wanted = [
        ("first".to_owned(), BotChange::Changed(settings)),
        ("fourth".to_owned(), BotChange::Added),
        ("third".to_owned(), BotChange::Removed),
    ];
    assert_eq!(desk.bot_changes(&other), wanted);
    assert_eq!(
        wanted[0].1.to_string(),
        "budget 500 -> 600, params.fast 10 -> 12"
    );
    // What is kept of them is read again as the same.
    let again = with_bots(&desk, &other.bots_text()).unwrap();
    assert_eq!(again.bots, other.bots);
    assert_eq!(other.bot_changes(&again), []);
}

#[test]
fn everything_that_is_wrong_is_reported_at_its_place() {
    let desk = read(BASE).unwrap();
    let text = bots(BASE)
        .replacen("budget = 500\n", "budget = \"much\"\n", 1)
        .replacen("\"ETH/USDT\"", "\"NOPE/USDT\"", 1)
        .replacen("wake = \"every 15m\"", "wakes = \"every 15m\"", 1);
    let found = errors(&desk, &text);
    for (error, path) in found.iter().zip([
        "bots[0].budget (line 6",
        "bots[1].instruments",
        "bots[2].wakes",
    ]) {
        assert!(error.starts_with(path), "{error:?} is not of {path}");
    }
    assert!(found.len() >= 3, "{found:#?}");
    assert_eq!(
        errors(&desk, ""),
        ["there is nothing in it; write every bot that is to run as [[bots]]"]
    );
}

#[test]
fn settings_of_the_desk_do_not_change_while_it_runs() {
    let desk = read(BASE).unwrap();
    let found = errors(&desk, &changed("turnover_max = 10", "turnover_max = 20"));
    let [error] = &found[..] else {
        panic!("{found:#?}")
    };
    let wanted = "limits.turnover_max (line 48, column 1): the desk runs with 10, and only bots change while it runs; ";
    assert!(error.starts_with(wanted), "{error}");
    assert!(error.ends_with("or start the desk again"), "{error}");
}

//! One mistake at a time, then many at once.

use crate::{BASE, changed, errors, read, read_with};

/// Replaces `from` by `to` in the base file and expects exactly one error, which contains all of `wanted`.
fn check(from: &str, to: &str, wanted: &[&str]) {
    let found = errors(&changed(from, to));
    let [error] = found.as_slice() else {
        panic!("{to:?} gives {found:#?}");
    };
    for part in wanted {
        assert!(error.contains(part), "{error:?} lacks {part:?}");
    }
}

#[test]
fn the_base_is_in_order() {
    assert_eq!(errors(BASE), Vec::<String>::new());
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    let unknown = "unknown key; did you mean";
    check(
        "collar =",
        "colar = 0.02\ncollar =",
        &["limits.colar (line 18, column 1): ", unknown, "\"collar\""],
    );
    check(
        "[limits]",
        "[limit]\n[limits]",
        &["limit (line 13", unknown, "\"limits\""],
    );
    check(
        "wake = ",
        "wakes = \"quotes\"\nwake = ",
        &["bots[2].wakes (line ", unknown, "\"wake\""],
    );
    check(
        "stop = \"none\"",
        "stop = \"none\", trail = 0.1",
        &["bots[2].exit.trail (", unknown, "\"trailing\""],
    );
    check(
        "chases = 2",
        "chases = 2, tiemout = \"2s\"",
        &["bots[1].policy.tiemout", unknown, "\"timeout\""],
    );
    check(
        "mode = \"paper\"",
        "mode = \"paper\"\nzzzzzz = 1",
        &["accounts.paper.zzzzzz", "the keys here are venue, mode"],
    );
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    let text = changed(
        "mode = \"paper\"",
        "mode = \"paper\"\napi_secret = \"hunter2hunter2\"",
    );
    let found = errors(&text).join("\n");
    assert!(found.contains("accounts.paper.api_secret"), "{found}");
    assert!(!found.contains("hunter2"), "{found}");
    let live = "mode = \"live\"\nsecret_env = \"hunter2+hunter2/\"";
    let text = changed("mode = \"paper\"\nbalances = { USDT = 10_000 }", live);
    let found = errors(&text).join("\n");
    assert!(
        found.contains("not the name of an environment variable"),
        "{found}"
    );
    assert!(!found.contains("hunter2"), "{found}");
}

#[test]
fn a_missing_limit_is_named_with_what_to_write() {
    check(
        "collar = 0.02\n",
        "",
        &["limits.collar: missing; write collar = \"2%\""],
    );
    let (before, behind) = BASE.split_once("[limits]").unwrap();
    let bots = behind.split_once("[[bots]]").unwrap().1;
    let found = errors(&format!("{before}[[bots]]{bots}"));
    assert_eq!(found.len(), 38, "{found:#?}");
}

#[test]
fn a_wrong_type_or_range_says_what_to_write() {
    check(
        "collar = 0.02",
        "collar = 5",
        &["limits.collar (line 18", "5 is not in the range", "\"5%\""],
    );
    check("collar = 0.02", "collar = true", &["true is no number"]);
    check(
        "collar = 0.02",
        "collar = 0.0000001",
        &["more decimal places than the 6 allowed"],
    );
    check(
        "collar = 0.02",
        "collar = 2e-2",
        &["not a plain decimal number"],
    );
    check(
        "order_value_max = 1000",
        "order_value_max = 0",
        &["0 is not above 0"],
    );
    check(
        "order_value_max = 1000",
        "order_value_max = \"1,000\"",
        &["\"1,000\" is not a plain decimal"],
    );
    check(
        "\"15s\"",
        "15",
        &["limits.intent_ttl_candle", "the number 15 is no duration"],
    );
    check(
        "\"15s\"",
        "\"15 seconds\"",
        &["is no duration", "\"250ms\""],
    );
    check(
        "\"2/s burst 5\"",
        "\"2 per s\"",
        &["is no rate", "\"2/s burst 5\""],
    );
    check(
        "max_positions = 2",
        "max_positions = 0",
        &["bots[1].max_positions", "0 is too few"],
    );
    check(
        "max_positions = 2",
        "max_positions = 2.5",
        &["the number 2.5 is no count"],
    );
    check(
        "max_positions = 2",
        "max_positions = 3",
        &["3 positions in 2 instruments"],
    );
    check(
        "wake = \"every 15m\"",
        "wake = \"every 15x\"",
        &["bots[2].wake", "no duration"],
    );
    check(
        "wake = \"every 15m\"",
        "wake = \"candles\"",
        &["momentum_timer is not made for that"],
    );
    check("wake = \"every 15m\"\n", "", &["bots[2].wake: missing"]);
    check(
        "\"5m\", \"1h\"",
        "\"5m\", \"7h\"",
        &["bots[1].timeframes[1]", "no candles of \"7h\""],
    );
    check(
        "\"5m\", \"1h\"",
        "\"5m\"",
        &["bots[1].timeframes", "interval, trend_interval"],
    );
    check(
        "chases = 2, then = \"cross\"",
        "then = \"never\"",
        &["bots[1].policy.then", "\"cancel\" or \"cross\""],
    );
    check(
        "timeout = \"20s\", ",
        "",
        &["bots[1].policy.timeout", "chases or then need it"],
    );
    check(
        "{ risk_to_stop = 0.01 }",
        "{ share = 0.5, fixed = 1 }",
        &["bots[1].sizer", "exactly one key"],
    );
    check(
        "stop = 0.02,",
        "stop = \"none\",",
        &["bots[1].sizer", "needs a stop"],
    );
    check(
        "[\"30m\", \"1%\"], [\"2h\", \"0.2%\"]",
        "[\"2h\", \"1%\"], [\"30m\", \"0.2%\"]",
        &["do not ascend"],
    );
    check(
        "exit = { stop = \"none\" }",
        "exit = {}",
        &["bots[2].exit.stop: missing", "stop = \"2%\"", "or \"none\""],
    );
    check(
        "exit = { stop = \"none\" }",
        "exit = \"none\"",
        &["bots[2].exit", "the text \"none\" is not a table"],
    );
}

#[test]
fn names_must_exist() {
    check(
        "strategy = \"ma_cross\"",
        "strategy = \"ma_cros\"",
        &["bots[0].strategy", "did you mean ma_cross?"],
    );
    check(
        "strategy = \"ma_cross\"",
        "strategy = \"fault_panic\"",
        &["broken on purpose", "desk.test_strategies = true"],
    );
    check(
        "fast = 10",
        "fsat = 10",
        &[
            "bots[0].params.fsat (line ",
            "no such parameter",
            "did you mean fast?",
        ],
    );
    check(
        "fast = 10",
        "fast = 30",
        &["bots[0].params.fast", "30 is not below slow = 20"],
    );
    check(
        "fast = 10",
        "fast = \"ten\"",
        &["bots[0].params.fast", "\"ten\" is a text"],
    );
    check(
        "\"ETH/USDT\"",
        "\"EHT/USDT\"",
        &[
            "bots[1].instruments[0]",
            "does not list binance:EHT/USDT",
            "\"binance:ETH/USDT\"",
        ],
    );
    check(
        "\"ETH/USDT\"",
        "\"ETHUSDT\"",
        &["\"ETHUSDT\" is no instrument", "BASE/QUOTE"],
    );
    check(
        "\"ETH/USDT\"",
        "\"binnance:ETH/USDT\"",
        &["no venue \"binnance\"", "\"binance\""],
    );
    check(
        "\"ETH/USDT\"",
        "\"SOL/USDT\"",
        &["bots[1].instruments", "binance:SOL/USDT is named twice"],
    );
    check(
        "id = \"third\"",
        "id = \"first\"",
        &["bots[2].id", "a bot before this one"],
    );
    check(
        "id = \"third\"",
        "id = \"Third Bot\"",
        &["bots[2].id", "cannot be a name"],
    );
    check(
        "id = \"third\"\nstrategy = \"momentum_timer\"\naccount = \"paper\"",
        "id = \"third\"\nstrategy = \"momentum_timer\"\naccount = \"papier\"",
        &["bots[2].account", "did you mean \"paper\"?"],
    );
    check(
        "[accounts.paper]\nvenue = \"binance\"",
        "[accounts.paper]\nvenue = \"binanse\"",
        &["accounts.paper.venue", "did you mean \"binance\"?"],
    );
}

#[test]
fn what_trades_for_real_is_encrypted_and_has_keys() {
    check(
        "https://api",
        "http://api",
        &["venues.binance.rest_url", "use https://"],
    );
    check(
        "wss://stream",
        "ws://stream",
        &["venues.binance.ws_url", "use wss://"],
    );
    check(
        "binance.com:9443",
        "binance.com:9443/ws",
        &["venues.binance.ws_url", "the path /ws is one too many"],
    );
    check(
        "mode = \"paper\"",
        "mode = \"paper\"\nkey_env = \"KEY\"",
        &["accounts.paper.key_env", "signs nothing"],
    );
    check(
        "balances = { USDT = 10_000 }\n",
        "",
        &["accounts.paper.balances: a paper account needs"],
    );
    check(
        "balances = { USDT = 10_000 }",
        "balances = { usdt = 10_000 }",
        &["accounts.paper.balances.usdt", "not the name of an asset"],
    );
    check(
        "[limits]",
        "[api]\nlisten = \"0.0.0.0:8787\"\n[limits]",
        &["api.listen", "other machines"],
    );
    check(
        "[limits]",
        "[telegram]\nusers = [-5]\n[limits]",
        &["telegram.users[0]", "groups and channels"],
    );
    check(
        "[limits]",
        "[telegram]\nusers = [5]\nnotify = { order_fild = \"on\" }\n[limits]",
        &["telegram.notify.order_fild", "\"order_filled\""],
    );
}

#[test]
fn malformed_toml_is_told_by_line_and_column() {
    let first = |from, to| errors(&changed(from, to)).into_iter().next().unwrap();
    let check = |from, to, wanted: &str| {
        let error = first(from, to);
        assert!(error.starts_with(wanted), "{error}");
        assert!(error.contains("not TOML: "), "{error}");
    };
    check("collar = 0.02", "collar = = 0.02", "line 18, column 10: ");
    check("[limits]", "[limits", "line 13, column ");
    check(
        "collar = 0.02",
        "collar = 0.02\ncollar = 0.03",
        "line 19, column 1: ",
    );
    check("id = \"first\"", "id = \"first", "line 54, column ");
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = BASE
        .replace("collar =", "colar =")
        .replace("fast = 10", "fast = 10.5")
        .replace("budget = 500\n", "budget = -1\n")
        .replace("\"ETH/USDT\"", "\"XYZ/USDT\"");
    let paths: Vec<String> = errors(&text)
        .iter()
        .map(|error| {
            error
                .split([':', ' '])
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    let wanted = [
        "limits.colar",
        "bots[0].budget",
        "bots[0].params.fast",
        "bots[1].instruments[0]",
        "bots[2].budget",
        "limits.collar",
    ];
    assert_eq!(paths, wanted);
}

#[test]
fn the_environment_overrides_and_is_blamed() {
    let read = |name, value| read_with(BASE, &[(name, value)]);
    let config = read("TRADEWIND__LIMITS__COLLAR", "0.01").unwrap();
    assert_eq!(config.limits.collar.unwrap().to_string(), "0.01");
    let config = read("TRADEWIND__API__LISTEN", "127.0.0.1:0").unwrap();
    assert_eq!(config.api.listen.port(), 0);
    let config = read("TRADEWIND__BOTS__0__PARAMS__FAST", "5").unwrap();
    assert!(config.show().contains("params = { fast = 5, slow = 20 }"));
    assert!(read("TRADEWIND_TOKEN", "secret").is_ok());

    let blamed = |name: &str, value, wanted: &str| {
        let found = read_with(BASE, &[(name, value)]).unwrap_err().to_string();
        assert!(found.contains(wanted) && found.contains(name), "{found}");
    };
    blamed("TRADEWIND__LIMITS__COLAR", "0.01", "limits.colar");
    blamed(
        "TRADEWIND__LIMITS__COLLAR",
        "much",
        "\"much\" is not a plain decimal number",
    );
    blamed(
        "TRADEWIND__BOTS__9__BUDGET",
        "5",
        "it has 3, counted from 0",
    );
    blamed("TRADEWIND__LIMITS__", "5", "ends too early");
}

/// A desk with a house source.
fn with_source(source: &str) -> String {
    changed("[accounts.paper]", &format!("{source}\n[accounts.paper]"))
}

const SOURCE: &str = "[sources.house]\nkind = \"tcp\"\naddress = \"tcp://127.0.0.1:9100\"\ninstruments = [{ name = \"BTC/USDT\" }]\n";

#[test]
fn a_source_is_read_shown_and_read_by_bots() {
    let text = with_source(SOURCE).replace(
        "instruments = [\"BTC/USDT\"]",
        "instruments = [\"BTC/USDT\"]\nreads = [\"house:BTC/USDT\"]",
    );
    let config = read(&text).unwrap();
    assert!(
        config
            .instrument_names()
            .contains(&"house:BTC/USDT".to_owned())
    );
    let again = read(&config.show()).unwrap();
    assert_eq!(again.sources, config.sources);
    assert_eq!(config.sources[0].instruments[0].symbol, "BTC/USDT");
}

#[test]
fn mistakes_in_a_source_name_the_key_and_the_cure() {
    let check = |from: &str, to: &str, parts: &[&str]| {
        assert!(SOURCE.contains(from), "{from}");
        let found = errors(&with_source(&SOURCE.replace(from, to)));
        assert_eq!(found.len(), 1, "{to}: {found:?}");
        for part in parts {
            assert!(found[0].contains(part), "{to}: {found:?}");
        }
    };
    check("house", "binance", &["sources.binance", "there is a venue"]);
    check("\"tcp\"", "\"udp\"", &["sources.house.kind", "\"redis\""]);
    check(
        "tcp://127.0.0.1",
        "tcp://10.0.0.1",
        &["sources.house.address", "use tls://"],
    );
    check(
        "tcp://127.0.0.1",
        "tcp://me:secret@127.0.0.1",
        &["sources.house.address", "environment"],
    );
    check(
        "tcp://",
        "http://",
        &["sources.house.address", "must start with tls://"],
    );
    check(
        "[{ name = \"BTC/USDT\" }]",
        "[]",
        &["sources.house.instruments", "name at least one"],
    );
    check(
        "\"BTC/USDT\"",
        "\"btc\"",
        &["sources.house.instruments[0].name", "BASE/QUOTE"],
    );
    check(
        "\"BTC/USDT\"",
        "\"BTC/USDT\", price_decimals = 12",
        &["price_decimals", "from 0 to 9"],
    );
    check(
        "{ name",
        "{ name = \"ETH/USDT\", symbol = \"BTC/USDT\" }, { name",
        &["named twice"],
    );
    check(
        "\"tcp\"\n",
        "\"tcp\"\nchannels = [\"x\"]\n",
        &["sources.house.channels", "remove it"],
    );
    check(
        "\"tcp\"\n",
        "\"tcp\"\nheartbeat = \"0s\"\n",
        &["sources.house.heartbeat"],
    );
    check(
        "\"tcp\"\n",
        "\"tcp\"\npassword = \"x\"\n",
        &["sources.house.password", "unknown key"],
    );
    let redis = ("\"tcp\"\naddress = \"tcp:", "\"redis\"\naddress = \"redis:");
    check(
        redis.0,
        redis.1,
        &["sources.house.channels", "write channels = [\"prices\"]"],
    );
    let both = "\"redis\"\nchannels = [\"x\"]\nstreams = [\"y\"]\naddress = \"redis:";
    check(redis.0, both, &["not both"]);
    let user = "\"redis\"\nchannels = [\"x\"]\nuser = \"desk\"\naddress = \"redis:";
    check(redis.0, user, &["sources.house.user", "token_env"]);
    let socket = "\"websocket\"\nsubscribe = \"all\"\naddress = \"ws:";
    check(redis.0, socket, &["sources.house.subscribe", "{symbols}"]);
    let path = "\"websocket\"\nmessages = { bid = \"a..b\" }\naddress = \"ws:";
    check(redis.0, path, &["sources.house.messages.bid", "no path"]);
    let prefix = "\"websocket\"\nmessages = { bid = \"a\", ask = \"a.b\" }\naddress = \"ws:";
    check(
        redis.0,
        prefix,
        &["sources.house.messages.bid", "lies below"],
    );
}

#[test]
fn a_bot_reads_only_what_a_source_carries_and_trades_none_of_it() {
    let with = |line: &str| {
        let text = with_source(SOURCE);
        errors(&text.replace("instruments = [\"BTC/USDT\"]", line))
    };
    let reads = with("instruments = [\"BTC/USDT\"]\nreads = [\"house:BTC/USDC\"]");
    assert!(
        reads[0].contains("does not carry") && reads[0].contains("house:BTC/USDT"),
        "{reads:?}"
    );
    let trades = with("instruments = [\"house:BTC/USDT\"]");
    assert!(
        trades[0].contains("is not an instrument of account"),
        "{trades:?}"
    );
}

#[test]
fn a_take_profit_rests_beside_a_fixed_stop_only() {
    check(
        "exit = { stop = \"none\" }",
        "exit = { stop = \"2%\", trailing = \"1%\", take_profit = \"3%\", take_profit_order = \"limit\" }",
        &[
            "bots[2].exit.take_profit_order",
            "cannot go with trailing",
            "take trailing out, or write \"market\"",
        ],
    );
    for exit in [
        "exit = { stop = \"none\", take_profit = \"3%\", take_profit_order = \"limit\" }",
        "exit = { stop = \"2%\", take_profit_order = \"limit\" }",
    ] {
        check(
            "exit = { stop = \"none\" }",
            exit,
            &["needs a take_profit and a stop", "give both"],
        );
    }
}

//! Every key a configuration may have: its kind, whether it must be there, an example and what it is for.
//!
//! This one table refuses unknown keys, fills in defaults, reports missing ones, prints `config show` in a good order and
//! generates `config schema`. Values are parsed elsewhere. Limits have no defaults: they must be
//! chosen.

/// What a value looks like, for the structure and the schema.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    Name,
    Flag,
    Count,
    Integer,
    Duration,
    Ratio,
    Offset,
    Amount,
    Rate,
    Address,
    Choice(&'static [&'static str]),
    List(&'static Self),
    /// A text or a table; its reader decides.
    Free(&'static str),
    /// A table with these keys.
    Table(&'static [Key]),
    /// A table of tables with names of the user's choice.
    Named(&'static [Key]),
    /// A list of tables.
    Tables(&'static [Key]),
    /// A table whose keys are of the user's choice.
    Open(&'static Self),
}

/// Whether a key must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// Its absence is an error.
    Required,
    /// Its absence means something.
    Optional,
    /// Its absence means this TOML value.
    Default(&'static str),
}

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) presence: Presence,
    /// How it may be written, as TOML.
    pub(super) example: &'static str,
    pub(super) about: &'static str,
}

const fn required(
    name: &'static str,
    kind: Kind,
    example: &'static str,
    about: &'static str,
) -> Key {
    let presence = Presence::Required;
    Key {
        name,
        kind,
        presence,
        example,
        about,
    }
}

const fn optional(
    name: &'static str,
    kind: Kind,
    example: &'static str,
    about: &'static str,
) -> Key {
    let presence = Presence::Optional;
    Key {
        name,
        kind,
        presence,
        example,
        about,
    }
}

const fn default(
    name: &'static str,
    kind: Kind,
    example: &'static str,
    about: &'static str,
) -> Key {
    let presence = Presence::Default(example);
    Key {
        name,
        kind,
        presence,
        example,
        about,
    }
}

/// The whole file.
#[rustfmt::skip] // one row a key, so that the tables can be read as tables
pub(super) const ROOT: &[Key] = &[
    default("desk", Kind::Table(DESK), "{}", "the desk as a whole"),
    default("engine", Kind::Table(ENGINE), "{}", "the thread that turns quotes into orders"),
    default("api", Kind::Table(API), "{}", "the HTTP API and the dashboard"),
    required("venues", Kind::Named(VENUE), "[venues.binance]", "where orders go and prices come from"),
    optional("sources", Kind::Named(SOURCE), "[sources.house]", "prices that a house publishes itself: docs/sources.md"),
    required("accounts", Kind::Named(ACCOUNT), "[accounts.paper]", "accounts that bots trade on"),
    required("limits", Kind::Table(LIMITS), "[limits]", "limits of every order"),
    default("simulation", Kind::Table(SIMULATION), "{}", "the embedded exchange"),
    optional("telegram", Kind::Table(TELEGRAM), "[telegram]", "the Telegram bot"),
    optional("models", Kind::Named(MODEL), "[models.dip]", "models that tradewind train makes, for the strategy \"model:NAME\": docs/models.md"),
    optional("bots", Kind::Tables(BOT), "[[bots]]", "the bots, in the order in which they start"),
];

#[rustfmt::skip]
const DESK: &[Key] = &[
    default("report_currency", Kind::Text, "\"USDT\"", "asset in which equity and limits are stated"),
    default("durability", Kind::Choice(&["process", "power"]), "\"process\"", "what an intent survives once its order is sent: SIGKILL, or loss of power; always \"power\" with a live account"),
    default("on_restart", Kind::Choice(&["keep", "cancel"]), "\"keep\"", "whether entries that a restart finds resting stay for as long as their policy says"),
    default("on_exit", Kind::Choice(&["keep", "flatten"]), "\"keep\"", "whether positions stay open when the desk stops"),
    default("safe_after", Kind::Count, "3", "unclean ends within ten minutes after which a start is in SAFE mode: no bot is started; 0 for never"),
    default("stagger", Kind::Duration, "\"1s\"", "time between the starts of two bots"),
    default("stale_after", Kind::Duration, "\"60s\"", "the longest silence of an instrument before its prices count as stale; most are by their own gaps, after 2 s and more"),
    default("equity_every", Kind::Duration, "\"10s\"", "time between two equity snapshots"),
    default("candles", Kind::Choice(&["venue", "trades"]), "\"venue\"", "where candles come from: the venue, or built from its trades"),
    default("venue_stop_distance", Kind::Free("a number from 1 to 10, or \"off\""), "1.25", "distance of the stops that rest at the venue, as a multiple of the distance of a bot's own stop; \"off\" places none"),
    default("test_strategies", Kind::Flag, "false", "whether bots may use the strategies that are broken on purpose"),
];

#[rustfmt::skip]
const ENGINE: &[Key] = &[
    default("wait", Kind::Choice(&["park", "spin"]), "\"park\"", "what the engine's thread does when nothing is ready: sleep, or use one core whole and wake up at once"),
];

#[rustfmt::skip]
const API: &[Key] = &[
    default("listen", Kind::Address, "\"127.0.0.1:8787\"", "address and port of the API and the dashboard; port 0 takes a free one"),
];

#[rustfmt::skip]
const VENUE: &[Key] = &[
    required("kind", Kind::Choice(&["binance", "okx", "bybit", "kraken", "coinbase"]), "\"binance\"", "its adapter; all but binance give prices only: docs/venues.md"),
    required("rest_url", Kind::Text, "\"https://api.binance.com\"", "scheme://host:port of its REST interface"),
    required("ws_url", Kind::Text, "\"wss://stream.binance.com:9443\"", "scheme://host:port of its market streams"),
    optional("ws_api_url", Kind::Text, "\"wss://ws-api.binance.com:443/ws-api/v3\"", "whole address of its WebSocket API, where orders go there"),
    default("order_entry", Kind::Choice(&["rest", "websocket"]), "\"rest\"", "which interface new orders go to"),
    default("book", Kind::Choice(&["top20", "diffs"]), "\"top20\"", "how books come from Binance: the best 20 levels whole, or a snapshot and its changes"),
    default("fee", Kind::Ratio, "\"0.1%\"", "the worst fee it takes, as a share of an order's value"),
    optional("ca_file", Kind::Text, "\"venue-ca.pem\"", "PEM file of certificates trusted at this venue besides the built-in ones, for a venue with a private CA"),
    default("record", Kind::Flag, "false", "whether a desk that runs records what its market connections there receive"),
    default("retry_share", Kind::Ratio, "\"10%\"", "L09: readings repeated after a failure, as a share of the requests that it answered"),
    default("retries_per_minute", Kind::Count, "10", "L09: readings repeated a minute besides; while more fail, they wait until it is their turn"),
    default("references", Kind::Open(&Kind::Free("the name of an instrument, or a table with source and within")), "{}", "second sources of prices, by product: an entry is refused unless the mid there is live and within 1 % of its own"),
];

#[rustfmt::skip]
const SOURCE: &[Key] = &[
    required("kind", Kind::Choice(&["tcp", "websocket", "redis", "http"]), "\"tcp\"", "how its messages travel"),
    required("address", Kind::Text, "\"tcp://127.0.0.1:9100\"", "where it is; encrypted unless on this machine"),
    required("instruments", Kind::Tables(SOURCE_INSTRUMENT), "instruments = [{ name = \"BTC/USDT\" }]", "what it carries"),
    optional("token_env", Kind::Text, "\"HOUSE_TOKEN\"", "environment variable that holds the token or password it asks for"),
    optional("messages", Kind::Table(MESSAGES), "{ bid = \"data.bid\" }", "where messages have what, of a kind that carries JSON or XML"),
    optional("subscribe", Kind::Free("\"house\", \"none\", or a text with {symbols}"), "\"none\"", "how the instruments of a WebSocket feed are requested; \"house\" if left out"),
    optional("channels", Kind::List(&Kind::Text), "[\"prices\"]", "channels of Redis that are read"),
    optional("streams", Kind::List(&Kind::Text), "[\"prices\"]", "streams of Redis that are read"),
    optional("sentinel", Kind::Text, "\"mymaster\"", "name of the master, where the address is that of a Redis Sentinel"),
    optional("numbers", Kind::Tables(SOURCE_NUMBER), "numbers = [{ name = \"fear\", max_age = \"1h\" }]", "series of numbers that it may send"),
    optional("user", Kind::Text, "\"desk\"", "the user that Redis knows; \"default\" if left out"),
    default("heartbeat", Kind::Duration, "\"5s\"", "how often it is pinged, and how long an answer may take"),
    optional("ca_file", Kind::Text, "\"house-ca.pem\"", "PEM file of certificates trusted at this source besides the built-in ones"),
    default("record", Kind::Flag, "false", "whether a desk that runs records what its connections there receive"),
];

#[rustfmt::skip]
const MESSAGES: &[Key] = &[
    default("kind", Kind::Text, "\"kind\"", "path of the kind: names with dots between them, numbers in lists"),
    default("symbol", Kind::Text, "\"symbol\"", "path of the symbol"),
    default("bid", Kind::Text, "\"bid\"", "path of the best bid"),
    default("ask", Kind::Text, "\"ask\"", "path of the best ask"),
    default("bid_size", Kind::Text, "\"bid_size\"", "path of the quantity at the bid"),
    default("ask_size", Kind::Text, "\"ask_size\"", "path of the quantity at the ask"),
    default("price", Kind::Text, "\"price\"", "path of a trade's price"),
    default("quantity", Kind::Text, "\"quantity\"", "path of a trade's quantity"),
    default("time", Kind::Text, "\"time\"", "path of the time since 1970"),
    default("side", Kind::Text, "\"side\"", "path of a trade's side"),
    default("sequence", Kind::Text, "\"sequence\"", "path of the message's number"),
    default("name", Kind::Text, "\"name\"", "path of the name of a number's series"),
    default("bot", Kind::Text, "\"bot\"", "path of the bot of a target"),
    default("instrument", Kind::Text, "\"instrument\"", "path of the instrument of a target"),
    default("exposure", Kind::Text, "\"exposure\"", "path of a target's exposure"),
    default("expires", Kind::Text, "\"expires\"", "path of the time at which a target expires"),
    default("target", Kind::Text, "\"target\"", "what the kind of a target is"),
    default("value", Kind::Text, "\"value\"", "path of a number"),
    default("number", Kind::Text, "\"number\"", "what the kind of a number is"),
    default("quote", Kind::Text, "\"quote\"", "what the kind of a quote is"),
    default("trade", Kind::Text, "\"trade\"", "what the kind of a trade is"),
    default("buy", Kind::Text, "\"buy\"", "what the side of a trade is whose taker bought"),
    default("sell", Kind::Text, "\"sell\"", "what it is where the taker sold"),
    default("time_unit", Kind::Choice(&["s", "ms", "us", "ns"]), "\"ms\"", "the unit of times"),
    default("numbering", Kind::Choice(&["feed", "symbol"]), "\"feed\"", "whether all messages are numbered together, or each symbol's quotes and trades"),
];

#[rustfmt::skip]
const SOURCE_NUMBER: &[Key] = &[
    required("name", Kind::Name, "\"fear\"", "its name; the desk puts the source's name before it"),
    optional("symbol", Kind::Text, "\"FNG\"", "what the source calls it; its name if left out"),
    required("max_age", Kind::Duration, "\"1h\"", "age from which on a number of it is of no use"),
];

#[rustfmt::skip]
const SOURCE_INSTRUMENT: &[Key] = &[
    required("name", Kind::Text, "\"BTC/USDT\"", "BASE/QUOTE; the desk puts the source's name before it"),
    optional("symbol", Kind::Text, "\"BTCUSDT\"", "what the source calls it; its name if left out"),
    default("price_decimals", Kind::Count, "8", "places behind the point of its prices; a price with more is refused"),
    default("quantity_decimals", Kind::Count, "8", "places behind the point of its quantities"),
];

#[rustfmt::skip]
const ACCOUNT: &[Key] = &[
    required("venue", Kind::Name, "\"binance\"", "its venue"),
    required("mode", Kind::Choice(&["paper", "live"]), "\"paper\"", "whether its orders are simulated or real"),
    optional("balances", Kind::Open(&Kind::Amount), "{ USDT = 100_000 }", "starting balances of a paper account"),
    optional("key_env", Kind::Text, "\"BINANCE_API_KEY\"", "environment variable that holds a live account's key"),
    optional("secret_env", Kind::Text, "\"BINANCE_API_SECRET\"", "environment variable that holds its secret, or an Ed25519 key as PEM text"),
    default("adopt_external", Kind::Flag, "false", "whether what is EXTERNAL goes to the bot that trades it, where exactly one that runs does"),
    default("adopt", Kind::Flag, "false", "whether balances that a live account had before are the desk's; else they are EXTERNAL's"),
    optional("capital", Kind::Amount, "10_000", "what the desk may use of the account, in the report currency, and the base of every ratio; the rest is EXTERNAL's"),
];

#[rustfmt::skip]
pub(super) const LIMITS: &[Key] = &[
    required("reconcile_within", Kind::Duration, "\"60s\"", "R02: time the first clean reading of an account may take before the operator is alarmed; no order passes before it"),
    required("unknown_bot_max", Kind::Count, "0", "R03: UNKNOWN orders of a bot in an instrument beside which it may still enter there"),
    required("unknown_account_max", Kind::Count, "3", "R03: UNKNOWN orders of an account; with more it is REDUCING"),
    required("intent_ttl_quote", Kind::Duration, "\"2s\"", "R04: age at which an entry decided on a quote is no longer sent"),
    required("intent_ttl_candle", Kind::Duration, "\"15s\"", "R04: the same, decided on a candle or by a timer"),
    required("order_value_max", Kind::Amount, "1000", "R08: largest value of an entry, in the report currency"),
    required("order_equity_max", Kind::Ratio, "\"5%\"", "R08: the same as a share of equity"),
    required("depth_share_max", Kind::Ratio, "\"10%\"", "R09: largest entry, as a share of the quantity visible within the collar"),
    required("collar", Kind::Ratio, "\"2%\"", "R10: how far past the mid an aggressive limit may reach; 5 % at most"),
    required("market_slippage_max", Kind::Ratio, "\"0.5%\"", "R10: expected slippage of a market order"),
    required("spread_max", Kind::Ratio, "\"1%\"", "R11: widest spread of a quote that entries are measured by"),
    required("quote_jump_max", Kind::Ratio, "\"5%\"", "R11: jump of a price that a second quote must confirm before stops and entries see it"),
    required("balance_use_max", Kind::Ratio, "\"99%\"", "R12: share of the free balance that may be used"),
    required("position_equity_max", Kind::Ratio, "\"20%\"", "R13: largest position in one instrument, as a share of equity"),
    required("account_exposure_max", Kind::Ratio, "\"100%\"", "R14: gross exposure of an account, as a share of its equity; above it the account is REDUCING"),
    required("bot_exposure_max", Kind::Ratio, "\"25%\"", "R14: gross exposure of a bot, as a share of its account's equity; above it the bot is REDUCING"),
    required("open_entries_instrument", Kind::Ratio, "\"20%\"", "R15: open entries in one instrument, as a share of the venue's cap"),
    required("open_entries_account", Kind::Ratio, "\"80%\"", "R15: open entries of one account, as a share of the venue's cap"),
    required("bot_order_rate", Kind::Rate, "\"2/s burst 5\"", "R16: orders of one bot"),
    required("account_order_rate", Kind::Rate, "\"80/10s burst 45\"", "R16: orders of one account"),
    required("messages_per_fill_alarm", Kind::Count, "20", "R17: orders and cancels of a bot per fill at which the operator is alarmed"),
    required("messages_per_fill_max", Kind::Count, "50", "R17: the same, above which the bot's entries are off until a person starts it again"),
    required("messages_window", Kind::Duration, "\"10m\"", "R17: over which time they are counted"),
    required("messages_min", Kind::Count, "200", "R17: messages in that time from which on they are compared with fills"),
    required("duplicate_window", Kind::Duration, "\"1s\"", "R18: within which an equal order counts as a duplicate"),
    required("same_side_entries_max", Kind::Count, "64", "R19: entries of a bot on one side within the window; with more its entries are off until a person starts it again"),
    required("same_side_entries_window", Kind::Duration, "\"60s\"", "R19: the window"),
    required("daily_loss_reduce", Kind::Ratio, "\"3%\"", "R22: loss of an account in a UTC day, as a share of its equity, from which on it is REDUCING"),
    required("daily_loss_alarm", Kind::Ratio, "\"5%\"", "R22: the same, from which on the operator is alarmed and on_loss is done"),
    required("on_loss", Kind::Choice(&["keep", "flatten"]), "\"keep\"", "R22: whether positions stay or are closed by ordinary exits then"),
    required("bot_daily_loss", Kind::Amount, "2", "R22: loss of a bot in a UTC day, as a multiple of its planned loss per trade, from which on its entries are off"),
    required("loss_check_every", Kind::Duration, "\"1s\"", "R22, R23: time between two valuations for the limits of losses"),
    required("drawdown_max", Kind::Ratio, "\"10%\"", "R23: fall of an account from its peak, from which on it is REDUCING until a person clears it"),
    required("clock_uncertainty_max", Kind::Duration, "\"500ms\"", "R24: uncertainty of the venue's clock above which nothing enters"),
    required("turnover_max", Kind::Amount, "10", "R25: turnover of an account in a UTC day, as a multiple of its equity, at which the operator is alarmed"),
    required("breaker_failures", Kind::Count, "5", "failures within the window that open a circuit breaker"),
    required("breaker_window", Kind::Duration, "\"60s\"", "the window of circuit breakers"),
    required("breaker_open", Kind::Duration, "\"60s\"", "how long a circuit breaker stays open before one entry probes"),
];

#[rustfmt::skip]
const SIMULATION: &[Key] = &[
    default("seed", Kind::Count, "42", "same seed, same market"),
    default("speed", Kind::Amount, "1", "how fast the simulated market runs; `--speed` overrides it"),
    default("limits", Kind::Choice(&["venue", "off"]), "\"venue\"", "whether the exchange enforces its rate limits"),
];

#[rustfmt::skip]
const TELEGRAM: &[Key] = &[
    required("users", Kind::List(&Kind::Integer), "[123456789]", "numeric ids of the authorised users, in private chats only"),
    default("api_url", Kind::Text, "\"https://api.telegram.org\"", "address of the Bot API"),
    default("token_env", Kind::Text, "\"TG_BOT_TOKEN\"", "environment variable that holds the bot's token"),
    default("chat_env", Kind::Text, "\"TG_CHAT_ID\"", "environment variable that holds the chat notifications go to"),
    default("stale_after", Kind::Duration, "\"30s\"", "age at which an entry command is refused; stop and kill are accepted at any age"),
    default("notify", Kind::Open(&Kind::Choice(&["on", "silent", "off"])), "{ order_filled = \"on\", circuit_breaker_fired = \"on\", queue_overflow = \"on\", kill_switch = \"on\", alarm = \"on\" }", "which events are sent, by type, with sound or without"),
];

#[rustfmt::skip]
pub(super) const BOT: &[Key] = &[
    required("id", Kind::Name, "\"btc-rsi\"", "its name, unique on the desk"),
    required("strategy", Kind::Text, "\"rsi_reversion\"", "the name of its strategy, or a file: \"python:FILE.py\" or \"python:FILE.py:Class\", relative to this file"),
    required("account", Kind::Name, "\"paper\"", "the account it trades on"),
    required("instruments", Kind::Free("a list of instruments, or a table with quote, top, by, min_age and among"), "[\"BTC/USDT\"]", "what it trades; { quote = \"USDT\", top = 30, by = \"volume 7d\" } chooses anew each day"),
    default("reads", Kind::List(&Kind::Text), "[]", "instruments it reads but does not trade"),
    default("timeframes", Kind::List(&Kind::Text), "[]", "intervals of the candles it uses"),
    optional("wake", Kind::Free("\"quotes\", \"candles\", \"every 15m\", \"every 1d at 00:05\", or a list of them"), "\"candles\"", "when it is evaluated; by default at each candle's close, if timeframes are set"),
    required("budget", Kind::Free("an amount, or a share such as \"12.5%\""), "2000", "its capital, in the quote asset of its instruments; a share is of its account's equity, set anew each UTC day"),
    default("max_positions", Kind::Count, "1", "how many positions it may hold at once"),
    default("sizer", Kind::Free("a table with one of share, fixed, risk_to_stop, volatility_target"), "{ share = \"90%\" }", "how much a full signal buys; the default leaves room for fees and losses"),
    required("exit", Kind::Table(EXIT), "{ stop = \"2%\" }", "its exit plan; for no stop write stop = \"none\""),
    default("policy", Kind::Free("\"market\", \"limit\", \"post_only\", or a table with type, offset, timeout, chases, then"), "\"market\"", "the order type of its intents"),
    default("params", Kind::Free("a table of the strategy's parameters"), "{}", "parameters of the strategy; those left out take its defaults"),
    default("lane", Kind::Choice(&["inline", "thread"]), "\"inline\"", "where its strategy runs: with the engine, or in a thread of its own if it may be slow"),
    default("start", Kind::Flag, "true", "whether it starts with the desk"),
    optional("protections", Kind::Table(PROTECTIONS), "{ cooldown = \"30m\" }", "when it opens no new position for a while, because of its closed trades"),
    optional("python", Kind::Text, "\"venv/bin/python\"", "the interpreter of a strategy in Python; python3 if left out"),
    optional("deadline", Kind::Duration, "\"2s\"", "how long an evaluation of a strategy in Python may take before its process is killed, 9s at most; 2s if left out"),
    optional("memory_mb", Kind::Count, "4096", "how much memory the process of a strategy in Python may map, in MiB; 4096 if left out"),
    optional("group", Kind::Name, "\"slow\"", "bots of one group share a process, and its faults; each has one of its own if left out"),
    optional("rules", Kind::Free("a file of rules, or a table with let, params, enter, add, exit, stop, size, roi, order"), "\"breakout.toml\"", "its rules, with strategy = \"rules\"; their keys may stand in the bot's table as well: docs/rules.md"),
    optional("source", Kind::Name, "\"signals\"", "the source whose targets it follows, with strategy = \"external\""),
    optional("on_expiry", Kind::Choice(&["flat", "hold"]), "\"flat\"", "whether its position is closed or kept when its target expires, with strategy = \"external\"; \"flat\" if left out"),
];

#[rustfmt::skip]
const EXIT: &[Key] = &[
    required("stop", Kind::Text, "\"2%\"", "loss at which a position is closed, as a share of its entry price, or \"none\""),
    optional("take_profit", Kind::Ratio, "\"3%\"", "gain at which it is closed"),
    default("take_profit_order", Kind::Choice(&["market", "limit"]), "\"market\"", "what takes that gain: an order of the desk at market, or a limit order that rests at the venue with the stop, as a pair of which one cancels the other"),
    optional("trailing", Kind::Ratio, "\"1.5%\"", "fall from the best price since entry at which it is closed"),
    optional("time", Kind::Duration, "\"4h\"", "age at which it is closed"),
    optional("profit_by_age", Kind::List(&Kind::Free("a pair of an age and a gain")), "[[\"30m\", \"1%\"], [\"2h\", \"0.2%\"]]", "from each age on, the gain at which it is closed"),
];

#[rustfmt::skip]
const PROTECTIONS: &[Key] = &[
    optional("cooldown", Kind::Duration, "\"30m\"", "after each closed trade, in its instrument"),
    optional("stop_guard", Kind::Table(STOP_GUARD), "{ lookback = \"24h\", trades = 4, pause = \"4h\" }", "after trades that their exit plan closed at a loss"),
    optional("drawdown", Kind::Table(DRAWDOWN), "{ lookback = \"48h\", trades = 10, limit = \"10%\", pause = \"12h\" }", "after trades whose summed profits fell from their peak"),
    optional("low_profit", Kind::Table(LOW_PROFIT), "{ lookback = \"24h\", trades = 2, required = \"-1%\", pause = \"6h\" }", "in an instrument whose trades earned too little"),
];

#[rustfmt::skip]
const STOP_GUARD: &[Key] = &[
    required("lookback", Kind::Duration, "\"24h\"", "how far back trades count, by their close"),
    required("trades", Kind::Count, "4", "with how many of them it pauses"),
    required("pause", Kind::Duration, "\"4h\"", "for how long"),
    default("per_instrument", Kind::Flag, "false", "whether each instrument counts and pauses alone"),
];

#[rustfmt::skip]
const DRAWDOWN: &[Key] = &[
    required("lookback", Kind::Duration, "\"48h\"", "how far back trades count, by their close"),
    default("trades", Kind::Count, "1", "with fewer trades it never pauses"),
    required("limit", Kind::Ratio, "\"10%\"", "the fall of their summed profits from its peak at which it pauses, as a share of the budget"),
    required("pause", Kind::Duration, "\"12h\"", "for how long"),
];

#[rustfmt::skip]
const LOW_PROFIT: &[Key] = &[
    required("lookback", Kind::Duration, "\"24h\"", "how far back trades count, by their close"),
    default("trades", Kind::Count, "1", "with fewer trades it never pauses"),
    required("required", Kind::Offset, "\"-1%\"", "the sum of their profits below which it pauses, as a share of the budget"),
    required("pause", Kind::Duration, "\"6h\"", "for how long"),
];

#[rustfmt::skip]
const MODEL: &[Key] = &[
    required("features", Kind::Open(&Kind::Text), "{ r = \"rsi(14)\", up = \"(close > sma(50))@1h\" }", "what it predicts from: rule expressions of candles"),
    required("script", Kind::Text, "\"train.py\"", "the file with train(features, labels, params), relative to this file"),
    required("timeframe", Kind::Text, "\"1h\"", "the length of its candles"),
    optional("label", Kind::Text, "\"change(close, -12)\"", "what it is to predict: a change over candles to come, 1 or 0 with \"> 0.5%\" behind it; the script's labels(features, candles) if left out"),
    default("instruments", Kind::List(&Kind::Text), "[]", "what it is trained on, from the catalogue"),
    default("data", Kind::List(&Kind::Text), "[]", "files of candles or series of the catalogue in place of them"),
    optional("from", Kind::Text, "\"2023-01-01\"", "the first moment of the data"),
    optional("to", Kind::Text, "\"2024-01-01\"", "the first moment that is not part of it"),
    default("params", Kind::Free("a table of the script's parameters"), "{}", "what train is given as params"),
    optional("python", Kind::Text, "\"venv/bin/python\"", "the interpreter; python3 if left out"),
];

/// Keys of a universe.
#[rustfmt::skip]
pub(super) const UNIVERSE: &[Key] = &[
    required("quote", Kind::Text, "\"USDT\"", "quote asset of the instruments that it chooses from"),
    required("top", Kind::Count, "30", "how many it may enter at most"),
    required("by", Kind::Text, "\"volume 7d\"", "what they are ordered by, largest first: volume, volatility or change over days"),
    default("min_age", Kind::Duration, "\"0d\"", "how old the first known daily candle must be, in whole days"),
    default("among", Kind::List(&Kind::Text), "[]", "what it chooses from; all that the venue lists in the quote asset if left out"),
];

/// Keys of a limit order's policy.
#[rustfmt::skip]
pub(super) const POLICY: &[Key] = &[
    required("type", Kind::Choice(&["market", "limit", "post_only"]), "\"limit\"", "what kind of order"),
    default("offset", Kind::Offset, "0", "distance from the touch, away from the market; negative reaches into the spread"),
    optional("timeout", Kind::Duration, "\"20s\"", "how long the order may wait"),
    default("chases", Kind::Count, "0", "how often it is repriced to the touch"),
    default("then", Kind::Choice(&["cancel", "cross"]), "\"cancel\"", "what happens to the remainder: cancelled, or traded at market"),
];

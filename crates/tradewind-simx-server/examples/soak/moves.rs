//! What a client does next: drawn from a seed, near the market, within the instrument's rules.
//!
//! Prices and quantities are counts of 10^-8.

use tradewind_model::{format_fixed, parse_fixed};

use crate::call::{Request, Verb};
use crate::tape::Touch;
use crate::view::{OpenOrder, View};

const PLACES: u8 = 8;
const UNIT: i128 = 100_000_000;
/// Worth of an order in whole USDT.
const WORTH: (u64, u64) = (12, 150);

/// A seeded stream of draws (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn between(&mut self, (low, high): (u64, u64)) -> u64 {
        low + self.below(high - low + 1)
    }

    fn pick<T>(&mut self, mut from: impl ExactSizeIterator<Item = T>) -> Option<T> {
        let at = self.below(u64::try_from(from.len()).unwrap_or(0));
        from.nth(usize::try_from(at).unwrap_or(0))
    }
}

/// An instrument's grid.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) symbol: String,
    tick: i128,
    step: i128,
}

impl Rules {
    /// Reads one entry of `exchangeInfo`.
    pub(crate) fn read(entry: &serde_json::Value) -> Option<Self> {
        let filters = entry["filters"].as_array()?;
        let find = |kind: &str, name: &str| {
            let filter = filters.iter().find(|filter| filter["filterType"] == kind)?;
            parse_fixed(filter[name].as_str()?, PLACES).ok()
        };
        Some(Self {
            symbol: entry["symbol"].as_str()?.to_owned(),
            tick: find("PRICE_FILTER", "tickSize")?,
            step: find("LOT_SIZE", "stepSize")?,
        })
    }

    fn price(&self, near: i128) -> i128 {
        (near / self.tick).max(1) * self.tick
    }

    fn quantity(&self, worth: u64, price: i128) -> i128 {
        let counts = i128::from(worth) * UNIT * UNIT / price.max(1);
        (counts / self.step).max(1) * self.step
    }
}

/// What one move is, in the words of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Limit,
    PostOnly,
    Market,
    MarketByQuote,
    ImmediateOrCancel,
    FillOrKill,
    Stop,
    Replace,
    OneCancelsOther,
    Amend,
    Cancel,
}

/// Draws an order. Those that change another one need one that is open.
pub(crate) fn order(dice: &mut Dice, rules: &Rules, touch: &Touch, view: &View) -> (Kind, Request) {
    let draw = Draw::new(dice, rules, touch);
    let lone = |order: &&OpenOrder| !order.is_listed && !order.is_triggered;
    match dice.below(100) {
        0..20 => (Kind::Limit, draw.limit(dice, "GTC", 30)),
        20..32 => (Kind::PostOnly, draw.post_only(dice)),
        32..44 => (Kind::Market, draw.market()),
        44..52 => (Kind::MarketByQuote, draw.market_by_quote()),
        52..62 => (Kind::ImmediateOrCancel, draw.limit(dice, "IOC", 10)),
        62..70 => (Kind::FillOrKill, draw.limit(dice, "FOK", 10)),
        70..80 => (Kind::Stop, draw.stop(dice)),
        80..90 => {
            let open: Vec<&OpenOrder> = view.open.values().filter(lone).collect();
            let same = open.into_iter().rfind(|order| order.symbol == rules.symbol);
            match same {
                Some(order) => (Kind::Replace, draw.replace(dice, order)),
                None => (Kind::Limit, draw.limit(dice, "GTC", 30)),
            }
        }
        _ => (Kind::OneCancelsOther, draw.pair(dice)),
    }
}

/// Draws an order to be cancelled.
pub(crate) fn cancel(dice: &mut Dice, view: &View) -> Option<(Kind, Request)> {
    let order = dice.pick(view.open.values())?;
    let id = order.id.to_string();
    let params = [("symbol", order.symbol.as_str()), ("orderId", &id)];
    Some((Kind::Cancel, Request::new(Verb::Cancel, params)))
}

/// Draws an order to be made smaller: to what is filled and half of the rest.
pub(crate) fn amend(dice: &mut Dice, rules: &Rules, view: &View) -> Option<(Kind, Request)> {
    let order = dice.pick(view.open.values())?;
    if order.symbol != rules.symbol || order.is_triggered || order.is_listed {
        return None;
    }
    let all = parse_fixed(&order.quantity, PLACES).ok()?;
    let filled = parse_fixed(&order.filled, PLACES).ok()?;
    let smaller = (filled + (all - filled) / 2) / rules.step * rules.step;
    let (id, smaller) = (order.id.to_string(), format_fixed(smaller, PLACES));
    let params = [
        ("symbol", order.symbol.as_str()),
        ("orderId", &id),
        ("newQty", &smaller),
    ];
    Some((Kind::Amend, Request::new(Verb::Amend, params)))
}

struct Draw<'a> {
    rules: &'a Rules,
    buys: bool,
    /// The price on the other side.
    taking: i128,
    worth: u64,
    quantity: String,
}

impl<'a> Draw<'a> {
    fn new(dice: &mut Dice, rules: &'a Rules, touch: &Touch) -> Self {
        let buys = dice.below(2) == 0;
        let taking = if buys { touch.ask } else { touch.bid };
        let worth = dice.between(WORTH);
        let quantity = format_fixed(rules.quantity(worth, taking), PLACES);
        Self {
            rules,
            buys,
            taking,
            worth,
            quantity,
        }
    }

    fn side(&self) -> &'static str {
        if self.buys { "BUY" } else { "SELL" }
    }

    /// A price `points` hundredths of a per cent on the near side of the market; negative is through it.
    fn passive(&self, points: i64) -> String {
        self.at(if self.buys { -points } else { points })
    }

    fn at(&self, points: i64) -> String {
        let near = self.taking + self.taking * i128::from(points) / 10_000;
        format_fixed(self.rules.price(near), PLACES)
    }

    fn request<const N: usize>(&self, kind: &str, more: [(&'static str, &str); N]) -> Request {
        let base = [
            ("symbol", self.rules.symbol.as_str()),
            ("side", self.side()),
            ("type", kind),
        ];
        let mut request = Request::new(Verb::Place, base);
        let more = more.map(|(name, value)| (name, value.to_owned()));
        request.params.extend(more);
        request
    }

    fn limit(&self, dice: &mut Dice, time_in_force: &str, points: u64) -> Request {
        let price = self.passive(spread(dice, points));
        self.request(
            "LIMIT",
            [
                ("timeInForce", time_in_force),
                ("quantity", &self.quantity),
                ("price", &price),
            ],
        )
    }

    fn post_only(&self, dice: &mut Dice) -> Request {
        let price = self.passive(i64::try_from(dice.below(25)).unwrap_or(0));
        self.request(
            "LIMIT_MAKER",
            [("quantity", &self.quantity), ("price", &price)],
        )
    }

    fn market(&self) -> Request {
        self.request("MARKET", [("quantity", &self.quantity)])
    }

    fn market_by_quote(&self) -> Request {
        self.request("MARKET", [("quoteOrderQty", &self.worth.to_string())])
    }

    fn stop(&self, dice: &mut Dice) -> Request {
        let points = i64::try_from(4 + dice.below(30)).unwrap_or(4);
        let away = if self.buys { points } else { -points };
        let (stop, worse) = (self.at(away), self.at(away * 2));
        match dice.below(4) {
            0 => self.request(
                "STOP_LOSS",
                [("quantity", &self.quantity), ("stopPrice", &stop)],
            ),
            1 => self.request(
                "STOP_LOSS_LIMIT",
                [
                    ("timeInForce", "GTC"),
                    ("quantity", &self.quantity),
                    ("price", &worse),
                    ("stopPrice", &stop),
                ],
            ),
            2 => {
                let profit = self.at(-away);
                self.request(
                    "TAKE_PROFIT",
                    [("quantity", &self.quantity), ("stopPrice", &profit)],
                )
            }
            _ => self.request(
                "STOP_LOSS",
                [("quantity", &self.quantity), ("trailingDelta", "20")],
            ),
        }
    }

    fn replace(&self, dice: &mut Dice, order: &OpenOrder) -> Request {
        let mut request = self.limit(dice, "GTC", 30);
        request.verb = Verb::Replace;
        let mode = if dice.below(2) == 0 {
            "STOP_ON_FAILURE"
        } else {
            "ALLOW_FAILURE"
        };
        request.params.push(("cancelReplaceMode", mode.to_owned()));
        request.params.push(("cancelOrderId", order.id.to_string()));
        request
    }

    fn pair(&self, dice: &mut Dice) -> Request {
        let points = i64::try_from(6 + dice.below(30)).unwrap_or(6);
        let (above, below) = (self.at(points), self.at(-points));
        let (limit, stop) = if self.buys {
            (&below, &above)
        } else {
            (&above, &below)
        };
        let names = if self.buys {
            ["belowType", "belowPrice", "aboveType", "aboveStopPrice"]
        } else {
            ["aboveType", "abovePrice", "belowType", "belowStopPrice"]
        };
        let params = [
            ("symbol", self.rules.symbol.as_str()),
            ("side", self.side()),
            ("quantity", &self.quantity),
            (names[0], "LIMIT_MAKER"),
            (names[1], limit),
            (names[2], "STOP_LOSS"),
            (names[3], stop),
        ];
        Request::new(Verb::PairOfOrders, params)
    }
}

/// From a little through the market to `points` away from it.
fn spread(dice: &mut Dice, points: u64) -> i64 {
    i64::try_from(dice.below(points)).unwrap_or(0) - 5
}

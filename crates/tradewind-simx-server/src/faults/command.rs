//! What no client can do: the operator's acts, the same from a script, the control port and a [`ServerHandle`].
//!
//! [`ServerHandle`]: crate::ServerHandle

use serde_json::{Map, Value, json};
use tradewind_model::{
    AccountId, Amount, Instrument, InstrumentId, InstrumentStatus, Price, Quantity, Side,
    Timestamp, Trade, TradeId,
};
use tradewind_simx::{Action, MarketEvent, Order};

use super::reader::{Reader, read_body};
use crate::accounts::Permissions;
use crate::core::Core;
use crate::rest::{self, ApiError, Call, Caller, Params, TimeUnit};

/// One act of the operator. Read one with [`Command::from_json`]; accounts are named by their API keys.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Command {
    /// An order of the account's owner, placed by hand: the parameters of `POST /api/v3/order`.
    Trade {
        /// Whose.
        account: String,
        /// Names and values, as on the wire.
        order: Map<String, Value>,
    },
    /// The owner cancels all open orders in a symbol.
    Cancel {
        /// Whose.
        account: String,
        /// Where.
        symbol: String,
    },
    /// The market trades with the oldest open order of an account.
    Fill {
        /// Whose.
        account: String,
        /// Where.
        symbol: String,
        /// How much; all of it if not said.
        quantity: Option<String>,
    },
    /// Something comes into an account, or leaves it.
    Deposit {
        /// Whose.
        account: String,
        /// Of what.
        asset: String,
        /// How much, negative to take out; `None` takes out all that is free.
        amount: Option<Amount>,
    },
    /// Trading stops, or goes on.
    Halt {
        /// Where; everywhere if not said.
        symbol: Option<String>,
        /// What it becomes.
        status: InstrumentStatus,
        /// Whether all open orders end.
        expire: bool,
    },
    /// The rules change.
    Filters {
        /// Where.
        symbol: String,
        /// Which, and to what.
        changes: Vec<(FilterKey, String)>,
    },
}

/// A rule that can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterKey {
    /// `tickSize`.
    Tick,
    /// `stepSize`.
    Step,
    /// `minNotional`.
    NotionalMin,
    /// `minQty`.
    QuantityMin,
    /// `maxQty`.
    QuantityMax,
    /// `minPrice`.
    PriceMin,
    /// `maxPrice`.
    PriceMax,
    /// `maxNumOrders`.
    OrdersMax,
}

/// Why an act was not done. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The request cannot be read; each line says what is wrong.
    #[error("{}", .0.join("; "))]
    Malformed(Vec<String>),
    /// There is no such account, symbol, asset or order.
    #[error("there is no {what} {name:?}")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A value that is no number here.
    #[error("{name} is no number that {symbol} can have")]
    Number {
        /// Of what.
        name: String,
        /// Where.
        symbol: String,
    },
    /// The exchange says no.
    #[error("{message} ({code})")]
    Refused {
        /// The venue's number for it.
        code: i32,
        /// The venue's words.
        message: String,
    },
}

const STATUSES: [(&str, InstrumentStatus); 4] = [
    ("TRADING", InstrumentStatus::Trading),
    ("HALT", InstrumentStatus::Halted),
    ("BREAK", InstrumentStatus::NoData),
    ("CANCEL_ONLY", InstrumentStatus::CancelOnly),
];

const FILTERS: [(&str, FilterKey); 8] = [
    ("tickSize", FilterKey::Tick),
    ("stepSize", FilterKey::Step),
    ("minNotional", FilterKey::NotionalMin),
    ("minQty", FilterKey::QuantityMin),
    ("maxQty", FilterKey::QuantityMax),
    ("minPrice", FilterKey::PriceMin),
    ("maxPrice", FilterKey::PriceMax),
    ("maxNumOrders", FilterKey::OrdersMax),
];

/// Parameters an order may have beside account and symbol.
const ORDER: [&str; 12] = [
    "side",
    "type",
    "quantity",
    "quoteOrderQty",
    "price",
    "timeInForce",
    "stopPrice",
    "trailingDelta",
    "newClientOrderId",
    "selfTradePreventionMode",
    "strategyId",
    "icebergQty",
];

/// Marks of the lens beyond those of faults: one for each instrument that is halted.
const HALTED: u64 = 1 << 63;

impl Command {
    /// Reads the body of a control request: `verb` is `trade`, `cancel`, `fill`, `deposit`, `withdraw`, `halt` or `filters`.
    ///
    /// # Errors
    /// [`CommandError::Malformed`] with all that is wrong.
    pub fn from_json(verb: &str, body: &str) -> Result<Self, CommandError> {
        read_body(body, verb, |reader| Self::read(verb, reader))
    }

    /// Reads the keys of `verb`.
    pub(super) fn read(verb: &str, reader: &mut Reader<'_>) -> Option<Self> {
        let symbol = reader.text("symbol");
        match verb {
            "halt" => {
                let status = reader.choice("status", &STATUSES);
                Some(Self::Halt {
                    symbol,
                    expire: reader.flag("expire").unwrap_or(false),
                    status: reader.required("status", status)?,
                })
            }
            "filters" => Self::read_filters(reader, symbol),
            "deposit" | "withdraw" => Self::read_deposit(verb, reader),
            "cancel" | "fill" => {
                let (account, symbol) = (
                    reader.required_text("account"),
                    reader.required("symbol", symbol),
                );
                let (account, symbol) = (account?, symbol?);
                Some(if verb == "cancel" {
                    Self::Cancel { account, symbol }
                } else {
                    Self::Fill {
                        account,
                        symbol,
                        quantity: reader.text("quantity"),
                    }
                })
            }
            "trade" => {
                let account = reader.required_text("account");
                let mut order = Map::new();
                order.insert(
                    "symbol".to_owned(),
                    reader.required("symbol", symbol)?.into(),
                );
                for name in ORDER {
                    if let Some(value) = reader.value(name) {
                        order.insert(name.to_owned(), value.clone());
                    }
                }
                if order.get("type").is_some_and(|kind| kind == "LIMIT") {
                    order.entry("timeInForce").or_insert_with(|| "GTC".into());
                }
                Some(Self::Trade {
                    account: account?,
                    order,
                })
            }
            other => {
                reader.wrong(&format!("there is no act {other:?}"));
                None
            }
        }
    }

    fn read_filters(reader: &mut Reader<'_>, symbol: Option<String>) -> Option<Self> {
        let symbol = reader.required("symbol", symbol);
        let mut changes = Vec::new();
        for (name, key) in FILTERS {
            changes.extend(reader.text(name).map(|value| (key, value)));
        }
        if changes.is_empty() {
            let names: Vec<&str> = FILTERS.iter().map(|(name, _)| *name).collect();
            reader.wrong(&format!(
                "filters changes at least one of {}",
                names.join(", ")
            ));
        }
        Some(Self::Filters {
            symbol: symbol?,
            changes,
        })
    }

    fn read_deposit(verb: &str, reader: &mut Reader<'_>) -> Option<Self> {
        let (account, asset) = (reader.text("account"), reader.text("asset"));
        let all =
            verb == "withdraw" && reader.value("amount").is_some_and(|amount| amount == "all");
        let amount = if all {
            None
        } else {
            let amount = reader.parsed::<Amount>("amount");
            let amount = reader.required("amount", amount)?;
            Some(if verb == "withdraw" { -amount } else { amount })
        };
        let (account, asset) = (
            reader.required("account", account),
            reader.required("asset", asset),
        );
        Some(Self::Deposit {
            account: account?,
            asset: asset?,
            amount,
        })
    }

    /// Does it, and says what came of it.
    pub(crate) fn run(&self, core: &mut Core, now: Timestamp) -> Result<Value, CommandError> {
        match self {
            Self::Trade { account, order } => {
                let account = account_named(core, account)?;
                let body = call(core, now, "order.place", account, order)?;
                Ok(serde_json::from_str(&body).unwrap_or_default())
            }
            Self::Cancel { account, symbol } => {
                let account = account_named(core, account)?;
                let params = json!({ "symbol": symbol });
                let params = params.as_object().cloned().unwrap_or_default();
                let body = call(core, now, "openOrders.cancelAll", account, &params)?;
                Ok(serde_json::from_str(&body).unwrap_or_default())
            }
            Self::Fill {
                account,
                symbol,
                quantity,
            } => fill(core, now, account, symbol, quantity.as_deref()),
            Self::Deposit {
                account,
                asset,
                amount,
            } => {
                let account = account_named(core, account)?;
                let asset_id = core
                    .symbols
                    .assets()
                    .find(asset)
                    .ok_or_else(|| unknown("asset", asset))?;
                let amount =
                    amount.unwrap_or_else(|| -core.exchange.balance(account, asset_id).free);
                act(
                    core,
                    now,
                    &Action::Deposit {
                        account,
                        asset: asset_id,
                        amount,
                    },
                )?;
                Ok(
                    json!({ "account": core.key_of(account), "asset": asset, "amount": amount.to_string() }),
                )
            }
            Self::Halt {
                symbol,
                status,
                expire,
            } => halt(core, now, symbol.as_deref(), *status, *expire),
            Self::Filters { symbol, changes } => {
                let rules = changed_rules(&instrument(core, symbol)?, symbol, changes)?;
                act(core, now, &Action::SetRules(Box::new(rules)))?;
                Ok(json!({ "symbol": symbol }))
            }
        }
    }

    /// What would take it back, if anything can: asked before it is done.
    pub(super) fn undo(&self, core: &Core) -> Vec<Action> {
        match self {
            Self::Halt { symbol, .. } => {
                let halted = |rules: &&Instrument| {
                    symbol
                        .as_deref()
                        .is_none_or(|symbol| core.symbols.name(rules.id) == symbol)
                };
                let listed = core.exchange.instruments().iter().filter(halted);
                listed
                    .map(|rules| Action::SetStatus {
                        instrument: rules.id,
                        status: rules.status,
                    })
                    .collect()
            }
            Self::Filters { symbol, .. } => {
                let rules = instrument(core, symbol).ok();
                rules
                    .map(|rules| Action::SetRules(Box::new(rules)))
                    .into_iter()
                    .collect()
            }
            Self::Trade { .. } | Self::Cancel { .. } | Self::Fill { .. } | Self::Deposit { .. } => {
                Vec::new()
            }
        }
    }
}

/// Takes back what a command did.
pub(super) fn take_back(core: &mut Core, now: Timestamp, action: &Action) {
    if let Action::SetStatus { instrument, .. } = action {
        core.lens.lift(HALTED | u64::from(instrument.0));
    }
    // What is restored was in force before, so it is accepted.
    drop(core.act(now, action));
}

fn halt(
    core: &mut Core,
    now: Timestamp,
    symbol: Option<&str>,
    status: InstrumentStatus,
    expire: bool,
) -> Result<Value, CommandError> {
    let listed: Vec<InstrumentId> = match symbol {
        Some(symbol) => vec![instrument(core, symbol)?.id],
        None => core
            .exchange
            .instruments()
            .iter()
            .map(|rules| rules.id)
            .collect(),
    };
    for &instrument in &listed {
        act(core, now, &Action::SetStatus { instrument, status })?;
        let mark = HALTED | u64::from(instrument.0);
        match status {
            InstrumentStatus::Halted | InstrumentStatus::NoData | InstrumentStatus::PricesOnly => {
                core.lens.freeze(mark, Some(instrument))
            }
            InstrumentStatus::Trading | InstrumentStatus::CancelOnly => core.lens.lift(mark),
        }
        if expire {
            act(core, now, &Action::ExpireAll { instrument })?;
        }
    }
    Ok(json!({ "halted": listed.len() }))
}

fn fill(
    core: &mut Core,
    now: Timestamp,
    account: &str,
    symbol: &str,
    quantity: Option<&str>,
) -> Result<Value, CommandError> {
    let (owner, rules) = (account_named(core, account)?, instrument(core, symbol)?);
    let waiting = |order: &&Order| order.instrument == rules.id && order.kind.limit().is_some();
    let order = core.exchange.open_orders(owner).find(waiting).copied();
    let order = order.ok_or_else(|| unknown("open order of", account))?;
    let limit = order.kind.limit().unwrap_or_default();
    let quantity = match quantity {
        Some(text) => rules
            .parse_quantity(text)
            .map_err(|_| number("quantity", symbol))?,
        None => order.remaining(),
    };
    // Beyond its price, so that nothing stands before it.
    let beyond = match order.side {
        Side::Buy => Price(limit.0 - rules.tick.0),
        Side::Sell => Price(limit.0 + rules.tick.0),
    };
    let trade = Trade {
        instrument: rules.id,
        taker: order.side.opposite(),
        id: TradeId(0),
        price: Price(beyond.0.max(rules.tick.0)),
        quantity,
        event_time: Some(now),
        received_at: now,
    };
    core.on_market(now, MarketEvent::Trade(trade));
    Ok(json!({ "orderId": order.id.0, "quantity": crate::decimals::quantity(&rules, quantity) }))
}

fn changed_rules(
    rules: &Instrument,
    symbol: &str,
    changes: &[(FilterKey, String)],
) -> Result<Instrument, CommandError> {
    let mut new = Instrument {
        revision: rules.revision + 1,
        ..rules.clone()
    };
    for (key, text) in changes {
        let wrong = || number(text, symbol);
        let price = || {
            rules
                .parse_price(text)
                .ok()
                .filter(|price| price.0 >= 0)
                .ok_or_else(wrong)
        };
        let quantity = || {
            rules
                .parse_quantity(text)
                .ok()
                .filter(|quantity| quantity.0 >= 0)
                .ok_or_else(wrong)
        };
        match key {
            FilterKey::Tick => {
                new.tick = Some(price()?).filter(|tick| tick.0 > 0).ok_or_else(wrong)?
            }
            FilterKey::Step => {
                new.step = Some(quantity()?)
                    .filter(|step| step.0 > 0)
                    .ok_or_else(wrong)?
            }
            FilterKey::NotionalMin => new.notional_min = text.parse().map_err(|_| wrong())?,
            FilterKey::QuantityMin => new.quantity_min = quantity()?,
            FilterKey::QuantityMax => new.quantity_max = quantity()?,
            FilterKey::PriceMin => new.price_min = price()?,
            FilterKey::PriceMax => new.price_max = price()?,
            FilterKey::OrdersMax => new.open_orders_max = text.parse().map_err(|_| wrong())?,
        }
    }
    if new.quantity_max != Quantity::ZERO && new.quantity_max < new.quantity_min {
        return Err(number("maxQty", symbol));
    }
    Ok(new)
}

/// Calls what a client would call, without its signature.
pub(super) fn call(
    core: &mut Core,
    now: Timestamp,
    method: &str,
    account: AccountId,
    params: &Map<String, Value>,
) -> Result<String, CommandError> {
    let route = rest::ws_route(method).ok_or_else(|| unknown("call", method))?;
    let params = Params::from_json(params);
    let call = Call {
        now,
        params: &params,
        unit: TimeUnit::Milliseconds,
    };
    let caller = Caller {
        account,
        permissions: Permissions::TRADE_ONLY,
    };
    rest::run(core, call, route.handler, Some(caller), &mut None).map_err(CommandError::from)
}

fn act(core: &mut Core, now: Timestamp, action: &Action) -> Result<(), CommandError> {
    core.act(now, action)
        .map(drop)
        .map_err(|refusal| ApiError::from(refusal).into())
}

fn account_named(core: &Core, key: &str) -> Result<AccountId, CommandError> {
    core.account_of(key).ok_or_else(|| unknown("account", key))
}

fn instrument(core: &Core, symbol: &str) -> Result<Instrument, CommandError> {
    let id = core
        .symbols
        .find(symbol)
        .ok_or_else(|| unknown("symbol", symbol))?;
    core.exchange
        .instruments()
        .get(id.index())
        .cloned()
        .ok_or_else(|| unknown("symbol", symbol))
}

fn unknown(what: &'static str, name: &str) -> CommandError {
    CommandError::Unknown {
        what,
        name: name.to_owned(),
    }
}

fn number(name: &str, symbol: &str) -> CommandError {
    CommandError::Number {
        name: name.to_owned(),
        symbol: symbol.to_owned(),
    }
}

impl From<ApiError> for CommandError {
    fn from(error: ApiError) -> Self {
        Self::Refused {
            code: error.code,
            message: error.message.into_owned(),
        }
    }
}

//! What the checkers compare: the desk's books as its view and its journal show them, and the intents in the journal.
//!
//! Positions in the truth are counted in bytes of all its files, oldest first: the mark of an order is the truth's length on
//! the disk as its first byte left, an intent ends where its record does.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tradewind::replay::verify;
use tradewind_events::{Configuration, DeskView, EventKind, Input, OrderView};
use tradewind_journal::{Loss, MemoryStorage, Reader, Record, StoreKind};
use tradewind_model::{
    Amount, AssetId, Fill, Instrument, InstrumentId, OrderKind, OrderTerms, OwnerId, Quantity,
    Side, Timestamp,
};
use tradewind_risk::PositionEffect;
use tradewind_simx_server::simulation::{BookedFill, DeskBooks, Holding, Intent, OpenOrder};

use crate::checks::Passed;
use crate::world::JOURNAL;

/// Bytes of the truth on the disk that survive `loss`.
pub(crate) fn truth_bytes(disk: &MemoryStorage, loss: Loss) -> u64 {
    disk.bytes_after(loss, |path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("truth-")) && path.starts_with(JOURNAL)
    })
}

/// What the journal proves: intents and events, oldest first.
#[derive(Debug, Default)]
pub(crate) struct JournalEvidence {
    pub(crate) intents: Vec<Intent>,
    /// By client id, what they let leave, by the rules of their time.
    pub(crate) passed: BTreeMap<String, Passed>,
    pub(crate) events: Vec<EventKind>,
}

impl JournalEvidence {
    /// Reads the whole truth.
    pub(crate) fn read(disk: &MemoryStorage) -> Self {
        let reader = Reader::new(Arc::new(disk.clone()), Path::new(JOURNAL));
        let mut records = reader.records(StoreKind::Truth).unwrap();
        let mut evidence = Self::default();
        let mut instruments: BTreeMap<InstrumentId, Instrument> = BTreeMap::new();
        while let Some(found) = records.next() {
            match found.unwrap().record {
                Record::Input(Input::Configured(configuration)) => {
                    let rules = configuration.instruments.iter();
                    instruments.extend(rules.map(|rules| (rules.id, rules.clone())));
                }
                Record::Input(Input::InstrumentChanged(rules)) => {
                    instruments.insert(rules.id, *rules);
                }
                Record::Intent(intent) => {
                    let profit = intent.take_profit.map(|order| OrderTerms {
                        client_id: order.client_id,
                        kind: OrderKind::PostOnly { price: order.price },
                        ..intent.terms
                    });
                    if let Some(rules) = instruments.get(&intent.terms.instrument) {
                        let terms = std::iter::once(intent.terms).chain(profit);
                        evidence.passed.extend(terms.map(|terms| {
                            let passed = Passed::new(&terms, symbol(rules), rules);
                            (terms.client_id.to_string(), passed)
                        }));
                    }
                    let pair = intent.take_profit.map(|order| order.client_id);
                    let ids = std::iter::once(intent.terms.client_id).chain(pair);
                    let ends = records.bytes_read();
                    evidence.intents.extend(ids.map(|id| Intent {
                        client_id: id.to_string(),
                        ends,
                    }));
                }
                Record::Event(event) => evidence.events.push(event.kind),
                Record::Segment(_) | Record::Input(_) | Record::Snapshot(_) => {}
            }
        }
        evidence
    }

    /// What the truth's events say and when, oldest first. A truth that is damaged ends there.
    pub(crate) fn dated_events(disk: &MemoryStorage) -> Vec<(Timestamp, EventKind)> {
        let reader = Reader::new(Arc::new(disk.clone()), Path::new(JOURNAL));
        let Ok(records) = reader.records(StoreKind::Truth) else {
            return Vec::new();
        };
        let records = records.map_while(Result::ok);
        let events = records.filter_map(|found| match found.record {
            Record::Event(event) => Some((event.at, event.kind)),
            _ => None,
        });
        events.collect()
    }

    /// The desk's books: fills as booked in the journal, the rest as in the view.
    pub(crate) fn books(&self, view: &DeskView, configuration: &Configuration) -> DeskBooks {
        let names = Names(configuration);
        let fills = self.events.iter().filter_map(|kind| match kind {
            EventKind::OrderFilled { fill, .. } => Some(fill),
            _ => None,
        });
        DeskBooks {
            open_orders: view
                .orders
                .iter()
                .map(|order| names.open_order(order))
                .collect(),
            fills: fills.map(|fill| names.fill(fill)).collect(),
            balances: names.balances(view),
            owners: names.owners(view),
            to_guard: names.to_guard(view),
        }
    }
}

/// Ids as names, numbers as amounts.
struct Names<'a>(&'a Configuration);

impl Names<'_> {
    fn asset(&self, asset: AssetId) -> String {
        self.0.assets.name(asset).to_owned()
    }

    fn open_order(&self, order: &OrderView) -> OpenOrder {
        let instrument = self.0.instrument(order.terms.instrument);
        OpenOrder {
            client_id: order.terms.client_id.to_string(),
            filled: instrument.quantity_amount(order.filled),
        }
    }

    fn fill(&self, fill: &Fill) -> BookedFill {
        let instrument = self.0.instrument(fill.instrument);
        BookedFill {
            symbol: symbol(instrument),
            trade_id: fill.trade_id.0,
            order_id: fill.venue_order_id.0,
            side: fill.side,
            price: instrument.price_amount(fill.price),
            quantity: instrument.quantity_amount(fill.quantity),
            fee: fill.fee.amount,
            fee_asset: self.asset(fill.fee.asset),
        }
    }

    /// The ledger's totals; what its open orders hold is locked.
    fn balances(&self, view: &DeskView) -> BTreeMap<String, Holding> {
        let mut balances: BTreeMap<String, Holding> = BTreeMap::new();
        for held in &view.balances {
            balances.entry(self.asset(held.asset)).or_default().free += held.amount;
        }
        // What takes a profit is locked once, together with the stop of its pair.
        let is_paired = |order: &OrderView| {
            let is_stop = |other: &&OrderView| {
                let same = (other.bot, other.terms.instrument, other.terms.quantity);
                other.terms.kind.trigger().is_some()
                    && same == (order.bot, order.terms.instrument, order.terms.quantity)
            };
            order.purpose == PositionEffect::Protect
                && order.terms.kind.trigger().is_none()
                && view.orders.iter().any(|other| is_stop(&other))
        };
        for order in view.orders.iter().filter(|order| !is_paired(order)) {
            let instrument = self.0.instrument(order.terms.instrument);
            let (asset, amount) = reserved(order, instrument);
            let holding = balances.entry(self.asset(asset)).or_default();
            holding.free -= amount;
            holding.locked += amount;
        }
        balances
    }

    /// What the positions with a stop hold, less fees, what exits at work sell, what is listed as unprotected, and for each
    /// position a remainder that is worth less than the venue takes.
    fn to_guard(&self, view: &DeskView) -> BTreeMap<String, Amount> {
        let mut needed: BTreeMap<String, Amount> = BTreeMap::new();
        for held in &view.positions {
            let OwnerId::Bot(bot) = held.owner else {
                continue;
            };
            let exits = view.orders.iter().filter(|order| {
                let of = (order.bot, order.terms.instrument);
                of == (Some(bot), held.instrument) && order.purpose == PositionEffect::Exit
            });
            let sold: i64 = exits
                .map(|order| order.terms.quantity.0 - order.filled.0)
                .sum();
            let listed = view.unprotected.iter();
            let listed = listed.filter(|one| (one.bot, one.instrument) == (bot, held.instrument));
            let listed: i64 = listed.map(|one| one.quantity.0).sum();
            let instrument = self.0.instrument(held.instrument);
            let owned = (view.balances.iter())
                .find(|one| (one.asset, one.owner) == (instrument.base, held.owner))
                .map_or(Amount::ZERO, |one| one.amount);
            // No stop can be placed for what is worth less than the venue takes.
            let all = instrument.quantity_amount(held.quantity);
            let small = all.mul_div(instrument.notional_min.0, held.cost.0.max(1));
            let small = small.unwrap_or_default();
            // What fees took of the position is nobody's to sell.
            let left = all.min(owned).0 - instrument.quantity_amount(Quantity(sold + listed)).0;
            if held.exit.is_protected() && left > 0 {
                let amount = Amount((left - small.0).max(0));
                let step = instrument.quantity_amount(instrument.step);
                let amount = Amount(amount.0 - amount.0 % step.0.max(1));
                *needed.entry(symbol(instrument)).or_default() += amount;
            }
        }
        needed
    }

    fn owners(&self, view: &DeskView) -> BTreeMap<(String, String), Amount> {
        let mut owners = BTreeMap::new();
        for held in &view.balances {
            let owner = (self.asset(held.asset), format!("{:?}", held.owner));
            *owners.entry(owner).or_default() += held.amount;
        }
        owners
    }
}

/// `BTCUSDT` of `binance:BTC/USDT`.
pub(crate) fn symbol(instrument: &Instrument) -> String {
    let name = &instrument.name;
    let pair = name.split_once(':').map_or(&**name, |(_, pair)| pair);
    pair.replace('/', "")
}

/// What an open order reserves of which asset.
fn reserved(order: &OrderView, instrument: &Instrument) -> (AssetId, Amount) {
    let left = Quantity(order.terms.quantity.0 - order.filled.0);
    match (order.terms.side, order.terms.kind.limit()) {
        (Side::Sell, _) => (instrument.base, instrument.quantity_amount(left)),
        (Side::Buy, Some(price)) => {
            let value = instrument.notional(price, left);
            (instrument.quote, value.unwrap_or_default())
        }
        (Side::Buy, None) => (instrument.quote, Amount::ZERO),
    }
}

/// I10: the journal replays identical. Where the disk refused something, inputs of the market may be missing, and what can be
/// compared without them must be the same.
///
/// # Errors
/// The first difference.
pub(crate) fn verify_replay(disk: &MemoryStorage, was_refused: bool) -> Result<(), String> {
    let reader = Reader::new(Arc::new(disk.clone()), Path::new(JOURNAL));
    let verdict = verify(&reader, &mut |_| {}).map_err(|error| format!("{error:#}"))?;
    let is_whole = verdict.totals.missing.is_none() && verdict.totals.passed_over == 0;
    if verdict.difference.is_none() && (is_whole || was_refused) {
        return Ok(());
    }
    Err(format!("{:?} {:?}", verdict.difference, verdict.totals))
}

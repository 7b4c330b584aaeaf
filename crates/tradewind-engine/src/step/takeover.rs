//! Accounts: taken over from the venue at the start, valued on a schedule.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tradewind_events::{AccountState, Configuration, EquityPoint, EventKind, OpenOrder, Outputs};
use tradewind_events::{Output, Timer};
use tradewind_model::{
    AccountId, AccountMode, Amount, BotId, ClientOrderId, Fill, InstrumentId, Money, OrderStatus,
    OwnerId, Quantity, Side, TradeId,
};
use tradewind_portfolio::{Prices, value_account};
use tradewind_risk::{CauseKind, PositionEffect, Scope};

use crate::engine::Engine;
use crate::parts::order::{Order, Trades};
use crate::step::reports::is_possible;

/// How many foreign fills are remembered by id.
const FOREIGN_KEPT: usize = 4_096;

/// An account at run time.
#[derive(Debug)]
pub(crate) struct AccountRecord {
    pub(crate) reconciled: bool,
    /// As of the last valuation.
    pub(crate) equity: EquityPoint,
    pub(crate) started_with: Option<Amount>,
    /// Instruments its bots trade.
    pub(crate) instruments: u32,
    /// Fills heard before the account was read, which its reading may not contain.
    early: Vec<Fill>,
    foreign: BTreeSet<(InstrumentId, TradeId, ClientOrderId)>,
    foreign_order: VecDeque<(InstrumentId, TradeId, ClientOrderId)>,
}

impl AccountRecord {
    pub(crate) fn new(account: AccountId, configuration: &Configuration) -> Self {
        let bots = configuration
            .bots
            .iter()
            .filter(|bot| bot.account == account);
        let traded: BTreeSet<InstrumentId> = bots
            .flat_map(|bot| bot.instruments.iter().copied())
            .collect();
        Self {
            reconciled: false,
            equity: EquityPoint::default(),
            started_with: None,
            instruments: u32::try_from(traded.len()).unwrap_or(u32::MAX),
            early: Vec::new(),
            foreign: BTreeSet::new(),
            foreign_order: VecDeque::new(),
        }
    }

    /// Remembers a fill that came before the account was read.
    pub(crate) fn note_unreconciled(&mut self, fill: &Fill) {
        if !self.reconciled && self.early.len() < FOREIGN_KEPT {
            self.early.push(*fill);
        }
    }

    /// Whether a fill of an order the engine does not know is heard of for the first time.
    pub(crate) fn first_time(&mut self, fill: &Fill) -> bool {
        let key = (fill.instrument, fill.trade_id, fill.client_id);
        if !self.foreign.insert(key) {
            return false;
        }
        self.foreign_order.push_back(key);
        if self.foreign_order.len() > FOREIGN_KEPT
            && let Some(oldest) = self.foreign_order.pop_front()
        {
            self.foreign.remove(&oldest);
        }
        true
    }
}

impl Engine {
    /// Takes an account over as the venue shows it: fills first, then what they do not explain, then budgets.
    pub(crate) fn on_account(&mut self, state: &AccountState, out: &mut Outputs) {
        let account = state.account;
        if account.index() >= self.accounts.len() {
            return;
        }
        self.portfolio.clear(account);
        let mut last: BTreeMap<(OwnerId, InstrumentId), &Fill> = BTreeMap::new();
        for (fill, bot) in &state.fills {
            if fill.account != account || !self.is_known(fill) {
                continue;
            }
            self.note_heard(fill);
            let owner = self.owner_of_fill(fill, *bot);
            let before = last.insert((owner, fill.instrument), fill);
            let rules = &self.config.instruments[fill.instrument.index()];
            let key = (account, owner, fill.instrument);
            let begins_anew = before.is_some_and(|before| before.client_id != fill.client_id)
                && fill.side == Side::Buy;
            // A remainder that could not be sold was given up before its bot bought again.
            if begins_anew && self.portfolio.is_remainder(rules, &key, Some(fill.price)) {
                self.portfolio.give_up(rules, key);
            }
            self.portfolio.book(rules, owner, fill);
        }
        self.take_over_balances(state);
        self.book_early(account, state);
        let short = self.allocate_budgets(account);
        for order in &state.open_orders {
            self.adopt(order, &state.fills, out);
        }
        for index in 0..self.bots.len() {
            let runtime = &self.bots[index];
            if runtime.config.account == account {
                let bot = runtime.config.id;
                for slot in 0..runtime.slots.len() {
                    let instrument = self.bots[index].slots[slot].instrument;
                    let fill = last.get(&(OwnerId::Bot(bot), instrument));
                    self.write_off_dust(bot, slot, fill.copied());
                    self.refresh_position(bot, slot, out);
                }
            }
        }
        let fills = u32::try_from(state.fills.len()).unwrap_or(u32::MAX);
        let orders = u32::try_from(state.open_orders.len()).unwrap_or(u32::MAX);
        self.context.emit(
            out,
            None,
            EventKind::Reconciled {
                account,
                fills,
                orders,
            },
        );
        self.accounts[account.index()].reconciled = true;
        self.value(account);
        self.close_cause(Scope::Account(account), &CauseKind::NotReconciled, out);
        if self.accounts.iter().all(|book| book.reconciled) {
            self.schedule_bots(out);
        }
        for bot in short {
            let reason = "its budget is not covered by the account";
            self.set_state(bot, tradewind_events::BotState::Stopped, reason, out);
        }
    }

    /// Whether account and instrument exist and the numbers can be a trade's.
    pub(crate) fn is_known(&self, fill: &Fill) -> bool {
        fill.account.index() < self.accounts.len()
            && fill.instrument.index() < self.config.instruments.len()
            && is_possible(fill)
    }

    /// A fill that the venue listed is not booked again when its own report comes.
    fn note_heard(&mut self, fill: &Fill) {
        self.accounts[fill.account.index()].first_time(fill);
        if let Some(order) = self.orders.get_mut(fill.client_id)
            && order.trades.insert(fill.trade_id)
        {
            order.filled = Quantity(order.filled.0.saturating_add(fill.quantity.0));
        }
    }

    /// Gives up what an earlier run had given up: a remainder that could not be sold. While an order works the position may
    /// be its first part, unless it is another order than the last fill's, and a buy: that began anew.
    fn write_off_dust(&mut self, bot: BotId, slot: usize, last: Option<&Fill>) {
        let runtime = &self.bots[bot.index()];
        let place = &runtime.slots[slot];
        let rules = &self.config.instruments[place.instrument.index()];
        let key = (runtime.config.account, OwnerId::Bot(bot), rules.id);
        let working = place.working.and_then(|id| self.orders.open_order(id));
        let is_over = working.is_none_or(|order| {
            order.terms.side == Side::Buy
                && last.is_some_and(|fill| fill.client_id != order.terms.client_id)
        });
        let price = last.map(|fill| fill.price);
        if is_over && self.portfolio.is_remainder(rules, &key, price) {
            self.portfolio.give_up(rules, key);
        }
    }

    /// Books what the stream told between the reading and now.
    fn book_early(&mut self, account: AccountId, state: &AccountState) {
        let early = std::mem::take(&mut self.accounts[account.index()].early);
        let is_in = |fill: &Fill| state.fills.iter().any(|(read, _)| read == fill);
        for fill in early.iter().filter(|fill| !is_in(fill)) {
            let owner = self.owner_of_fill(fill, None);
            let rules = &self.config.instruments[fill.instrument.index()];
            self.portfolio.book(rules, owner, fill);
        }
    }

    /// Whether a bot still trades what a fill was in; what it does not goes to the desk, since nobody would guard it.
    fn trades_on(&self, bot: BotId, fill: &Fill) -> bool {
        self.bots.get(bot.index()).is_some_and(|runtime| {
            let config = &runtime.config;
            config.account == fill.account && config.instruments.contains(&fill.instrument)
        })
    }

    fn owner_of_fill(&self, fill: &Fill, bot: Option<BotId>) -> OwnerId {
        match bot {
            Some(bot) if self.trades_on(bot, fill) => OwnerId::Bot(bot),
            _ if fill.client_id.is_ours() => OwnerId::Unallocated,
            _ => OwnerId::External,
        }
    }

    /// What the fills do not explain was there before, or came from elsewhere: the desk's own on a paper account,
    /// EXTERNAL on a live one.
    fn take_over_balances(&mut self, state: &AccountState) {
        let account = state.account;
        let rest = match self.config.accounts[account.index()].mode {
            AccountMode::Paper => OwnerId::Unallocated,
            AccountMode::Live => OwnerId::External,
        };
        let known: Vec<_> = self
            .portfolio
            .ledger
            .assets(account)
            .map(|(asset, _)| asset)
            .collect();
        let absent = known
            .into_iter()
            .filter(|asset| state.balances.iter().all(|(listed, _)| listed != asset));
        let absent: Vec<_> = absent.map(|asset| (asset, Amount::ZERO)).collect();
        for (asset, total) in state.balances.iter().copied().chain(absent) {
            let amount = total - self.portfolio.ledger.total(account, asset);
            if !amount.is_zero() {
                self.portfolio
                    .deposit(account, Money { asset, amount }, rest);
            }
        }
    }

    /// Gives each bot its budget, the desk's own money first, and returns the bots that money does not cover.
    fn allocate_budgets(&mut self, account: AccountId) -> Vec<BotId> {
        let mut short = Vec::new();
        for runtime in self
            .bots
            .iter()
            .filter(|runtime| runtime.config.account == account)
        {
            let Some(first) = runtime.slots.first() else {
                continue;
            };
            let asset = self.config.instruments[first.instrument.index()].quote;
            let amount = runtime.config.budget;
            let has = |owner| self.portfolio.ledger.balance(account, asset, owner) >= amount;
            let Some(from) = [OwnerId::Unallocated, OwnerId::External]
                .into_iter()
                .find(|owner| has(*owner))
            else {
                short.push(runtime.config.id);
                continue;
            };
            self.portfolio.transfer(
                account,
                Money { asset, amount },
                from,
                OwnerId::Bot(runtime.config.id),
            );
        }
        short
    }

    /// Takes over an order that was open when the desk started; one that is not ours is left alone.
    fn adopt(&mut self, found: &OpenOrder, fills: &[(Fill, Option<BotId>)], out: &mut Outputs) {
        let Some(adopted) = found.adopted else { return };
        let terms = found.terms;
        let is_known = terms.account.index() < self.accounts.len()
            && terms.instrument.index() < self.config.instruments.len();
        if !is_known || self.orders.get_mut(terms.client_id).is_some() {
            return;
        }
        // Its fills are booked already; they must not be a second time when the venue tells them again.
        let booked = fills.iter().map(|(fill, _)| fill);
        let booked = booked.filter(|fill| fill.client_id == terms.client_id);
        let trades: Trades = booked.map(|fill| fill.trade_id).collect();
        let place = adopted.bot.and_then(|bot| {
            let runtime = self.bots.get(bot.index())?;
            let slot = runtime
                .slots
                .iter()
                .position(|slot| slot.instrument == terms.instrument)?;
            Some((bot, slot))
        });
        let accepted = EventKind::OrderAccepted {
            terms,
            bot: adopted.bot,
        };
        let placed_by = self.context.emit(out, None, accepted);
        if let Some((bot, slot)) = place {
            self.bots[bot.index()].slots[slot].working = Some(terms.client_id);
        }
        let status = if found.filled == Quantity::ZERO {
            OrderStatus::Accepted
        } else {
            OrderStatus::PartiallyFilled
        };
        self.orders.insert(Order {
            terms,
            bot: place,
            purpose: PositionEffect::Entry,
            status,
            filled: found.filled,
            venue_order_id: Some(found.venue_order_id),
            placed_at: adopted.placed_at,
            placed_by,
            reprices: 0,
            cross_remainder: false,
            limit: None,
            exposure_before: tradewind_model::Ppm::ZERO,
            cumulative: found.filled,
            cancelling: false,
            trades,
        });
        // What it was to wait for is not known any more: a bot decides afresh.
        if place.is_some() {
            self.cancel(terms.client_id, out);
        }
    }

    /// Values an account by the quotes of now.
    pub(crate) fn value(&mut self, account: AccountId) {
        let prices = Prices {
            instruments: &self.config.instruments,
            quotes: &self.market.quotes,
        };
        let report = self.config.report_asset;
        let value = value_account(&self.portfolio, prices, account, report, None);
        let realized = self
            .portfolio
            .realized_all(account)
            .filter(|(owner, asset, _)| *owner != OwnerId::External && *asset == report);
        let realized = realized.map(|(_, _, amount)| amount).sum();
        let book = &mut self.accounts[account.index()];
        book.equity = EquityPoint {
            at: self.context.at,
            equity: value.equity,
            realized,
            unrealized: value.unrealized,
            unpriced: value.unpriced,
        };
        if book.started_with.is_none() && value.unpriced == 0 {
            book.started_with = Some(value.equity);
        }
    }

    pub(crate) fn on_equity_timer(&mut self, out: &mut Outputs) {
        for index in 0..self.accounts.len() {
            let account = self.config.accounts[index].id;
            if !self.accounts[index].reconciled {
                continue;
            }
            self.value(account);
            let EquityPoint {
                equity,
                realized,
                unrealized,
                unpriced,
                ..
            } = self.accounts[index].equity;
            let snapshot = EventKind::EquitySnapshot {
                account,
                equity,
                realized,
                unrealized,
                unpriced,
            };
            self.context.emit(out, None, snapshot);
        }
        out.push(Output::SetTimer(
            self.context.at + self.config.equity_every,
            Timer::Equity,
        ));
    }
}

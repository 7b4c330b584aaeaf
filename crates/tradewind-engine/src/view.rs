//! What an observer may see, copied out between two inputs, and what was counted for it.

use tradewind_events::{
    AccountView, BalanceView, BotView, CloseView, Counters as CounterTotals, DeskView, ExitView,
    FeedView, NextWake, OrderView, PositionView,
};
use tradewind_model::{BotId, InstrumentId, OrderStatus, OwnerId, Price, Quote, Timestamp, Wake};
use tradewind_portfolio::{Position, PositionKey, Prices, value_account};
use tradewind_risk::Rule;

use crate::engine::Engine;
use crate::parts::bot::Bot;
use crate::parts::order::Order;

/// What was counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) totals: CounterTotals,
    close: CloseView,
    /// Whether the wake being handled belongs to a close.
    at_close: bool,
}

impl Counters {
    /// A candle, or a bot's own interval, closed at this moment.
    pub(crate) fn closed_at(&mut self, at: Timestamp) {
        if at > self.close.at {
            self.close = CloseView {
                at,
                ..CloseView::default()
            };
        }
    }

    pub(crate) fn woke(&mut self, wake: Wake) {
        self.totals.wakes += 1;
        self.at_close = wake != Wake::Quote;
        self.close.woke += u32::from(self.at_close);
    }

    pub(crate) fn held(&mut self) {
        self.totals.holds += 1;
        self.close.held += u32::from(self.at_close);
    }

    pub(crate) fn signalled(&mut self) {
        self.totals.signals += 1;
        self.close.signals += u32::from(self.at_close);
    }

    pub(crate) fn denied(&mut self, rule: Rule) {
        self.totals.denials += 1;
        match self
            .close
            .denied
            .iter_mut()
            .find(|(known, _)| *known == rule)
        {
            Some((_, count)) => *count += 1,
            None => self.close.denied.push((rule, 1)),
        }
    }

    pub(crate) fn filled(&mut self, status: OrderStatus) {
        self.totals.fills += 1;
        if status == OrderStatus::PartiallyFilled {
            self.totals.partial_fills += 1;
            self.close.partly_filled += 1;
        } else {
            self.close.filled += 1;
        }
    }
}

impl Engine {
    /// The desk as of the last input.
    #[must_use]
    pub fn view(&self) -> DeskView {
        DeskView {
            seq: self.context.seq,
            at: self.context.at,
            state: self.states.desk(),
            causes: self.states.causes().to_vec(),
            accounts: self.account_views(),
            bots: self.bots.iter().map(|bot| self.bot_view(bot)).collect(),
            orders: self.orders.open().map(order_view).collect(),
            positions: self
                .portfolio
                .positions()
                .map(|(key, position)| self.position_view(key, position))
                .collect(),
            balances: self.balance_views(),
            feeds: self.feed_views(),
            counters: self.counters.totals,
            last_close: self.counters.close.clone(),
        }
    }

    fn prices(&self) -> Prices<'_> {
        Prices {
            instruments: &self.config.instruments,
            quotes: &self.market.quotes,
        }
    }

    fn account_views(&self) -> Vec<AccountView> {
        let views = self
            .config
            .accounts
            .iter()
            .zip(&self.accounts)
            .map(|(account, book)| AccountView {
                account: account.id,
                reconciled: book.reconciled,
                equity: book.equity,
                started_with: book.started_with.unwrap_or(book.equity.equity),
            });
        views.collect()
    }

    fn bot_view(&self, bot: &Bot) -> BotView {
        let id = bot.config.id;
        let owner = OwnerId::Bot(id);
        let quote_asset = bot
            .slots
            .first()
            .map(|slot| self.config.instruments[slot.instrument.index()].quote);
        let quote_asset = quote_asset.unwrap_or(self.config.report_asset);
        let value = value_account(
            &self.portfolio,
            self.prices(),
            bot.config.account,
            quote_asset,
            Some(owner),
        );
        let stats = &bot.stats;
        BotView {
            bot: id,
            state: bot.state,
            state_reason: bot.state_reason.clone(),
            since: bot.since,
            reason: stats.reason.clone(),
            reason_instrument: stats.reason_slot.map(|slot| bot.slots[slot].instrument),
            last_wake: stats.last_wake,
            next_wake: self.next_wake(bot),
            wakes: stats.wakes,
            signals: stats.signals,
            orders: stats.orders,
            fills: stats.fills,
            denials: stats.denials,
            last_denial: stats.last_denial.clone(),
            errors: stats.errors,
            lateness_max_nanos: stats.lateness_max_nanos,
            equity: value.equity,
            realized: self
                .portfolio
                .realized(bot.config.account, owner, quote_asset),
            unrealized: value.unrealized,
        }
    }

    /// The next close of one of its candles, or its own interval, whichever comes first.
    fn next_wake(&self, bot: &Bot) -> Option<NextWake> {
        if !bot.is_awake() {
            return None;
        }
        let closes = bot.warm_ups.iter().map(|warm_up| NextWake {
            at: warm_up.interval.close_time(self.context.at),
            interval: Some(warm_up.interval),
        });
        let timer = bot.next_timer.map(|at| NextWake { at, interval: None });
        closes.chain(timer).min_by_key(|next| next.at)
    }

    fn position_view(&self, key: &PositionKey, position: &Position) -> PositionView {
        let instrument = &self.config.instruments[key.2.index()];
        let mid = self.market.quotes[key.2.index()].as_ref().map(Quote::mid);
        let entry_price: Option<Price> = position.entry_price(instrument);
        PositionView {
            account: key.0,
            owner: key.1,
            instrument: key.2,
            quantity: position.quantity,
            cost: position.cost,
            entry_price,
            opened_at: position.opened_at,
            unrealized: mid.and_then(|mid| position.unrealized(instrument, mid)),
            realized: position.realized,
            exit: self.exit_view(key.1, key.2),
        }
    }

    fn exit_view(&self, owner: OwnerId, instrument: InstrumentId) -> ExitView {
        let OwnerId::Bot(BotId(index)) = owner else {
            return ExitView::default();
        };
        let slots = self
            .bots
            .get(index as usize)
            .map(|bot| bot.slots.as_slice())
            .unwrap_or_default();
        let guard = slots
            .iter()
            .find(|slot| slot.instrument == instrument)
            .and_then(|slot| slot.guard.as_ref());
        guard
            .map(crate::parts::exit_monitor::ExitMonitor::view)
            .unwrap_or_default()
    }

    fn balance_views(&self) -> Vec<BalanceView> {
        let balances = self.portfolio.ledger.balances();
        balances
            .map(|(account, asset, owner, amount)| BalanceView {
                account,
                asset,
                owner,
                amount,
            })
            .collect()
    }

    fn feed_views(&self) -> Vec<FeedView> {
        let feeds = self.config.instruments.iter().zip(&self.market.feeds);
        let views = feeds.map(|(instrument, feed)| FeedView {
            instrument: instrument.id,
            health: feed.health,
            quote: self.market.quotes[instrument.id.index()],
            quotes: feed.quotes,
            trades: feed.trades,
            candles: feed.candles,
        });
        views.collect()
    }
}

fn order_view(order: &Order) -> OrderView {
    OrderView {
        terms: order.terms,
        venue_order_id: order.venue_order_id,
        bot: order.bot.map(|(bot, _)| bot),
        purpose: order.purpose,
        status: order.status,
        filled: order.filled,
        placed_at: order.placed_at,
        placed_by: order.placed_by,
    }
}

//! From an intent to an order: the order policy, the risk gate, and the output that sends it.

use tradewind_events::{EventKind, Intent, Output, Outputs, Timer};
use tradewind_model::{
    AccountId, Amount, AssetId, BotId, ClientOrderId, EventId, InstrumentId, InstrumentKind,
    LimitPolicy, OnTimeout, OrderKind, OrderPolicy, OrderStatus, OrderTerms, OwnerId, Ppm, Price,
    Quantity, Side, TimeInForce,
};
use tradewind_portfolio::{Prices, rate};
use tradewind_risk::{
    ApprovedOrder, Candidate, Context, DenyReason, PositionEffect, RecentOrders, TokenBucket, check,
};

use crate::engine::Engine;
use crate::parts::order::{Order, Trades};

/// An order somebody wants: the quantity is decided, the kind is not.
#[derive(Clone, Debug)]
pub(crate) struct OrderRequest {
    pub(crate) bot: Option<(BotId, usize)>,
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) quantity: Quantity,
    pub(crate) purpose: PositionEffect,
    /// A price not to trade beyond.
    pub(crate) limit: Option<Price>,
    pub(crate) on_quote: bool,
    pub(crate) cause: Option<EventId>,
}

/// OrderThrottle and memory of orders placed by hand.
#[derive(Debug, Default)]
pub(crate) struct OrderThrottle {
    rate: TokenBucket,
    recent: RecentOrders,
}

impl Engine {
    /// Places an entry by its bot's order policy; an exit always goes at market. Returns whether an order was placed.
    pub(crate) fn submit_by_policy(&mut self, request: &OrderRequest, out: &mut Outputs) -> bool {
        let policy = match (request.bot, request.purpose) {
            (Some((bot, _)), PositionEffect::Entry) => self.bots[bot.index()].config.policy,
            _ => OrderPolicy::Market,
        };
        let OrderPolicy::Limit(policy) = policy else {
            let kind = request
                .limit
                .map_or(OrderKind::Market, |price| OrderKind::Limit {
                    price,
                    time_in_force: TimeInForce::ImmediateOrCancel,
                });
            return self.submit(request, kind, out).is_some();
        };
        let Some(price) = self.limit_price(request, &policy) else {
            self.deny(
                request.bot.map(|(bot, _)| bot),
                (request.account, request.instrument),
                request.side,
                request.quantity,
                DenyReason::NoReference,
                request.cause,
                out,
            );
            return false;
        };
        let kind = if policy.post_only {
            OrderKind::PostOnly { price }
        } else {
            OrderKind::Limit {
                price,
                time_in_force: TimeInForce::GoodTillCancel,
            }
        };
        let Some(id) = self.submit(request, kind, out) else {
            return false;
        };
        if let Some(order) = self.orders.open_order_mut(id) {
            order.reprices = policy.chases;
        }
        if let Some(timeout) = policy.timeout {
            out.push(Output::SetTimer(
                self.context.at + timeout,
                Timer::OrderTimeout(id),
            ));
        }
        true
    }

    /// Where a limit order is placed: at the touch on our own side, moved away by the offset, on a tick.
    fn limit_price(&self, request: &OrderRequest, policy: &LimitPolicy) -> Option<Price> {
        let quote = self.market.live_quote(request.instrument)?;
        let touch = quote.same_side(request.side);
        let offset = i128::from(touch.0) * i128::from(policy.offset.0) / i128::from(Ppm::ONE.0);
        let offset = i64::try_from(offset).ok()?;
        let price = match request.side {
            Side::Buy => touch.0.checked_sub(offset)?,
            Side::Sell => touch.0.checked_add(offset)?,
        };
        let instrument = &self.config.instruments[request.instrument.index()];
        let price = instrument.round_price(Price(price), request.side);
        Some(match (request.limit, request.side) {
            (None, _) => price,
            (Some(limit), Side::Buy) => price.min(limit),
            (Some(limit), Side::Sell) => price.max(limit),
        })
    }

    /// Asks risk and, if it lets the order pass, places it. `None` if it was denied.
    pub(crate) fn submit(
        &mut self,
        request: &OrderRequest,
        kind: OrderKind,
        out: &mut Outputs,
    ) -> Option<ClientOrderId> {
        let client_id = self.ids.next_id();
        let OrderRequest {
            account,
            instrument,
            side,
            quantity,
            ..
        } = *request;
        let terms = OrderTerms {
            account,
            instrument,
            client_id,
            side,
            quantity,
            kind,
        };
        let bot = request.bot.map(|(bot, _)| bot);
        let candidate = Candidate {
            terms,
            bot,
            purpose: request.purpose,
            decided_on_quote: request.on_quote,
        };
        match self.check_risk(&candidate) {
            Ok(checked) => {
                self.place(request, checked, out);
                Some(client_id)
            }
            Err(reason) => {
                self.deny(
                    bot,
                    (account, instrument),
                    side,
                    quantity,
                    reason,
                    request.cause,
                    out,
                );
                None
            }
        }
    }

    fn check_risk(&self, candidate: &Candidate) -> Result<ApprovedOrder, DenyReason> {
        let terms = &candidate.terms;
        let instrument = &self.config.instruments[terms.instrument.index()];
        let owner = candidate.bot.map_or(OwnerId::Unallocated, OwnerId::Bot);
        let spends = match (instrument.kind, terms.side) {
            (InstrumentKind::Spot, Side::Buy) => instrument.quote,
            (InstrumentKind::Spot, Side::Sell) => instrument.base,
            (InstrumentKind::Linear | InstrumentKind::Inverse, _) => instrument.settlement,
        };
        let (rate_left, recent) = match candidate.bot {
            Some(bot) => (&self.bots[bot.index()].rate, &self.bots[bot.index()].recent),
            None => (&self.by_hand.rate, &self.by_hand.recent),
        };
        let prices = Prices {
            instruments: &self.config.instruments,
            quotes: &self.market.quotes,
        };
        let entries = self.orders.entries(terms.account, terms.instrument);
        let context = Context {
            now: self.context.at,
            limits: &self.config.limits,
            state: self
                .states
                .for_order(terms.account, terms.instrument, candidate.bot),
            instrument,
            allowed: candidate.bot.is_none_or(|bot| {
                self.bots[bot.index()]
                    .config
                    .instruments
                    .contains(&terms.instrument)
            }),
            quote: self.market.live_quote(terms.instrument),
            quote_rate: rate(prices, instrument.quote, self.config.report_asset),
            equity: self.accounts[terms.account.index()].equity.equity,
            fee: self.config.fee,
            free: self.free(terms.account, spends, owner),
            position: self
                .portfolio
                .position(&(terms.account, owner, terms.instrument))
                .quantity,
            working: self.orders.working(
                candidate.bot,
                terms.account,
                terms.instrument,
                terms.side,
            ),
            open_entries_instrument: entries.0,
            open_entries_account: entries.1,
            account_instruments: self.accounts[terms.account.index()].instruments,
            rate: rate_left,
            recent,
        };
        check(candidate, &context)
    }

    /// An owner's balance less what its open orders have reserved.
    fn free(&self, account: AccountId, asset: AssetId, owner: OwnerId) -> Amount {
        let balance = self.portfolio.ledger.balance(account, asset, owner);
        if self.orders.is_empty() {
            return balance;
        }
        let reserved = self
            .orders
            .open()
            .filter(|order| order.terms.account == account && owner_of(order) == owner);
        balance
            - reserved
                .map(|order| self.reserved(order, asset))
                .sum::<Amount>()
    }

    /// What an open order may still spend of an asset.
    fn reserved(&self, order: &Order, asset: AssetId) -> Amount {
        let instrument = &self.config.instruments[order.terms.instrument.index()];
        if instrument.kind == InstrumentKind::Spot && order.terms.side == Side::Sell {
            return if asset == instrument.base {
                instrument.quantity_amount(order.remaining())
            } else {
                Amount::ZERO
            };
        }
        let spent = if instrument.kind == InstrumentKind::Spot {
            instrument.quote
        } else {
            instrument.settlement
        };
        if spent != asset || order.purpose == PositionEffect::Exit {
            return Amount::ZERO;
        }
        let touch = self.market.quotes[instrument.id.index()]
            .map(|quote| quote.opposite_side(order.terms.side));
        let price = order.terms.kind.limit().or(touch).unwrap_or_default();
        let value = instrument
            .notional(price, order.remaining())
            .unwrap_or_default();
        value
            .share(Ppm(Ppm::ONE.0 + self.config.fee.0))
            .unwrap_or(value)
    }

    fn place(&mut self, request: &OrderRequest, checked: ApprovedOrder, out: &mut Outputs) {
        let terms = *checked.terms();
        let bot = request.bot.map(|(bot, _)| bot);
        let placed = EventKind::OrderPlaced {
            terms,
            bot,
            purpose: request.purpose,
        };
        let placed_by = self.context.emit(out, request.cause, placed);
        let asked = |(bot, slot): (BotId, usize)| self.bots[bot.index()].slots[slot].exposure;
        let exposure_before = request.bot.map(asked).unwrap_or_default();
        let (pace, recent, revision) = match request.bot {
            Some((bot, slot)) => {
                let runtime = &mut self.bots[bot.index()];
                runtime.slots[slot].working = Some(terms.client_id);
                runtime.stats.orders += 1;
                (
                    &mut runtime.rate,
                    &mut runtime.recent,
                    runtime.config.revision,
                )
            }
            None => (&mut self.by_hand.rate, &mut self.by_hand.recent, 0),
        };
        if let Some(rate) = &self.config.limits.bot_order_rate {
            pace.take(self.context.at, rate);
        }
        recent.note(self.context.at, &terms);
        self.counters.totals.orders += 1;
        self.orders.insert(Order {
            terms,
            bot: request.bot,
            purpose: request.purpose,
            status: OrderStatus::Pending,
            filled: Quantity::ZERO,
            venue_order_id: None,
            placed_at: self.context.at,
            placed_by,
            reprices: 0,
            cross_remainder: false,
            limit: request.limit,
            exposure_before,
            cumulative: Quantity::ZERO,
            cancelling: false,
            trades: Trades::default(),
        });
        let decided_at = self.context.at;
        out.push(Output::Submit(
            Intent {
                terms,
                bot,
                purpose: request.purpose,
                revision,
                decided_at,
            },
            checked,
        ));
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of the event it makes, each of another type"
    )]
    pub(crate) fn deny(
        &mut self,
        bot: Option<BotId>,
        (account, instrument): (AccountId, InstrumentId),
        side: Side,
        quantity: Quantity,
        reason: DenyReason,
        cause: Option<EventId>,
        out: &mut Outputs,
    ) {
        self.counters.denied(reason.rule());
        if let Some(bot) = bot {
            let stats = &mut self.bots[bot.index()].stats;
            stats.denials += 1;
            stats.last_denial = Some(format!("{}: {reason}", reason.rule()));
        }
        let denied = EventKind::RiskDecisionRejected {
            bot,
            account,
            instrument,
            side,
            quantity,
            reason,
        };
        self.context.emit(out, cause, denied);
    }

    /// A working limit order waited long enough: it follows the touch, is cancelled, or the rest is taken at market.
    pub(crate) fn on_order_timeout(&mut self, id: ClientOrderId, out: &mut Outputs) {
        let Some(order) = self.orders.open_order_mut(id) else {
            return;
        };
        let Some((bot, _)) = order.bot else { return };
        let OrderPolicy::Limit(policy) = self.bots[bot.index()].config.policy else {
            return;
        };
        order.cross_remainder = order.reprices > 0 || policy.then == OnTimeout::Cross;
        self.cancel(id, out);
    }

    /// Asks the venue to cancel one of our open orders, once.
    pub(crate) fn cancel(&mut self, id: ClientOrderId, out: &mut Outputs) {
        let Some(order) = self
            .orders
            .open_order_mut(id)
            .filter(|order| !order.cancelling)
        else {
            return;
        };
        order.cancelling = true;
        out.push(Output::Cancel {
            account: order.terms.account,
            instrument: order.terms.instrument,
            client_id: id,
            venue_order_id: order.venue_order_id,
        });
    }

    pub(crate) fn cancel_if_entry(&mut self, id: ClientOrderId, out: &mut Outputs) {
        if self
            .orders
            .open_order(id)
            .is_some_and(|order| order.purpose == PositionEffect::Entry)
        {
            self.cancel(id, out);
        }
    }

    /// Cancels every open entry that `which` picks.
    pub(crate) fn cancel_entries(&mut self, which: impl Fn(&Order) -> bool, out: &mut Outputs) {
        let entries = self
            .orders
            .open()
            .filter(|order| order.purpose == PositionEffect::Entry && which(order));
        let ids: Vec<ClientOrderId> = entries.map(|order| order.terms.client_id).collect();
        for id in ids {
            self.cancel(id, out);
        }
    }
}

/// Whose an order is.
pub(crate) fn owner_of(order: &Order) -> OwnerId {
    order
        .bot
        .map_or(OwnerId::Unallocated, |(bot, _)| OwnerId::Bot(bot))
}

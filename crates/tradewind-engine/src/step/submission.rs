//! From an intent to an order: the order policy, the risk gate, and the output that sends it.

use tradewind_events::{EventKind, Intent, Output, Outputs, Timer};
use tradewind_model::{
    AccountId, BotId, ClientOrderId, EventId, InstrumentId, LastEntry, LimitPolicy, OnTimeout,
    OrderKind, OrderPolicy, OrderTerms, Ppm, Price, Quantity, Side, Stop, TakeProfit, TimeInForce,
};
use tradewind_risk::{
    ApprovedOrder, Candidate, CauseKind, DenyReason, PositionEffect, Scope, TradingState,
};

use super::breakers::note_entry;
use super::causes::open_until_cleared;
use super::exit_bound::bounded;
use super::exit_way::replaceable;
use super::observation::{observe_cancels, on_order};
use super::risk_context::{check_risk, crossing};
use crate::parts::Parts;
use crate::parts::bot_instrument::BotInstrument;
use crate::parts::order::{NewOrder, Order};
use crate::parts::stop_shares::StopShares;

/// A request for an order, whose quantity is decided and whose kind is not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderRequest {
    /// For which bot and instrument; `None` for a person.
    pub(crate) place: Option<BotInstrument>,
    pub(crate) account: AccountId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) quantity: Quantity,
    pub(crate) effect: PositionEffect,
    /// A price not to trade beyond.
    pub(crate) limit: Option<Price>,
    /// The stop of the plan that an entry brings, if it is not the one at work.
    pub(crate) stop: Option<Stop>,
    /// Whether a quote decided it; see [`Candidate::decided_on_quote`].
    pub(crate) on_quote: bool,
    /// Whether it continues an order that ended; see [`Candidate::continues`].
    pub(crate) continues: bool,
    pub(crate) cause: Option<EventId>,
}

impl OrderRequest {
    /// At market, or up to the limit at once.
    pub(super) fn immediate(&self) -> OrderKind {
        self.limit
            .map_or(OrderKind::Market, |price| OrderKind::Limit {
                price,
                time_in_force: TimeInForce::ImmediateOrCancel,
            })
    }
}

/// Places an entry by its bot's order policy. An exit always goes at market. Returns whether an order was placed.
pub(crate) fn submit_by_policy(
    parts: &mut Parts,
    request: &OrderRequest,
    out: &mut Outputs,
) -> bool {
    let policy = match (request.place, request.effect) {
        (Some(place), PositionEffect::Entry) => parts.bots.bot(place.bot()).config().policy,
        _ => OrderPolicy::Market,
    };
    let OrderPolicy::Limit(policy) = policy else {
        return submit(parts, request, request.immediate(), out).is_ok();
    };
    let Some(price) = limit_price(parts, request, &policy) else {
        deny(parts, request, DenyReason::NoReference, out);
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
    let Ok(id) = submit(parts, request, kind, out) else {
        return false;
    };
    apply_policy(parts, id, &policy, out);
    true
}

/// Sets how long a limit order waits, and how often it is placed again.
pub(crate) fn apply_policy(
    parts: &mut Parts,
    id: ClientOrderId,
    policy: &LimitPolicy,
    out: &mut Outputs,
) {
    parts.orders.set_reprices(id, policy.chases);
    if let Some(timeout) = policy.timeout {
        let at = parts.now() + timeout;
        parts.timers.set(at, Timer::OrderTimeout(id), out);
    }
}

/// Where a limit order is placed: at the touch on its own side, moved away by the offset, on a tick.
fn limit_price(parts: &Parts, request: &OrderRequest, policy: &LimitPolicy) -> Option<Price> {
    let instrument = parts.config.instrument(request.instrument);
    if policy.own_price {
        let price = request.limit?;
        return Some(instrument.round_price(price, request.side));
    }
    let quote = parts.market.live_quote(request.instrument)?;
    let touch = quote.same_side(request.side);
    let offset = i128::from(touch.0) * i128::from(policy.offset.0) / i128::from(Ppm::ONE.0);
    let offset = i64::try_from(offset).ok()?;
    let price = match request.side {
        Side::Buy => touch.0.checked_sub(offset)?,
        Side::Sell => touch.0.checked_add(offset)?,
    };
    let price = instrument.round_price(Price(price), request.side);
    Some(match (request.limit, request.side) {
        (None, _) => price,
        (Some(limit), Side::Buy) => price.min(limit),
        (Some(limit), Side::Sell) => price.max(limit),
    })
}

/// Puts a request to the risk gate and, if it passes, places the order.
///
/// # Errors
/// Why the request was denied. The denial is announced too.
pub(crate) fn submit(
    parts: &mut Parts,
    request: &OrderRequest,
    kind: OrderKind,
    out: &mut Outputs,
) -> Result<ClientOrderId, DenyReason> {
    let kind = match request.place {
        Some(place) if request.effect == PositionEffect::Exit => {
            bounded(parts, place, (kind, request.quantity))
        }
        _ => kind,
    };
    let terms = OrderTerms {
        account: request.account,
        instrument: request.instrument,
        client_id: parts.ids.next_id(),
        side: request.side,
        quantity: request.quantity,
        kind,
    };
    let candidate = Candidate {
        terms,
        bot: request.place.map(BotInstrument::bot),
        purpose: request.effect,
        decided_on_quote: request.on_quote,
        reference: parts.context.reference().filter(|_| !request.on_quote),
        stop: request
            .place
            .and_then(|place| stop_of(parts, (place, request.stop), &terms)),
        continues: request.continues,
    };
    match check_risk(parts, &candidate) {
        Ok(approved) => {
            let approved = match request.place {
                Some(place) if request.effect == PositionEffect::Exit => {
                    let stop = replaceable(parts, place);
                    stop.map_or(approved, |stop| approved.replacing(stop))
                }
                _ => approved,
            };
            if request.effect == PositionEffect::Exit {
                clear_the_way(parts, &terms, out);
            }
            place(parts, request, approved, StopShares::default(), out);
            Ok(terms.client_id)
        }
        Err(reason) => {
            deny(parts, request, reason, out);
            Err(reason)
        }
    }
}

/// Where the loss of the position that an entry opens is taken, by its plan.
fn stop_of(
    parts: &Parts,
    (place, stop): (BotInstrument, Option<Stop>),
    terms: &OrderTerms,
) -> Option<Price> {
    let quote = parts.market.quote(terms.instrument)?;
    let price = terms
        .kind
        .limit()
        .unwrap_or_else(|| quote.opposite_side(terms.side));
    match stop.unwrap_or(parts.bots.at(place).exit().stop) {
        Stop::None => None,
        Stop::At(price) => Some(price),
        Stop::Distance(share) => {
            let below = i128::from(price.0) * i128::from(share.0) / i128::from(Ppm::ONE.0);
            Some(Price(price.0 - i64::try_from(below).ok()?))
        }
    }
}

/// Cancels entries of the account that rest where an exit would trade with them (R20). The exit follows at once: should it
/// arrive first, the venue's own rule against self-matches takes the resting order away.
fn clear_the_way(parts: &mut Parts, exit: &OrderTerms, out: &mut Outputs) {
    let crossing = crossing(parts, exit);
    let crossing: Vec<_> = crossing.map(|order| order.terms().client_id).collect();
    for id in crossing {
        parts.orders.cancel_if_entry(id, out);
    }
}

/// Places an approved order: announces it, notes it everywhere, sends it. Only a protective stop has shares.
pub(super) fn place(
    parts: &mut Parts,
    request: &OrderRequest,
    approved: ApprovedOrder,
    shares: StopShares,
    out: &mut Outputs,
) {
    let terms = *approved.terms();
    let replaces = approved.replaces();
    let bot = request.place.map(BotInstrument::bot);
    let placed = EventKind::OrderPlaced {
        terms,
        bot,
        purpose: request.effect,
    };
    let placed_by = parts.emit(request.cause, placed, out);
    let take_profit = approved.take_profit().map(|order| {
        let placed = EventKind::OrderPlaced {
            terms: terms.of_take_profit(order),
            bot,
            purpose: request.effect,
        };
        (order, parts.emit(request.cause, placed, out))
    });
    let listed = shares.listed();
    let placed = PlacedOrder {
        terms,
        place: request.place,
        effect: request.effect,
        limit: request.limit,
        placed_by,
        replaces,
        shares,
        take_profit,
    };
    let revision = keep_order(parts, placed);
    let intent = Intent {
        terms,
        bot,
        purpose: request.effect,
        revision,
        decided_at: parts.now(),
        replaces,
        shares: listed,
        take_profit: approved.take_profit(),
    };
    out.push(Output::Submit(intent, approved));
    note_sent(parts, &terms, bot, request.effect, out);
}

/// Shows an order to breakers and monitors. A protective stop is no message of its bot (R17).
pub(crate) fn note_sent(
    parts: &mut Parts,
    terms: &OrderTerms,
    bot: Option<BotId>,
    effect: PositionEffect,
    out: &mut Outputs,
) {
    if effect == PositionEffect::Entry {
        note_entry(parts, terms, bot);
    }
    if effect == PositionEffect::Protect {
        observe_cancels(parts, out);
    } else {
        on_order(parts, bot, out);
    }
}

/// An order that was placed.
#[derive(Clone, Debug)]
pub(crate) struct PlacedOrder {
    pub(crate) terms: OrderTerms,
    pub(crate) place: Option<BotInstrument>,
    pub(crate) effect: PositionEffect,
    pub(crate) limit: Option<Price>,
    /// The event that announced it.
    pub(crate) placed_by: EventId,
    /// The stop that its request cancels first.
    pub(crate) replaces: Option<ClientOrderId>,
    /// For a protective stop: the positions it covers.
    pub(crate) shares: StopShares,
    /// For a protective stop: the order that takes the profit, and the event that announced it.
    pub(crate) take_profit: Option<(TakeProfit, EventId)>,
}

/// Notes an order everywhere. Returns its bot's revision; 0 for a person's order.
pub(crate) fn keep_order(parts: &mut Parts, placed: PlacedOrder) -> u32 {
    let PlacedOrder {
        terms,
        place,
        effect,
        limit,
        placed_by,
        replaces,
        shares,
        take_profit,
    } = placed;
    if let Some(stop) = replaces {
        parts.orders.replace(stop, terms.client_id);
    }
    let exposure_before = place.map_or(Ppm::ZERO, |place| parts.bots.at(place).exposure());
    let revision = note_placed(parts, place, effect, &terms);
    let stop = NewOrder {
        terms,
        place,
        effect,
        placed_at: parts.now(),
        placed_by,
        limit,
        exposure_before,
        found: None,
        replaces,
        shares,
        pair: take_profit.map(|(order, _)| order.client_id),
    };
    if let Some((order, placed_by)) = take_profit {
        parts.orders.insert(NewOrder {
            terms: terms.of_take_profit(order),
            placed_by,
            replaces: None,
            pair: Some(terms.client_id),
            ..stop.clone()
        });
    }
    parts.orders.insert(stop);
    revision
}

/// Counts an order towards its owner's throttle. A protective stop is outside of it and never the order at work. Returns
/// the bot's revision; 0 for a person.
fn note_placed(
    parts: &mut Parts,
    place: Option<BotInstrument>,
    effect: PositionEffect,
    terms: &OrderTerms,
) -> u32 {
    let now = parts.now();
    parts.counters.ordered();
    if effect == PositionEffect::Protect {
        let bot = place.map(|place| parts.bots.bot(place.bot()));
        return bot.map_or(0, |bot| bot.config().revision);
    }
    let limits = &parts.config.limits;
    let Some(place) = place else {
        parts.manual.note(now, terms, effect, limits);
        return 0;
    };
    parts.bots.at_mut(place).start_order(terms.client_id);
    let bot = parts.bots.bot_mut(place.bot());
    bot.activity_mut().orders += 1;
    bot.throttle_mut().note(now, terms, effect, limits);
    bot.config().revision
}

/// Announces that a request is denied.
pub(crate) fn deny(
    parts: &mut Parts,
    request: &OrderRequest,
    reason: DenyReason,
    out: &mut Outputs,
) {
    parts.counters.denied(reason.rule());
    let exits = request
        .place
        .filter(|_| request.effect == PositionEffect::Exit);
    if let Some(place) = exits {
        note_refused(parts, place, reason);
    }
    let enters = request
        .place
        .filter(|_| request.effect == PositionEffect::Entry);
    if let Some(place) = enters {
        parts.bots.at_mut(place).set_last_entry(LastEntry::Denied);
    }
    let bot = request.place.map(BotInstrument::bot);
    if let Some(bot) = bot {
        let activity = parts.bots.bot_mut(bot).activity_mut();
        activity.denials += 1;
        activity.last_denial = Some(format!("{}: {reason}", reason.rule()));
    }
    let denied = EventKind::RiskDecisionRejected {
        bot,
        account: request.account,
        instrument: request.instrument,
        side: request.side,
        quantity: request.quantity,
        reason,
    };
    parts.emit(request.cause, denied, out);
    if let (DenyReason::RepeatedEntries { .. }, Some(bot)) = (reason, bot) {
        let (scope, state) = (Scope::Bot(bot), TradingState::Reducing);
        open_until_cleared(parts, scope, state, CauseKind::RepeatedEntries, out);
    }
}

/// Notes that risk denied an exit, which delays the next one.
pub(crate) fn note_refused(parts: &mut Parts, place: BotInstrument, reason: DenyReason) {
    let (words, now) = (format!("{}: {reason}", reason.rule()), parts.now());
    parts.bots.at_mut(place).note_refused_exit(words, now);
}

/// The wait of a working limit order is over. It is cancelled; its remainder may be placed again or taken at market.
pub(crate) fn on_order_timeout(parts: &mut Parts, id: ClientOrderId, out: &mut Outputs) {
    let Some(bot) = parts.orders.open_order(id).and_then(Order::bot) else {
        return;
    };
    if let OrderPolicy::Limit(policy) = parts.bots.bot(bot).config().policy {
        parts.orders.time_out(id, policy.then == OnTimeout::Cross);
        parts.orders.cancel(id, out);
    }
}

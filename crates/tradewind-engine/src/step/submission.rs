//! From an intent to an order: the order policy, the risk gate, and the output that sends it.

use tradewind_events::{EventKind, Intent, Output, Outputs, Timer};
use tradewind_model::{
    AccountId, ClientOrderId, EventId, InstrumentId, LimitPolicy, OnTimeout, OrderKind,
    OrderPolicy, OrderTerms, Ppm, Price, Quantity, Side, TimeInForce,
};
use tradewind_risk::{ApprovedOrder, Candidate, DenyReason, PositionEffect};

use super::protection::replaceable;
use super::risk_context::check_risk;
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
    /// Whether a quote decided it; see [`Candidate::decided_on_quote`].
    pub(crate) on_quote: bool,
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
    parts.orders.set_reprices(id, policy.chases);
    if let Some(timeout) = policy.timeout {
        let at = parts.now() + timeout;
        parts.timers.set(at, Timer::OrderTimeout(id), out);
    }
    true
}

/// Where a limit order is placed: at the touch on its own side, moved away by the offset, on a tick.
fn limit_price(parts: &Parts, request: &OrderRequest, policy: &LimitPolicy) -> Option<Price> {
    let quote = parts.market.live_quote(request.instrument)?;
    let touch = quote.same_side(request.side);
    let offset = i128::from(touch.0) * i128::from(policy.offset.0) / i128::from(Ppm::ONE.0);
    let offset = i64::try_from(offset).ok()?;
    let price = match request.side {
        Side::Buy => touch.0.checked_sub(offset)?,
        Side::Sell => touch.0.checked_add(offset)?,
    };
    let instrument = parts.config.instrument(request.instrument);
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
    };
    match check_risk(parts, &candidate) {
        Ok(approved) => {
            let exits = request
                .place
                .filter(|_| request.effect == PositionEffect::Exit);
            let stop = exits.and_then(|place| replaceable(parts, place));
            let approved = stop.map_or(approved, |stop| approved.replacing(stop));
            place(parts, request, approved, StopShares::default(), out);
            Ok(terms.client_id)
        }
        Err(reason) => {
            deny(parts, request, reason, out);
            Err(reason)
        }
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
    if let Some(stop) = replaces {
        parts.orders.replace(stop, terms.client_id);
    }
    let bot = request.place.map(BotInstrument::bot);
    let placed = EventKind::OrderPlaced {
        terms,
        bot,
        purpose: request.effect,
    };
    let placed_by = parts.emit(request.cause, placed, out);
    let exposure_before = match request.place {
        Some(place) => parts.bots.at(place).exposure(),
        None => Ppm::ZERO,
    };
    let revision = note_placed(parts, request, &terms);
    let listed = shares.listed();
    parts.orders.insert(NewOrder {
        terms,
        place: request.place,
        effect: request.effect,
        placed_at: parts.now(),
        placed_by,
        limit: request.limit,
        exposure_before,
        found: None,
        replaces,
        shares,
    });
    let intent = Intent {
        terms,
        bot,
        purpose: request.effect,
        revision,
        decided_at: parts.now(),
        replaces,
        shares: listed,
    };
    out.push(Output::Submit(intent, approved));
}

/// Counts an order towards its owner's throttle. A protective stop is outside of it and never the order at work. Returns
/// the bot's revision; 0 for a person.
fn note_placed(parts: &mut Parts, request: &OrderRequest, terms: &OrderTerms) -> u32 {
    let now = parts.now();
    parts.counters.ordered();
    if request.effect == PositionEffect::Protect {
        let bot = request.place.map(|place| parts.bots.bot(place.bot()));
        return bot.map_or(0, |bot| bot.config().revision);
    }
    let rate = parts.config.limits.bot_order_rate.as_ref();
    let Some(place) = request.place else {
        parts.manual.note(now, terms, rate);
        return 0;
    };
    parts.bots.at_mut(place).start_order(terms.client_id);
    let bot = parts.bots.bot_mut(place.bot());
    bot.activity_mut().orders += 1;
    bot.throttle_mut().note(now, terms, rate);
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
        let (words, now) = (format!("{}: {reason}", reason.rule()), parts.now());
        parts.bots.at_mut(place).note_refused_exit(words, now);
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

//! Circuit breakers at work: what counts as a failure, which entry probes, and the cause that each breaker opens.
//!
//! An open breaker is a cause in state REDUCING, so that exits and cancels pass. While it waits for a probe its cause stays
//! open in state ACTIVE, and the gate lets one entry pass. A probe that the venue accepts ends the cause, or a person does.

use tradewind_events::{EventKind, Outputs, Timer};
use tradewind_model::mutation::{Mutation, is_on};
use tradewind_model::{
    BotId, ClientOrderId, InstrumentId, NotSentReason, OrderKind, OrderTerms, ReportKind,
};
use tradewind_risk::{BreakerLimits, BreakerScope, BreakerState, CauseKind, Scope, TradingState};

use super::causes::{close_cause, open_cause};
use super::take_profit;
use crate::parts::Parts;
use crate::parts::order::Order;

/// The breakers over an order: of its bot, its account, its venue and its instrument's feed.
pub(super) fn over(parts: &Parts, terms: &OrderTerms, bot: Option<BotId>) -> Vec<BreakerScope> {
    let venue = parts.config.accounts[terms.account.index()].venue;
    let shared = [
        BreakerScope::Account(terms.account),
        BreakerScope::Venue(venue),
        BreakerScope::Feed(terms.instrument),
    ];
    let bot = bot.map(BreakerScope::Bot);
    shared.into_iter().chain(bot).collect()
}

/// Whether a breaker over an entry waits for the outcome of its probe.
pub(super) fn is_probing(parts: &Parts, terms: &OrderTerms, bot: Option<BotId>) -> bool {
    !parts.breakers.is_empty() && parts.breakers.stops(&over(parts, terms, bot))
}

/// An entry was placed: it is the probe of every breaker over it that waits for one.
pub(super) fn note_entry(parts: &mut Parts, terms: &OrderTerms, bot: Option<BotId>) {
    if parts.breakers.is_empty() || is_on(Mutation::ProbeOfTwo) {
        return;
    }
    for scope in over(parts, terms, bot) {
        if let Some(breaker) = parts.breakers.get_mut(scope) {
            breaker.send(terms.client_id);
        }
    }
}

/// A report on an order: a failure, a success, or the end of a probe that proved nothing.
pub(super) fn on_report(parts: &mut Parts, order: &Order, kind: &ReportKind, out: &mut Outputs) {
    let (terms, bot) = (*order.terms(), order.bot());
    let venue = parts.config.accounts[terms.account.index()].venue;
    let (account, venue) = (
        BreakerScope::Account(terms.account),
        BreakerScope::Venue(venue),
    );
    // One request sends both orders of a pair: its outcome is the stop's.
    let is_told_by_stop = order.takes_profit()
        && match kind {
            ReportKind::NotSent(_) => true,
            ReportKind::Unknown => take_profit::ends_with_its_stop(parts, order),
            _ => false,
        };
    if is_told_by_stop {
        return;
    }
    let order = Some(terms.client_id);
    match kind {
        // A maker's order that would have taken is refused in the ordinary course of things.
        ReportKind::Rejected(_) if matches!(terms.kind, OrderKind::PostOnly { .. }) => {
            withdraw(parts, &terms, bot);
        }
        ReportKind::Rejected(_) => {
            if let Some(bot) = bot {
                fail(parts, BreakerScope::Bot(bot), order, out);
            }
            if parts.breakers.is_new_refusal(terms.account, bot) {
                fail(parts, account, order, out);
            }
        }
        ReportKind::Unknown | ReportKind::NotSent(NotSentReason::Unreachable) => {
            fail(parts, account, order, out);
            fail(parts, venue, order, out);
        }
        ReportKind::NotSent(_) => withdraw(parts, &terms, bot),
        ReportKind::Accepted
        | ReportKind::Filled(_)
        | ReportKind::Cancelled
        | ReportKind::Expired => succeed(parts, &terms, bot, out),
        ReportKind::CancelRejected(_) => {}
    }
}

/// A bot's strategy panicked or took too long.
pub(super) fn on_bot_fault(parts: &mut Parts, bot: BotId, out: &mut Outputs) {
    fail(parts, BreakerScope::Bot(bot), None, out);
}

/// A feed that was live is not any more.
pub(super) fn on_feed_failure(parts: &mut Parts, instrument: InstrumentId, out: &mut Outputs) {
    fail(parts, BreakerScope::Feed(instrument), None, out);
}

/// The time of an open breaker is over: one entry may probe.
pub(crate) fn on_breaker_timer(parts: &mut Parts, scope: BreakerScope, out: &mut Outputs) {
    let now = parts.now();
    let breaker = parts.breakers.get_mut(scope);
    if breaker.is_some_and(|breaker| breaker.half_open(now)) {
        set_cause(parts, scope, TradingState::Active, out);
    }
}

/// A person closes a breaker. False if it was closed.
pub(super) fn close(parts: &mut Parts, scope: BreakerScope, out: &mut Outputs) -> bool {
    let Some(breaker) = parts.breakers.get_mut(scope) else {
        return false;
    };
    let was_open = breaker.state() != BreakerState::Closed;
    breaker.close();
    parts.timers.cancel(Timer::Breaker(scope), out);
    clear_cause(parts, scope, out);
    was_open
}

fn fail(parts: &mut Parts, scope: BreakerScope, order: Option<ClientOrderId>, out: &mut Outputs) {
    let Some(limits) = BreakerLimits::of(&parts.config.limits) else {
        return;
    };
    let now = parts.now();
    let Some(failures) = parts.breakers.fail(scope, now, order, &limits) else {
        return;
    };
    let name = name(parts, scope);
    let fired = EventKind::CircuitBreakerFired { name, failures };
    let cause = parts.context.cause(out);
    parts.emit(cause, fired, out);
    set_cause(parts, scope, TradingState::Reducing, out);
    parts
        .timers
        .set(now + limits.open, Timer::Breaker(scope), out);
}

fn succeed(parts: &mut Parts, terms: &OrderTerms, bot: Option<BotId>, out: &mut Outputs) {
    if parts.breakers.is_empty() {
        return;
    }
    for scope in over(parts, terms, bot) {
        let breaker = parts.breakers.get_mut(scope);
        if breaker.is_some_and(|breaker| breaker.succeed(terms.client_id)) {
            clear_cause(parts, scope, out);
        }
    }
}

fn withdraw(parts: &mut Parts, terms: &OrderTerms, bot: Option<BotId>) {
    for scope in over(parts, terms, bot) {
        if let Some(breaker) = parts.breakers.get_mut(scope) {
            breaker.withdraw(terms.client_id);
        }
    }
}

/// What a breaker holds back, by trading scope: a venue's breaker all its accounts.
fn covers(parts: &Parts, scope: BreakerScope) -> (Vec<Scope>, CauseKind) {
    let one = |scope| (vec![scope], CauseKind::BreakerOpen);
    match scope {
        BreakerScope::Bot(bot) => one(Scope::Bot(bot)),
        BreakerScope::Account(account) => one(Scope::Account(account)),
        BreakerScope::Feed(instrument) => one(Scope::Instrument(instrument)),
        BreakerScope::Venue(venue) => {
            let accounts = parts.config.accounts.iter();
            let here = accounts.filter(|account| account.venue == venue);
            let scopes = here.map(|account| Scope::Account(account.id));
            (scopes.collect(), CauseKind::VenueBreakerOpen)
        }
    }
}

fn set_cause(parts: &mut Parts, scope: BreakerScope, state: TradingState, out: &mut Outputs) {
    let (scopes, reason) = covers(parts, scope);
    for scope in scopes {
        open_cause(parts, scope, state, reason.clone(), out);
    }
}

fn clear_cause(parts: &mut Parts, scope: BreakerScope, out: &mut Outputs) {
    let (scopes, reason) = covers(parts, scope);
    for scope in scopes {
        close_cause(parts, scope, &reason, out);
    }
}

/// Its name for people: `bot btc-rsi`.
fn name(parts: &Parts, scope: BreakerScope) -> String {
    let config = &parts.config;
    match scope {
        BreakerScope::Bot(bot) => format!("bot {}", parts.bots.bot(bot).config().name),
        BreakerScope::Account(account) => {
            format!("account {}", config.accounts[account.index()].name)
        }
        BreakerScope::Venue(venue) => format!("venue {}", config.venues[venue.index()]),
        BreakerScope::Feed(instrument) => {
            format!("feed {}", config.instrument(instrument).name)
        }
    }
}

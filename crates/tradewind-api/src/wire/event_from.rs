//! Events of the desk, turned into events of the wire, by hand and by name.

use tradewind_events::{Action, CommandResult, Event as Inner, EventKind, Principal, StopMode};
use tradewind_model::{BotId, NotSentReason, OrderTerms, Quantity};

use super::candle::Candle;
use super::event::{Event, EventBody, Gap, StreamBalance};
use super::feed::Quote;
use super::fill::Fill;
use super::names::Names;
use super::order::Order;
use super::risk::{Cause, Scope};
use super::words::OrderStatus;

impl Event {
    /// Version of the shape of events.
    pub const VERSION: u32 = 1;

    /// An event with names in place of ids.
    #[must_use]
    pub fn new(event: &Inner, names: &Names) -> Self {
        Self {
            v: Self::VERSION,
            id: event.id.to_string(),
            at: event.at.into(),
            cause: event.cause.map(|id| id.to_string()),
            body: EventBody::new(event, names),
        }
    }
}

impl EventBody {
    /// A flat match over every kind: it is as long as there are kinds.
    fn new(event: &Inner, names: &Names) -> Self {
        let person_or = |bot: &Option<BotId>| bot.map(|bot| names.bot(bot));
        match &event.kind {
            EventKind::PriceUpdate(quote) => Self::PriceUpdate(Quote::new(quote, names)),
            EventKind::CandleClosed(candle) => Self::CandleClosed {
                instrument: names.instrument(candle.instrument),
                interval: candle.interval.to_string(),
                candle: Candle::new(candle, names),
            },
            EventKind::SignalGenerated {
                bot,
                instrument,
                exposure,
                reason,
                quote,
                ..
            } => Self::SignalGenerated {
                bot: names.bot(*bot),
                instrument: names.instrument(*instrument),
                exposure: (*exposure).into(),
                reason: reason.to_string(),
                quote: quote.as_ref().map(|quote| Quote::new(quote, names)),
            },
            EventKind::OrderPlaced {
                terms,
                bot,
                purpose,
            } => Self::OrderPlaced {
                order: Order {
                    purpose: Some((*purpose).into()),
                    placed_at: Some(event.at.into()),
                    placed_by: Some(event.id.to_string()),
                    ..Order::from_terms(terms, person_or(bot), names)
                },
                purpose: (*purpose).into(),
            },
            EventKind::OrderAccepted { terms, bot } => Self::OrderAccepted {
                order: Order {
                    status: OrderStatus::Accepted,
                    ..Order::from_terms(terms, person_or(bot), names)
                },
            },
            EventKind::OrderFilled {
                fill,
                bot,
                status,
                cumulative,
            } => Self::OrderFilled {
                fill: Fill::new(fill, *bot, Some(event.id), names),
                status: (*status).into(),
                cumulative: names.quantity(fill.instrument, *cumulative),
            },
            EventKind::OrderCancelled {
                terms,
                bot,
                cumulative,
            } => Self::OrderCancelled {
                order: ended(terms, *bot, OrderStatus::Cancelled, *cumulative, names),
            },
            EventKind::OrderRejected { terms, bot, reason } => Self::OrderRejected {
                order: Order {
                    reason: Some(reason.text.clone()),
                    ..ended(terms, *bot, OrderStatus::Rejected, Quantity(0), names)
                },
                code: reason.code,
            },
            EventKind::OrderExpired {
                terms,
                bot,
                cumulative,
                not_sent,
            } => Self::OrderExpired {
                order: expired(terms, *bot, *cumulative, *not_sent, names),
            },
            EventKind::OrderUnknown { terms, bot } => Self::OrderUnknown {
                order: Order {
                    status: OrderStatus::Unknown,
                    ..Order::from_terms(terms, person_or(bot), names)
                },
            },
            EventKind::PositionOpened {
                account,
                bot,
                instrument,
                quantity,
                price,
            } => Self::PositionOpened {
                account: names.account(*account),
                bot: person_or(bot),
                instrument: names.instrument(*instrument),
                quantity: names.quantity(*instrument, *quantity),
                price: names.price(*instrument, *price),
            },
            EventKind::PositionClosed {
                account,
                bot,
                instrument,
                realized,
            } => Self::PositionClosed {
                account: names.account(*account),
                bot: person_or(bot),
                instrument: names.instrument(*instrument),
                realized: (*realized).into(),
            },
            EventKind::RiskDecisionRejected {
                bot,
                account,
                instrument,
                side,
                quantity,
                reason,
            } => Self::RiskDecisionRejected {
                bot: person_or(bot),
                account: names.account(*account),
                instrument: names.instrument(*instrument),
                side: (*side).into(),
                quantity: names.quantity(*instrument, *quantity),
                rule: reason.rule().to_string(),
                reason: reason.to_string(),
            },
            EventKind::CircuitBreakerFired { name, failures } => Self::CircuitBreakerFired {
                name: name.clone(),
                failures: *failures,
            },
            EventKind::TradingStateChanged {
                scope,
                state,
                cause,
                ..
            } => Self::TradingStateChanged {
                scope: Scope::new(*scope, names),
                state: (*state).into(),
                cause: cause.as_ref().map(|cause| Cause::new(cause, names)),
            },
            EventKind::KillSwitch { reason, principal } => Self::KillSwitch {
                reason: reason.clone(),
                principal: principal_text(principal),
            },
            EventKind::KillSwitchReset { reason, principal } => Self::KillSwitchReset {
                reason: reason.clone(),
                principal: principal_text(principal),
            },
            EventKind::BotStateChanged {
                bot,
                from,
                to,
                reason,
            } => Self::BotStateChanged {
                bot: names.bot(*bot),
                from: (*from).into(),
                to: (*to).into(),
                reason: reason.clone(),
            },
            EventKind::BotError { bot, error, faults } => Self::BotError {
                bot: names.bot(*bot),
                error: error.clone(),
                faults: *faults,
            },
            EventKind::EvaluationLate { bot, skipped } => Self::EvaluationLate {
                bot: names.bot(*bot),
                skipped: *skipped,
            },
            EventKind::UniverseChanged {
                bot,
                members,
                joined,
                left,
            } => Self::UniverseChanged {
                bot: names.bot(*bot),
                members: names.instruments(members),
                joined: names.instruments(joined),
                left: names.instruments(left),
            },
            EventKind::BudgetChanged {
                bot,
                budget,
                moved,
                equity,
            } => Self::BudgetChanged {
                bot: names.bot(*bot),
                budget: (*budget).into(),
                moved: (*moved).into(),
                equity: (*equity).into(),
            },
            EventKind::EquitySnapshot {
                account,
                equity,
                realized,
                unrealized,
                unpriced,
            } => Self::EquitySnapshot {
                account: names.account(*account),
                equity: (*equity).into(),
                realized: (*realized).into(),
                unrealized: (*unrealized).into(),
                unpriced: *unpriced,
            },
            EventKind::FeedHealthChanged { instrument, health } => Self::FeedHealthChanged {
                instrument: names.instrument(*instrument),
                health: (*health).into(),
            },
            EventKind::QueueOverflow {
                subscriber,
                dropped,
            } => Self::QueueOverflow {
                subscriber: subscriber.clone(),
                dropped: *dropped,
            },
            EventKind::Gap {
                instrument,
                missing,
                from,
                to,
            } => Self::Gap(Gap {
                instrument: instrument.map(|id| names.instrument(id)),
                missing: *missing,
                from: from.map(Into::into),
                to: to.map(Into::into),
            }),
            EventKind::Reconciled {
                account,
                fills,
                orders,
            } => Self::Reconciled {
                account: names.account(*account),
                fills: *fills,
                orders: *orders,
            },
            EventKind::AccountStreamChanged {
                account,
                state,
                reason,
            } => Self::AccountStreamChanged {
                account: names.account(*account),
                state: state.name().to_owned(),
                reason: reason.clone(),
            },
            EventKind::BalancesReported { account, balances } => Self::BalancesReported {
                account: names.account(*account),
                balances: balances
                    .iter()
                    .map(|held| StreamBalance {
                        asset: names.asset(held.asset),
                        free: held.free.into(),
                        locked: held.locked.into(),
                    })
                    .collect(),
            },
            EventKind::TransferReported {
                account,
                asset,
                amount,
            } => Self::TransferReported {
                account: names.account(*account),
                asset: names.asset(*asset),
                amount: (*amount).into(),
            },
            EventKind::Command {
                id,
                principal,
                action,
                result,
            } => Self::Command {
                command: format!("{id:032x}"),
                principal: principal_text(principal),
                action: action_text(action, names),
                accepted: !matches!(result, CommandResult::Refused(_)),
                result: result_text(result),
            },
            EventKind::DeskStopping => Self::DeskStopping {},
            EventKind::TargetReceived {
                source,
                bot,
                instrument,
                exposure,
                event_time,
                expires,
            } => Self::TargetReceived {
                source: source.clone(),
                bot: names.bot(*bot),
                instrument: names.instrument(*instrument),
                exposure: (*exposure).into(),
                event_time: (*event_time).into(),
                expires: (*expires).into(),
            },
            EventKind::TargetRefused {
                source,
                bot,
                reason,
                refused,
            } => Self::TargetRefused {
                source: source.clone(),
                bot: bot.map(|bot| names.bot(bot)),
                reason: reason.clone(),
                refused: *refused,
            },
            EventKind::PositionUnprotected {
                account,
                bot,
                instrument,
                quantity,
                reason,
            } => Self::PositionUnprotected {
                account: names.account(*account),
                bot: names.bot(*bot),
                instrument: names.instrument(*instrument),
                quantity: names.quantity(*instrument, *quantity),
                reason: reason.clone(),
            },
            EventKind::Alarm {
                alarm,
                account,
                instrument,
                text,
            } => Self::Alarm {
                alarm: alarm.name().to_owned(),
                account: account.map(|account| names.account(account)),
                instrument: instrument.map(|instrument| names.instrument(instrument)),
                text: text.clone(),
            },
        }
    }
}

fn ended(
    terms: &OrderTerms,
    bot: Option<BotId>,
    status: OrderStatus,
    filled: Quantity,
    names: &Names,
) -> Order {
    Order {
        status,
        open: false,
        filled: names.quantity(terms.instrument, filled),
        ..Order::from_terms(terms, bot.map(|bot| names.bot(bot)), names)
    }
}

fn expired(
    terms: &OrderTerms,
    bot: Option<BotId>,
    filled: Quantity,
    not_sent: Option<NotSentReason>,
    names: &Names,
) -> Order {
    let (status, reason) = match not_sent {
        None => (OrderStatus::Expired, None),
        Some(NotSentReason::Killed) => (OrderStatus::NotSent, Some("the kill latch is set")),
        Some(NotSentReason::Expired) => (OrderStatus::NotSent, Some("it waited too long")),
        Some(NotSentReason::Unreachable) => {
            (OrderStatus::NotSent, Some("the venue could not be reached"))
        }
    };
    Order {
        reason: reason.map(str::to_owned),
        ..ended(terms, bot, status, filled, names)
    }
}

/// Who gave a command: `token:operator`, `telegram:42`, `local`.
pub(crate) fn principal_text(principal: &Principal) -> String {
    match principal {
        Principal::Token(name) => format!("token:{name}"),
        Principal::Telegram(user) => format!("telegram:{user}"),
        Principal::Local => "local".into(),
        Principal::Rule => "rule".into(),
    }
}

/// A command's action as text.
pub(crate) fn action_text(action: &Action, names: &Names) -> String {
    match action {
        Action::StartBot(bot) => format!("start {}", names.bot(*bot)),
        Action::StopBot { bot, mode } => match mode {
            StopMode::Keep => format!("stop {}", names.bot(*bot)),
            StopMode::Close => format!("stop {} and close", names.bot(*bot)),
        },
        Action::PauseBot(bot) => format!("pause {}", names.bot(*bot)),
        Action::PlaceOrder {
            instrument,
            side,
            quantity,
            kind,
            ..
        } => {
            let price = kind.limit().map_or_else(
                || "at market".to_owned(),
                |price| format!("at {}", names.price(*instrument, price)),
            );
            let quantity = names.quantity(*instrument, *quantity);
            let name = names.instrument(*instrument);
            format!("{} {quantity} {name} {price}", side.name())
        }
        Action::CancelOrder(id) => format!("cancel {id}"),
        Action::ClosePosition {
            bot, instrument, ..
        } => {
            let owner = bot.map_or_else(|| "UNALLOCATED".into(), |bot| names.bot(bot));
            format!("close {owner} in {}", names.instrument(*instrument))
        }
        Action::Kill {
            reason,
            flatten,
            include_external,
        } => {
            let how = match (flatten, include_external) {
                (true, true) => "kill, flatten and sell what is EXTERNAL",
                (true, false) => "kill and flatten",
                (false, _) => "kill",
            };
            format!("{how}: {reason}")
        }
        Action::ClearRisk { scope, reason } => {
            format!("clear risk of {}: {reason}", scope_text(*scope, names))
        }
        Action::Reset { reason } => format!("reset: {reason}"),
        Action::Adopt(adoption) => {
            let id = adoption.instrument;
            let quantity = names.quantity(id, adoption.quantity);
            let (name, cost) = (names.instrument(id), names.price(id, adoption.cost));
            let stop = adoption.stop.map_or_else(String::new, |stop| {
                format!(", stop {}", names.price(id, stop))
            });
            let bot = names.bot(adoption.bot);
            format!("give {quantity} {name} at {cost} to {bot}{stop}")
        }
        Action::ApplyBots(applied) => {
            let (revision, changes) = (applied.revision, applied.changes.join("; "));
            format!("apply bots, revision {revision}: {changes}")
        }
        Action::KillScope { scope, reason } => {
            format!("kill {}: {reason}", scope_text(*scope, names))
        }
        Action::ResetScope { scope, reason } => {
            format!("reset {}: {reason}", scope_text(*scope, names))
        }
    }
}

fn scope_text(scope: tradewind_risk::Scope, names: &Names) -> String {
    let scope = Scope::new(scope, names);
    scope.name.unwrap_or_else(|| "desk".to_owned())
}

/// The result of a command: the order's id, or the refusal.
pub(crate) fn result_text(result: &CommandResult) -> Option<String> {
    match result {
        CommandResult::Accepted(order) => order.map(|id| id.to_string()),
        CommandResult::Refused(reason) => Some(reason.clone()),
        CommandResult::Killed { open_orders, .. } => Some(format!("{open_orders} orders open")),
    }
}

//! Losses at work: accounts and bots are valued by a timer and on each fill that closes something, and monitors see it.

use tradewind_events::{Outputs, Timer};
use tradewind_model::{
    AccountId, Amount, BotId, ExitPlan, Fill, InstrumentId, OrderStatus, OwnerId, Quote, Reason,
    Sizer, Stop,
};
use tradewind_portfolio::{PositionChange, rate};
use tradewind_risk::{AccountValue, BotValue, LossAction, Observation, PositionEffect, Scope};

use super::equity::value;
use super::observation::{observe, observe_cancels};
use super::risk_context::in_report;
use super::target::{flat, reconcile_position};
use crate::parts::Parts;

/// Sets the timer of the next valuation.
pub(super) fn set_loss_timer(parts: &mut Parts, out: &mut Outputs) {
    if let Some(every) = parts.config.limits.loss_check_every {
        let at = parts.now() + every;
        parts.timers.set(at, Timer::LossCheck, out);
    }
}

/// The valuation timer is due.
pub(crate) fn on_loss_timer(parts: &mut Parts, out: &mut Outputs) {
    observe_cancels(parts, out);
    for index in 0..parts.config.accounts.len() {
        let account = parts.config.accounts[index].id;
        if let Some(since) = parts.accounts.get(account).unreconciled_since() {
            observe(parts, Observation::NotReconciled(account, since), out);
        } else {
            value(parts, account);
            observe_account(parts, account, out);
            observe_bots(parts, account, None, out);
        }
    }
    set_loss_timer(parts, out);
}

/// A fill was booked. One that closed something is followed by a valuation.
pub(super) fn on_booked(
    parts: &mut Parts,
    fill: &Fill,
    bot: Option<BotId>,
    change: PositionChange,
    out: &mut Outputs,
) {
    let account = fill.account;
    let value_of = in_report(parts, fill.instrument, fill.price, fill.quantity);
    let filled = Observation::Fill {
        account,
        bot,
        value: value_of.unwrap_or_default(),
    };
    observe(parts, filled, out);
    let closes = !matches!(change, PositionChange::Opened | PositionChange::Increased);
    if closes && parts.accounts.get(account).is_reconciled() {
        value(parts, account);
        observe_account(parts, account, out);
        if bot.is_some() {
            observe_bots(parts, account, bot, out);
        }
    }
}

/// Shows the monitors an account as it was last valued. One with something unpriced is not judged.
fn observe_account(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    let point = *parts.accounts.get(account).equity();
    let Some(exposure) = exposure(parts, account, None).filter(|_| point.unpriced == 0) else {
        return;
    };
    let open = parts.orders.open();
    let of_account = open.filter(|order| order.terms().account == account);
    let unknown = of_account.filter(|order| {
        order.status() == OrderStatus::Unknown && order.effect() != PositionEffect::Protect
    });
    let observed = Observation::Account(AccountValue {
        account,
        equity: point.equity,
        profit: Amount(point.realized.0.saturating_add(point.unrealized.0)),
        exposure,
        unknown: u32::try_from(unknown.count()).unwrap_or(u32::MAX),
    });
    let is_alarm = observe(parts, observed, out);
    note_loss(parts, account, is_alarm, out);
}

/// Shows the monitors the bots of an account, or one of them.
fn observe_bots(parts: &mut Parts, account: AccountId, only: Option<BotId>, out: &mut Outputs) {
    let equity = parts.accounts.get(account).equity().equity;
    for bot in parts.bots.ids() {
        let is_meant = only.is_none_or(|only| only == bot);
        if !is_meant || parts.bots.bot(bot).config().account != account {
            continue;
        }
        if let Some(value) = bot_value(parts, bot, account, equity) {
            observe(parts, Observation::Bot(value), out);
        }
    }
}

/// `None` while something of it has no price.
fn bot_value(parts: &Parts, bot: BotId, account: AccountId, equity: Amount) -> Option<BotValue> {
    let config = parts.bots.bot(bot).config();
    let owner = OwnerId::Bot(bot);
    let asset = parts.config.instrument(*config.instruments.first()?).quote;
    let rate = rate(parts.prices(), asset, parts.config.report_asset)?;
    let in_report = |amount: Amount| amount.mul_div(rate.0, Amount::ONE.0);
    let realized = parts.portfolio.realized(account, owner, asset);
    let profit = realized
        .0
        .checked_add(unrealized(parts, account, owner)?.0)?;
    Some(BotValue {
        bot,
        equity,
        profit: in_report(Amount(profit))?,
        planned_loss: planned_loss(config.sizer, &config.exit, parts.bots.bot(bot).budget())
            .and_then(in_report),
        exposure: exposure(parts, account, Some(owner))?,
    })
}

/// Open profit in an instrument of an account and of one of its bots, in the report currency; `None` without a price.
pub(super) fn profit_of(
    parts: &Parts,
    account: AccountId,
    bot: BotId,
    instrument: InstrumentId,
) -> Option<(Amount, Amount)> {
    let rules = parts.config.instrument(instrument);
    let mid = parts.market.quote(instrument).map(Quote::mid)?;
    let rate = rate(parts.prices(), rules.quote, parts.config.report_asset)?;
    let of = |counts: &dyn Fn(OwnerId) -> bool| {
        let positions = parts.portfolio.positions();
        let mut here = positions.filter(|(key, _)| (key.0, key.2) == (account, instrument));
        let open = here.try_fold(0_i128, |sum, (key, position)| {
            if !counts(key.1) {
                return Some(sum);
            }
            sum.checked_add(position.unrealized(rules, mid)?.0)
        });
        Amount(open?).mul_div(rate.0, Amount::ONE.0)
    };
    let of_account = of(&|owner| owner != OwnerId::External)?;
    let of_bot = of(&|owner| owner == OwnerId::Bot(bot))?;
    Some((of_account, of_bot))
}

/// A bot was given a position: what that changed of the open profit since `before` is neither profit nor loss.
pub(super) fn move_base(
    parts: &mut Parts,
    account: AccountId,
    (bot, instrument): (BotId, InstrumentId),
    before: Option<(Amount, Amount)>,
) {
    let after = profit_of(parts, account, bot, instrument);
    let moved = before.zip(after);
    let by = |pick: fn((Amount, Amount)) -> Amount| {
        moved.map(|(before, after)| Amount(pick(after).0.saturating_sub(pick(before).0)))
    };
    let (of_account, of_bot) = (by(|both| both.0), by(|both| both.1));
    parts
        .monitors
        .move_base(Scope::Account(account), of_account);
    parts.monitors.move_base(Scope::Bot(bot), of_bot);
}

fn unrealized(parts: &Parts, account: AccountId, owner: OwnerId) -> Option<Amount> {
    let positions = parts.portfolio.positions();
    let mut own = positions.filter(|(key, _)| (key.0, key.1) == (account, owner));
    own.try_fold(Amount::ZERO, |sum, (key, position)| {
        let mid = parts.market.quote(key.2).map(Quote::mid)?;
        let open = position.unrealized(parts.config.instrument(key.2), mid)?;
        sum.0.checked_add(open.0).map(Amount)
    })
}

/// Gross value of an account's positions, or of one owner's, EXTERNAL left out.
fn exposure(parts: &Parts, account: AccountId, only: Option<OwnerId>) -> Option<Amount> {
    let positions = parts.portfolio.positions();
    let mut counted = positions.filter(|(key, _)| {
        key.0 == account && only.map_or(key.1 != OwnerId::External, |only| key.1 == only)
    });
    counted.try_fold(Amount::ZERO, |sum, (key, position)| {
        let mid = parts.market.quote(key.2).map(Quote::mid)?;
        let value = in_report(parts, key.2, mid, position.quantity.abs())?;
        sum.0.checked_add(value.0).map(Amount)
    })
}

/// What a full trade of a bot loses at its stop, in the quote asset; `None` without a stop, or where the size is unknown
/// beforehand.
fn planned_loss(sizer: Sizer, exit: &ExitPlan, budget: Amount) -> Option<Amount> {
    let distance = match exit.stop {
        Stop::Distance(share) => Some(share),
        Stop::None | Stop::At(_) => exit.trailing,
    };
    match sizer {
        Sizer::RiskToStop(risk) => budget.share(risk),
        Sizer::Share(share) => budget.share(share)?.share(distance?),
        Sizer::VolatilityTarget(_) => budget.share(distance?),
        Sizer::Value(value) => value.min(budget).share(distance?),
        Sizer::Fixed(_) => None,
    }
}

/// Does what a loss of the day calls for, once its alarm is opened.
fn note_loss(parts: &mut Parts, account: AccountId, is_alarm: bool, out: &mut Outputs) {
    if is_alarm && !parts.is_recovering && parts.config.limits.on_loss == Some(LossAction::Flatten)
    {
        flatten(parts, account, out);
    }
}

/// Closes every position of an account's bots by an ordinary exit.
fn flatten(parts: &mut Parts, account: AccountId, out: &mut Outputs) {
    for bot in parts.bots.ids() {
        if parts.bots.bot(bot).config().account != account {
            continue;
        }
        for place in parts.bots.places(bot) {
            if !parts.bots.at(place).position().quantity.is_zero() {
                let target = flat(Reason::plain("closed: the loss of the day"));
                let cause = parts.context.cause(out);
                reconcile_position(parts, place, target, cause, false, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_model::Ppm;

    /// R22: what a bot plans to lose follows from its sizer and its stop.
    #[test]
    fn the_planned_loss_is_the_size_times_the_distance_of_the_stop() {
        let plan = |stop, trailing| ExitPlan {
            stop,
            trailing,
            ..ExitPlan::default()
        };
        let budget = Amount::whole(300);
        let share = Sizer::Share(Ppm(500_000));
        let check = |sizer, exit: ExitPlan, wanted: Option<i64>| {
            let found = planned_loss(sizer, &exit, budget);
            assert_eq!(found, wanted.map(Amount::whole), "{sizer:?} {exit:?}");
        };
        let stop = Stop::Distance(Ppm(20_000));
        check(share, plan(stop, None), Some(3));
        check(share, plan(Stop::None, Some(Ppm(20_000))), Some(3));
        check(share, plan(Stop::None, None), None);
        check(Sizer::RiskToStop(Ppm(10_000)), plan(stop, None), Some(3));
        check(Sizer::Fixed(Amount::ONE), plan(stop, None), None);
    }
}

//! Commands of every kind, some twice and some too late, and answers of other lanes, some to old requests.

use std::time::Duration;

use tradewind_events::{
    Action, AppliedBots, BotConfig, Command, Evaluation, EvaluationError, EvaluationOutcome, Input,
    Principal, StopMode,
};
use tradewind_model::{
    Amount, BotId, Decision, OrderKind, Ppm, Price, Quantity, Reason, Side, Sizer, Target,
    TimeInForce,
};
use tradewind_risk::Scope;

use super::Storm;
use crate::fixtures::{ACCOUNT, SPOT};

impl Storm {
    /// A lane answers: the right request, an older one, a failure.
    pub(super) fn evaluation(&mut self) -> Input {
        if self.requests.is_empty() {
            return self.quote();
        }
        let place = self.place(self.requests.len());
        let request = self.requests.swap_remove(place);
        self.requests.truncate(8);
        let decide = |exposure| {
            EvaluationOutcome::Decided(Some(Decision::Target(Target {
                adds: false,
                exposure: Ppm(exposure),
                limit: None,
                exit: None,
                reason: Reason::plain("from another lane"),
            })))
        };
        let outcome = match self.below(40) {
            0 => EvaluationOutcome::Failed(EvaluationError::Panic("lane".to_owned())),
            1 => EvaluationOutcome::Failed(EvaluationError::Error("division by zero".to_owned())),
            2..14 => decide(0),
            14..20 => decide(1_000_000),
            _ => EvaluationOutcome::Decided(Some(Decision::Hold {
                reason: Reason::plain("nothing to do"),
            })),
        };
        Input::Evaluation(Box::new(Evaluation {
            bot: request.bot,
            request: request.request,
            outcome,
        }))
    }

    /// A bot is killed; in the last tenth of the storm the desk. No reading of the account is clean in a storm, so that
    /// nothing is reset.
    fn kill(&mut self) -> Action {
        let reason = "the storm".to_owned();
        let flatten = self.below(2) == 0;
        if self.made > self.total - self.total / 10 {
            return Action::Kill {
                reason,
                flatten,
                include_external: false,
            };
        }
        let scope = Scope::Bot(BotId(6));
        Action::KillScope { scope, reason }
    }

    /// Other bots are applied: some with another budget or another order policy, some left out, sometimes one more. Now and then
    /// somebody else was faster.
    fn apply_bots(&mut self) -> Action {
        let mut bots = Self::configuration().bots;
        let next = u32::try_from(bots.len()).unwrap_or(u32::MAX);
        let added = BotConfig {
            id: BotId(next),
            name: "added".to_owned(),
            ..bots[0].clone()
        };
        for bot in &mut bots {
            match self.below(6) {
                0 => bot.budget += Amount::whole(self.signed(2_000)),
                1 => bot.sizer = Sizer::Share(Ppm(500_000)),
                2 => bot.positions_max += 1,
                _ => {}
            }
        }
        bots.retain(|_| self.below(6) > 0);
        if self.below(2) == 0 {
            bots.push(added);
        }
        let others = u32::from(self.below(8) == 0);
        Action::ApplyBots(Box::new(AppliedBots {
            revision: self.bots_revision + 1 + others,
            text: "[[bots]]".to_owned(),
            bots,
            changes: vec!["by the storm".to_owned()],
        }))
    }

    pub(super) fn command(&mut self) -> Input {
        if self.below(5) > 0 {
            self.commands += 1;
        }
        let bot = BotId(u32::try_from(self.below(8)).unwrap_or(0));
        let quantity = Quantity(self.signed(200_000));
        let action = match self.below(16) {
            0..4 => Action::StartBot(bot),
            4 => Action::StopBot {
                bot,
                mode: StopMode::Close,
            },
            5 => Action::StopBot {
                bot,
                mode: StopMode::Keep,
            },
            6 => Action::PauseBot(bot),
            7..9 => Action::PlaceOrder {
                account: ACCOUNT,
                instrument: SPOT,
                side: self.side(),
                quantity,
                kind: OrderKind::Market,
            },
            9 => Action::PlaceOrder {
                account: ACCOUNT,
                instrument: SPOT,
                side: Side::Buy,
                quantity,
                kind: OrderKind::Limit {
                    price: Price(self.bid - 1),
                    time_in_force: TimeInForce::GoodTillCancel,
                },
            },
            10 if !self.orders.is_empty() => {
                let place = self.place(self.orders.len());
                Action::CancelOrder(self.orders[place].0.client_id)
            }
            11 => Action::ClosePosition {
                account: ACCOUNT,
                bot: Some(bot),
                instrument: SPOT,
            },
            12 => Action::ClosePosition {
                account: ACCOUNT,
                bot: None,
                instrument: SPOT,
            },
            13 if self.below(10) == 0 => self.kill(),
            13 => self.apply_bots(),
            _ if self.below(2) == 0 => Action::Reset {
                reason: "the storm is over".to_owned(),
            },
            _ => Action::ResetScope {
                scope: Scope::Bot(bot),
                reason: "the storm is over".to_owned(),
            },
        };
        let late = self.below(10) == 0;
        Input::Command(Box::new(Command {
            id: self.commands,
            principal: Principal::Telegram(1),
            issued_at: self.at,
            expires_at: late.then(|| self.at - Duration::from_secs(1)),
            action,
        }))
    }
}

//! Commands: each is carried out once, announced with who gave it, and answered.

use std::collections::{BTreeMap, VecDeque};

use tradewind_events::{
    Action, BotState, Command, CommandId, CommandResult, Event, EventKind, Output, Outputs,
    Principal, StopMode,
};
use tradewind_model::{
    AccountId, BotId, ClientOrderId, InstrumentId, OrderKind, OwnerId, Quantity, Reason, Side,
};
use tradewind_risk::{CauseKind, Clearing, PositionEffect, Scope, TradingState};

use crate::context::Trigger;
use crate::engine::Engine;
use crate::step::submission::OrderRequest;

/// How many commands are remembered by id.
const KEPT: usize = 1_024;

/// Commands heard before, with what came of them.
#[derive(Debug, Default)]
pub(crate) struct CommandLog {
    results: BTreeMap<CommandId, CommandResult>,
    order: VecDeque<CommandId>,
}

impl CommandLog {
    fn note(&mut self, id: CommandId, result: CommandResult) {
        self.results.insert(id, result);
        self.order.push_back(id);
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.results.remove(&oldest);
        }
    }
}

/// What came of an action: an order's id where one was made, or why not.
type Done = Result<Option<ClientOrderId>, String>;

impl Engine {
    pub(crate) fn on_command(&mut self, command: &Command, out: &mut Outputs) {
        if let Some(result) = self.commands.results.get(&command.id) {
            out.push(Output::Reply(command.id, result.clone()));
            return;
        }
        // The command's own event comes first, so that what follows from it can name it; its result is known after.
        let event = self.context.reserve();
        let place = out.len();
        self.context.trigger = Trigger::Event(event);
        let late = command
            .expires_at
            .is_some_and(|expiry| expiry < self.context.at);
        let done = if late {
            Err(format!(
                "the command is older than it may be: it expired {}",
                command.expires_at.unwrap_or_default()
            ))
        } else {
            self.act(&command.action, &command.principal, out)
        };
        let result = match done {
            Ok(order) => CommandResult::Accepted(order),
            Err(reason) => CommandResult::Refused(reason),
        };
        let kind = EventKind::Command {
            id: command.id,
            principal: command.principal.clone(),
            action: command.action.clone(),
            result: result.clone(),
        };
        out.insert(
            place,
            Output::Event(Event {
                id: event,
                at: self.context.at,
                cause: None,
                kind,
            }),
        );
        out.push(Output::Reply(command.id, result.clone()));
        self.commands.note(command.id, result);
    }

    fn act(&mut self, action: &Action, principal: &Principal, out: &mut Outputs) -> Done {
        match action {
            Action::StartBot(bot) => self.command_start(*bot, out),
            Action::StopBot { bot, mode } => self.command_stop(*bot, *mode, out),
            Action::PauseBot(bot) => self.command_pause(*bot, out),
            Action::PlaceOrder {
                account,
                instrument,
                side,
                quantity,
                kind,
            } => self.command_place(*account, *instrument, *side, *quantity, *kind, out),
            Action::CancelOrder(id) => match self.orders.open_order(*id) {
                Some(_) => {
                    self.cancel(*id, out);
                    Ok(Some(*id))
                }
                None => Err(format!("no open order {id}")),
            },
            Action::ClosePosition {
                account,
                bot,
                instrument,
            } => self.command_close(*account, *bot, *instrument, out),
            Action::Kill { reason, flatten } => self.command_kill(reason, *flatten, principal, out),
            Action::Reset { reason } => self.command_reset(reason, principal, out),
        }
    }

    fn known(&self, bot: BotId) -> Result<BotState, String> {
        self.bots
            .get(bot.index())
            .map(|runtime| runtime.state)
            .ok_or_else(|| format!("no bot {}", bot.0))
    }

    fn command_start(&mut self, bot: BotId, out: &mut Outputs) -> Done {
        match self.known(bot)? {
            BotState::Paused => self.set_state(bot, BotState::Running, "resumed by a person", out),
            BotState::Stopped | BotState::Faulted => {
                self.bots[bot.index()].faults.clear();
                self.set_state(bot, BotState::Starting, "started by a person", out);
                self.start_bot(bot, out);
            }
            BotState::Starting | BotState::Warming | BotState::Running => {}
        }
        Ok(None)
    }

    fn command_pause(&mut self, bot: BotId, out: &mut Outputs) -> Done {
        match self.known(bot)? {
            BotState::Running => self.set_state(bot, BotState::Paused, "paused by a person", out),
            BotState::Paused => {}
            state @ (BotState::Stopped
            | BotState::Starting
            | BotState::Warming
            | BotState::Faulted) => {
                return Err(format!(
                    "the bot is {}, only a running one can be paused",
                    state.name()
                ));
            }
        }
        self.cancel_entries(|order| order.bot.is_some_and(|(of, _)| of == bot), out);
        Ok(None)
    }

    fn command_stop(&mut self, bot: BotId, mode: StopMode, out: &mut Outputs) -> Done {
        self.known(bot)?;
        self.cancel_entries(|order| order.bot.is_some_and(|(of, _)| of == bot), out);
        if mode == StopMode::Close {
            for slot in 0..self.bots[bot.index()].slots.len() {
                self.close_slot(bot, slot, out);
            }
        }
        self.forget_request(bot, out);
        self.set_state(bot, BotState::Stopped, "stopped by a person", out);
        Ok(None)
    }

    fn close_slot(&mut self, bot: BotId, slot: usize, out: &mut Outputs) {
        let cause = self.context.cause(out);
        let flat = Self::flat(Reason::plain("closed by a person"));
        self.reconcile_position(bot, slot, flat, cause, false, out);
    }

    fn command_close(
        &mut self,
        account: AccountId,
        bot: Option<BotId>,
        instrument: InstrumentId,
        out: &mut Outputs,
    ) -> Done {
        let Some(bot) = bot else {
            let owner = OwnerId::Unallocated;
            let held = self
                .portfolio
                .position(&(account, owner, instrument))
                .quantity;
            let known = self
                .config
                .instruments
                .get(instrument.index())
                .ok_or("no such instrument")?;
            let quantity = self
                .portfolio
                .closable(known, &(account, owner, instrument));
            if quantity.is_zero() {
                return Err("there is no position of the desk's own in it".to_owned());
            }
            let side = Side::of(held).opposite();
            return self.by_hand(
                account,
                instrument,
                side,
                quantity,
                OrderKind::Market,
                PositionEffect::Exit,
                out,
            );
        };
        self.known(bot)?;
        let slots = &self.bots[bot.index()].slots;
        let slot = slots
            .iter()
            .position(|slot| slot.instrument == instrument && !slot.position.quantity.is_zero());
        let slot = slot.ok_or("the bot has no position in it")?;
        let before = out.len();
        self.close_slot(bot, slot, out);
        match last_denial(&out[before..]) {
            Some(reason) => Err(reason),
            None => Ok(self.bots[bot.index()].slots[slot].working),
        }
    }

    fn command_place(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        side: Side,
        quantity: Quantity,
        kind: OrderKind,
        out: &mut Outputs,
    ) -> Done {
        if account.index() >= self.accounts.len()
            || instrument.index() >= self.config.instruments.len()
        {
            return Err("no such account or instrument".to_owned());
        }
        let held = self
            .portfolio
            .position(&(account, OwnerId::Unallocated, instrument))
            .quantity;
        let reduces = held.0.signum() == -side.signed(Quantity(1)).0 && quantity <= held.abs();
        let purpose = if reduces {
            PositionEffect::Exit
        } else {
            PositionEffect::Entry
        };
        self.by_hand(account, instrument, side, quantity, kind, purpose, out)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "an order's terms, each of another type"
    )]
    fn by_hand(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        side: Side,
        quantity: Quantity,
        kind: OrderKind,
        purpose: PositionEffect,
        out: &mut Outputs,
    ) -> Done {
        let cause = self.context.cause(out);
        let request = OrderRequest {
            bot: None,
            account,
            instrument,
            side,
            quantity,
            purpose,
            limit: None,
            on_quote: true,
            cause,
        };
        match self.submit(&request, kind, out) {
            Some(id) => Ok(Some(id)),
            None => Err(last_denial(out).unwrap_or_else(|| "denied".to_owned())),
        }
    }

    fn command_kill(
        &mut self,
        reason: &str,
        flatten: bool,
        principal: &Principal,
        out: &mut Outputs,
    ) -> Done {
        if flatten {
            return Err(
                "positions cannot be closed by a kill yet: close them first, then kill".to_owned(),
            );
        }
        let cause = self.context.cause(out);
        self.open_cause(
            Scope::Desk,
            TradingState::Killed,
            CauseKind::Killed,
            Clearing::Person,
            out,
        );
        let killed = EventKind::KillSwitch {
            reason: reason.to_owned(),
            principal: principal.clone(),
        };
        self.context.emit(out, cause, killed);
        self.cancel_entries(|_| true, out);
        Ok(None)
    }

    fn command_reset(&mut self, reason: &str, principal: &Principal, out: &mut Outputs) -> Done {
        let cause = self.context.cause(out);
        if self.states.desk() != TradingState::Killed {
            return Err("the kill switch is not set".to_owned());
        }
        self.close_cause(Scope::Desk, &CauseKind::Killed, out);
        let reset = EventKind::KillSwitchReset {
            reason: reason.to_owned(),
            principal: principal.clone(),
        };
        self.context.emit(out, cause, reset);
        Ok(None)
    }
}

/// The reason of the denial just announced, in words.
fn last_denial(out: &[Output]) -> Option<String> {
    out.iter().rev().find_map(|output| match output {
        Output::Event(Event {
            kind: EventKind::RiskDecisionRejected { reason, .. },
            ..
        }) => Some(format!("{}: {reason}", reason.rule())),
        _ => None,
    })
}

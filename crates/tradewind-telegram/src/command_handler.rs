//! Authorises and executes commands. Each update is handled once. Commands that add risk are refused when late or
//! unconfirmed.
//!
//! Rules: `/start`, `/buy`, `/sell` and `/confirm` are refused when older than `stale_after`, because a phone that was
//! offline or a desk that was down must not execute them later. `/stop` and `/kill` are executed at any age. For an order
//! that adds risk the reply has its value and a code, and the order is placed when that code is sent. An order that only
//! reduces a position opened by hand, and a kill, need no second step.

use std::sync::Arc;

use tradewind_events::{Action, BotConfig, Command, CommandResult, DeskView, Principal, StopMode};
use tradewind_model::Timestamp;

use crate::authorize::{AuthorizedMessage, authorize};
use crate::counts::Counts;
use crate::desk::DeskError;
use crate::inbox::{Inbox, Pending, Source, ViewRequest};
use crate::machine::{Batch, Out, StepContext};
use crate::markup::Markup;
use crate::names;
use crate::outbox::Outbox;
use crate::progress::Progress;
use crate::proposal::{Proposal, propose};
use crate::render;
use crate::request::{self, Part, Request, Target};
use crate::wire::Update;

/// Handles one input.
#[derive(Debug)]
pub(crate) struct CommandHandler<'a> {
    pub(crate) inbox: &'a mut Inbox,
    pub(crate) outbox: &'a mut Outbox,
    pub(crate) counts: &'a mut Counts,
    pub(crate) out: &'a mut Vec<Out>,
}

impl CommandHandler<'_> {
    /// Handles an update; an unauthorised one gets no answer.
    pub(crate) fn handle_update(&mut self, context: &StepContext, update: Update) {
        if self
            .inbox
            .progress
            .next
            .is_some_and(|next| update.id < next)
        {
            self.counts.duplicates += 1;
            return;
        }
        self.inbox.progress.next = update.id.checked_add(1);
        if let Some(message) = authorize(update, &self.inbox.users, self.counts) {
            self.execute(context, &message);
        }
    }

    /// Continues with the requested view.
    pub(crate) fn view_received(
        &mut self,
        context: &StepContext,
        request: ViewRequest,
        view: Result<Arc<DeskView>, DeskError>,
    ) {
        match (request, view) {
            (ViewRequest::Status { user }, Ok(view)) => {
                self.reply(user, render::status(&context.configuration, &view));
            }
            (ViewRequest::Order { from, order }, Ok(view)) => {
                match propose(&context.configuration, &view, &order) {
                    Ok(proposal) => self.proposed(context, from, proposal),
                    Err(problem) => self.reply(from.user, render::problem(&problem)),
                }
            }
            (ViewRequest::Status { user }, Err(error)) => {
                self.reply(user, render::no_view(&error));
            }
            (ViewRequest::Order { from, .. }, Err(error)) => {
                self.reply(from.user, render::no_view(&error));
            }
        }
    }

    /// Sends the results of commands.
    pub(crate) fn results_received(
        &mut self,
        batch: &Batch,
        results: &[Result<CommandResult, DeskError>],
    ) {
        if batch.keep.is_none() {
            self.inbox.unanswered = self.inbox.unanswered.saturating_sub(1);
        }
        self.reply(batch.user, render::answers(batch, results));
    }

    fn execute(&mut self, context: &StepContext, message: &AuthorizedMessage) {
        self.counts.commands += 1;
        let from = Source {
            update: message.update,
            user: message.user,
            age: context.wall.since(message.sent_at),
        };
        let request = match request::read(&message.text) {
            Ok(request) => request,
            Err(problem) => return self.reply(from.user, render::problem(problem)),
        };
        match request {
            Request::Help => self.reply(from.user, render::help()),
            Request::Status => self
                .out
                .push(Out::ReadView(ViewRequest::Status { user: from.user })),
            Request::Stop(target) => self.stop(context, from, &target),
            Request::Kill { reason, part } => self.kill(context, from, &reason, part.as_ref()),
            Request::Start(_) | Request::Order(_) | Request::Confirm(_)
                if from.age > self.inbox.stale_after =>
            {
                self.counts.stale += 1;
                self.reply(from.user, render::stale(&message.text, from.age));
            }
            Request::Start(_) | Request::Order(_) | Request::Confirm(_)
                if self
                    .inbox
                    .entries_before
                    .is_some_and(|last| from.update <= last) =>
            {
                self.reply(from.user, render::handled_before(&message.text));
            }
            Request::Start(target) => self.start(context, from, &target),
            Request::Order(order) => self
                .out
                .push(Out::ReadView(ViewRequest::Order { from, order })),
            Request::Confirm(code) => self.confirm(context, from, &code),
        }
    }

    fn start(&mut self, context: &StepContext, from: Source, target: &Target) {
        let expires = Some(self.inbox.expiry(from, context.desk));
        let batch = self.bots(context, from, target, expires, |bot| {
            Action::StartBot(bot.id)
        });
        if let Some(mut batch) = batch {
            self.reply(from.user, render::received("start", batch.commands.len()));
            batch.keep = Some(self.entered(from.update));
            self.out.push(Out::Execute(batch));
        }
    }

    fn stop(&mut self, context: &StepContext, from: Source, target: &Target) {
        let batch = self.bots(context, from, target, None, |bot| Action::StopBot {
            bot: bot.id,
            mode: StopMode::Keep,
        });
        if let Some(batch) = batch {
            self.reply(from.user, render::received("stop", batch.commands.len()));
            self.inbox.unanswered += 1;
            self.out.push(Out::Execute(batch));
        }
    }

    /// Kills a part of the desk, or all of it if there is no such part: a kill with a wrong name must not do nothing.
    fn kill(&mut self, context: &StepContext, from: Source, text: &str, part: Option<&Part>) {
        let in_words = |text: &str| match text.chars().take(200).collect::<String>() {
            empty if empty.is_empty() => "no reason given".to_owned(),
            reason => reason,
        };
        let found = part.and_then(|part| {
            let reason = in_words(&part.reason);
            let (kill, words) = names::kill_of(&context.configuration, part, reason)?;
            Some((format!("kill of {words}"), kill))
        });
        let (words, action) = found.unwrap_or_else(|| {
            let kill = Action::Kill {
                reason: in_words(text),
                flatten: false,
                include_external: false,
            };
            let words = part.map_or_else(String::new, |part| {
                format!(
                    " of the whole desk, for there is no such part as {}",
                    part.name
                )
            });
            (format!("kill{words}"), kill)
        });
        self.reply(from.user, render::received(&words, 1));
        let command = self.command(context, from, 0, None, action);
        self.inbox.unanswered += 1;
        let commands = vec![(words, command)];
        self.out.push(Out::Execute(Batch {
            user: from.user,
            commands,
            keep: None,
        }));
    }

    fn proposed(&mut self, context: &StepContext, from: Source, proposal: Proposal) {
        if proposal.shrinks {
            return self.place(context, from, from.update, &proposal);
        }
        let code = format!("{:04}", from.update.rem_euclid(10_000));
        let within = self.inbox.stale_after;
        let text = render::proposal(&context.configuration, &proposal, &code, within);
        let until = context.elapsed + within;
        let pending = Pending {
            update: from.update,
            proposal,
            code,
            until,
        };
        self.inbox.pending.insert(from.user, pending);
        self.reply(from.user, text);
    }

    fn confirm(&mut self, context: &StepContext, from: Source, code: &str) {
        let waiting = self.inbox.pending.get(&from.user);
        if waiting.is_none_or(|pending| pending.code != code) {
            return self.reply(
                from.user,
                render::problem("no order with that code waits for confirmation"),
            );
        }
        let Some(pending) = self.inbox.pending.remove(&from.user) else {
            return;
        };
        if pending.until < context.elapsed {
            self.counts.stale += 1;
            let problem =
                "the code has expired because prices may have moved: send the order again";
            return self.reply(from.user, render::problem(problem));
        }
        self.place(context, from, pending.update, &pending.proposal);
    }

    /// Places an order with the command id of its first update.
    fn place(&mut self, context: &StepContext, from: Source, update: i64, proposal: &Proposal) {
        let expires = Some(self.inbox.expiry(from, context.desk));
        let identity = Source { update, ..from };
        let command = self.command(context, identity, 0, expires, proposal.action());
        let words = render::order(&context.configuration, proposal);
        self.reply(from.user, render::received(&words, 1));
        let keep = Some(self.entered(from.update));
        let commands = vec![(words, command)];
        self.out.push(Out::Execute(Batch {
            user: from.user,
            commands,
            keep,
        }));
    }

    /// Records an entry as executed. The saved progress does not cover later updates.
    fn entered(&mut self, update: i64) -> Progress {
        let entry = self.inbox.progress.entry.max(Some(update));
        self.inbox.progress.entry = entry;
        self.inbox.kept.entry = entry;
        self.inbox.kept
    }

    fn bots(
        &mut self,
        context: &StepContext,
        from: Source,
        target: &Target,
        expires_at: Option<Timestamp>,
        action: impl Fn(&BotConfig) -> Action,
    ) -> Option<Batch> {
        let bots: Vec<&BotConfig> = match target {
            Target::All => context.configuration.bots.iter().collect(),
            Target::Bot(name) => names::find_bot(&context.configuration, name)
                .into_iter()
                .collect(),
        };
        if bots.is_empty() {
            self.reply(from.user, render::problem("there is no such bot"));
            return None;
        }
        let commands = bots.into_iter().enumerate().map(|(index, bot)| {
            let command = self.command(context, from, index, expires_at, action(bot));
            (bot.name.clone(), command)
        });
        Some(Batch {
            user: from.user,
            commands: commands.collect(),
            keep: None,
        })
    }

    fn command(
        &self,
        context: &StepContext,
        from: Source,
        index: usize,
        expires_at: Option<Timestamp>,
        action: Action,
    ) -> Command {
        Command {
            id: self.inbox.command_id(from.update, index),
            principal: Principal::Telegram(from.user),
            issued_at: context.desk - from.age,
            expires_at,
            action,
        }
    }

    fn reply(&mut self, user: i64, text: Markup) {
        self.outbox.reply(user, text, self.counts);
    }
}

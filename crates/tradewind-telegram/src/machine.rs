//! The Telegram bot as a state machine without I/O and without a clock.
//!
//! [`Machine::handle`] takes one input and appends its outputs to `out`; [`Machine::deadline`] returns when it needs the next
//! tick. [`StepContext`] has three clocks: a monotonic one for waits, the wall clock for the age of messages, and the
//! desk's clock for commands.

use std::sync::Arc;
use std::time::Duration;

use tradewind_events::{Command, CommandResult, Configuration, DeskView, Event, EventType};
use tradewind_model::Timestamp;

use crate::client::Failure;
use crate::counts::Counts;
use crate::desk::DeskError;
use crate::digest::Line;
use crate::inbox::{Inbox, ViewRequest};
use crate::markup::Markup;
use crate::notice;
use crate::options::{Notify, Options};
use crate::outbox::Outbox;
use crate::poller::Poller;
use crate::progress::Progress;
use crate::wire::Update;

/// Clocks and configuration at one input.
#[derive(Clone, Debug)]
pub(crate) struct StepContext {
    /// Monotonic time since the start.
    pub(crate) elapsed: Duration,
    /// The wall clock.
    pub(crate) wall: Timestamp,
    /// The desk's clock.
    pub(crate) desk: Timestamp,
    /// The configuration in force.
    pub(crate) configuration: Arc<Configuration>,
}

/// An input.
#[derive(Debug)]
pub(crate) enum In {
    /// The start, or a deadline has passed.
    Tick,
    /// A poll ended.
    Polled(Result<Vec<Update>, Failure>),
    /// The result of sending the current message.
    Sent(Result<(), Failure>),
    /// An event of the desk.
    Event(Arc<Event>),
    /// This many events were lost in the queue.
    Lost(u64),
    /// A requested view.
    View(ViewRequest, Result<Arc<DeskView>, DeskError>),
    /// The results of a batch's commands, in their order.
    Results(Batch, Vec<Result<CommandResult, DeskError>>),
}

/// An output, for the shell to perform.
#[derive(Debug)]
pub(crate) enum Out {
    /// Save this before performing the outputs after it.
    Keep(Progress),
    /// Poll for updates; answered by [`In::Polled`].
    Poll(Option<i64>),
    /// Send a message; answered by [`In::Sent`].
    Send(Message),
    /// Read the desk's view; answered by [`In::View`].
    ReadView(ViewRequest),
    /// Execute commands; answered by [`In::Results`].
    Execute(Batch),
    /// Stop and do not restart: the token is not valid.
    Stop,
}

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) chat: i64,
    pub(crate) text: Markup,
    /// Sent without sound.
    pub(crate) is_silent: bool,
    /// Sent without markup, because the Bot API refused the markup.
    pub(crate) is_plain: bool,
}

/// Commands of one update.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The user, who also gets the answer.
    pub(crate) user: i64,
    /// Each with its name in the answer: a bot's name, or an order as text.
    pub(crate) commands: Vec<(String, Command)>,
    /// Saved before they are executed; if that fails, they are not executed. `None` if they may be executed twice.
    pub(crate) keep: Option<Progress>,
}

#[derive(Debug)]
pub(crate) struct Machine {
    options: Options,
    inbox: Inbox,
    outbox: Outbox,
    poller: Poller,
    counts: Counts,
}

impl Machine {
    /// A machine that continues after `progress`. `bot_number` is part of command ids, so that two Telegram bots do not collide.
    pub(crate) fn new(options: Options, progress: Progress, bot_number: u64) -> Self {
        Self {
            inbox: Inbox::new(progress, bot_number, &options),
            outbox: Outbox::new(options.chat, options.seed),
            poller: Poller::new(options.seed.wrapping_add(1)),
            counts: Counts::default(),
            options,
        }
    }

    /// Takes one input and appends the outputs, in the order in which they must be performed.
    pub(crate) fn handle(&mut self, context: &StepContext, input: In, out: &mut Vec<Out>) {
        match input {
            In::Tick => {}
            In::Polled(Ok(updates)) => {
                self.poller.succeeded(context.elapsed);
                for update in updates {
                    let mut desk = self.inbox.handler(&mut self.outbox, &mut self.counts, out);
                    desk.handle_update(context, update);
                }
            }
            In::Polled(Err(Failure::Unauthorized)) => return out.push(Out::Stop),
            In::Polled(Err(failure)) => {
                self.counts.failures += 1;
                self.poller.failed(context.elapsed, &failure);
            }
            In::Sent(result) => self.outbox.sent(context.elapsed, result, &mut self.counts),
            In::Event(event) => self.notify(context, &event),
            In::Lost(events) => self.notify_of_loss(context, events),
            In::View(request, view) => self
                .inbox
                .handler(&mut self.outbox, &mut self.counts, out)
                .view_received(context, request, view),
            In::Results(batch, results) => self
                .inbox
                .handler(&mut self.outbox, &mut self.counts, out)
                .results_received(&batch, &results),
        }
        self.pump(context.elapsed, out);
    }

    /// When to call [`handle`](Self::handle) with a tick; `None` if no tick is needed.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let poll = self.poller.due().filter(|_| self.inbox.is_settled());
        [poll, self.outbox.ready_at()].into_iter().flatten().min()
    }

    pub(crate) const fn counts(&self) -> Counts {
        self.counts
    }

    fn pump(&mut self, now: Duration, out: &mut Vec<Out>) {
        if let Some(message) = self.outbox.begin(now) {
            out.push(Out::Send(message));
        }
        // The next poll confirms updates to Telegram. It waits until stops and kills are answered.
        if self.inbox.is_settled() && self.poller.begin(now) {
            if let Some(progress) = self.inbox.take_changed_progress() {
                out.push(Out::Keep(progress));
            }
            out.push(Out::Poll(self.inbox.progress().next));
        }
    }

    fn notify(&mut self, context: &StepContext, event: &Event) {
        let event_type = event.kind.event_type();
        let is_loud = match self.options.notify_of(event_type) {
            Notify::Off => return,
            Notify::Silent => false,
            Notify::On => true,
        };
        let text = notice::render(&context.configuration, &event.kind);
        let line = Line {
            event_type,
            at: event.at,
            text,
            is_loud,
        };
        self.outbox.notify(line, &mut self.counts);
    }

    fn notify_of_loss(&mut self, context: &StepContext, events: u64) {
        let line = Line {
            event_type: EventType::QueueOverflow,
            at: context.desk,
            text: Markup::new().text(&format!("{events} notifications were lost")),
            is_loud: false,
        };
        self.outbox.notify(line, &mut self.counts);
    }
}

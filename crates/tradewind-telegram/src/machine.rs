//! The chat remote without socket and clock: something happened and it is now this late, so do that.
//!
//! [`Machine::handle`] takes one input and leaves what is to be done in `out`; [`Machine::deadline`] says when it wants
//! to be asked again. Time comes in three kinds, in [`StepContext`], because they may differ: what is waited for is measured by
//! a clock that never jumps, a message's age by the one on the wall, and commands are stamped with the desk's own.

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

/// What is known of the world at an input.
#[derive(Clone, Debug)]
pub(crate) struct StepContext {
    /// Time since the start; never jumps.
    pub(crate) elapsed: Duration,
    /// The clock on the wall.
    pub(crate) wall: Timestamp,
    /// The desk's clock.
    pub(crate) desk: Timestamp,
    /// The configuration in force.
    pub(crate) configuration: Arc<Configuration>,
}

/// What can happen.
#[derive(Debug)]
pub(crate) enum In {
    /// The start, or a deadline has come.
    Tick,
    /// A poll ended.
    Polled(Result<Vec<Update>, Failure>),
    /// The message under way was sent, or not.
    Sent(Result<(), Failure>),
    /// The desk announced something.
    Event(Arc<Event>),
    /// So many notifications were lost on their way here.
    Lost(u64),
    /// The view that was asked for.
    View(ViewRequest, Result<Arc<DeskView>, DeskError>),
    /// What came of a batch's commands, in their order.
    Results(Batch, Vec<Result<CommandResult, DeskError>>),
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Out {
    /// Keep this before doing anything that stands behind it.
    Keep(Progress),
    /// Poll for updates; answered by [`In::Polled`].
    Poll(Option<i64>),
    /// Send a message; answered by [`In::Sent`].
    Send(Message),
    /// Look at the desk; answered by [`In::View`].
    ReadView(ViewRequest),
    /// Carry out commands; answered by [`In::Results`].
    Execute(Batch),
    /// Stop for good: the token is not valid.
    Stop,
}

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) chat: i64,
    pub(crate) text: Markup,
    /// Without a sound.
    pub(crate) is_silent: bool,
    /// Without markup, because with it the Bot API refused it.
    pub(crate) is_plain: bool,
}

/// Commands of one update.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Who gave them, and where the answer goes.
    pub(crate) user: i64,
    /// What the answer calls them: a bot's name, an order in words.
    pub(crate) commands: Vec<(String, Command)>,
    /// Kept before they are given; if it cannot be, they are not. None for what may be done twice.
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
    /// A remote that heard what `progress` says. `bot_number` keeps the commands of different bots apart.
    pub(crate) fn new(options: Options, progress: Progress, bot_number: u64) -> Self {
        Self {
            inbox: Inbox::new(progress, bot_number, &options),
            outbox: Outbox::new(options.chat, options.seed),
            poller: Poller::new(options.seed.wrapping_add(1)),
            counts: Counts::default(),
            options,
        }
    }

    /// Takes one input; what is to be done is added to `out`, in the order in which it is to be done.
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

    /// When to call [`handle`](Self::handle) with a tick; none if only something else can bring news.
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
        // The next poll confirms to Telegram what was heard: not before stops and kills are answered.
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
            text: Markup::new().text(&format!(
                "{events} notifications were lost on their way here"
            )),
            is_loud: false,
        };
        self.outbox.notify(line, &mut self.counts);
    }
}

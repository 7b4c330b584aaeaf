//! What is sent, and when: one message at a time, replies first, critical notifications before the others, as many lines to
//! a message as fit.
//!
//! Telegram takes about a message a second into one chat, with short bursts (core.telegram.org/bots/faq, "My bot is
//! hitting limits"). The credit here grows by a second a second up to five; a message costs one, and notifications leave
//! two to replies. While the Bot API is silent everything waits, within bounds.

use std::collections::VecDeque;
use std::time::Duration;

use crate::backoff::Backoff;
use crate::client::Failure;
use crate::counts::Counts;
use crate::digest::{Digest, Line, append};
use crate::machine::Message;
use crate::markup::Markup;
use crate::options::Urgency;

const COST: Duration = Duration::from_secs(1);
const CREDIT_MAX: Duration = Duration::from_secs(5);
/// What notifications leave to replies.
const RESERVE: Duration = Duration::from_secs(2);
/// Replies that wait; beyond that the oldest are given up.
const REPLIES_MAX: usize = 100;
/// How long a chat that takes no messages is left alone.
const BLOCKED: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Reply,
    Notices,
}

#[derive(Debug)]
pub(crate) struct Outbox {
    /// Where notifications go.
    chat: Option<i64>,
    replies: VecDeque<(i64, Markup)>,
    critical: Digest,
    ordinary: Digest,
    /// Messages that failed and are sent again, before anything else of their kind.
    reply_again: Option<Message>,
    notices_again: Option<Message>,
    in_flight: Option<(Kind, Message)>,
    credit: Duration,
    credit_at: Duration,
    /// Nothing is sent before.
    hold_until: Duration,
    /// No notification is sent before.
    notices_hold_until: Duration,
    backoff: Backoff,
}

impl Outbox {
    pub(crate) fn new(chat: Option<i64>, seed: u64) -> Self {
        Self {
            chat,
            replies: VecDeque::new(),
            critical: Digest::default(),
            ordinary: Digest::default(),
            reply_again: None,
            notices_again: None,
            in_flight: None,
            credit: CREDIT_MAX,
            credit_at: Duration::ZERO,
            hold_until: Duration::ZERO,
            notices_hold_until: Duration::ZERO,
            backoff: Backoff::new(seed),
        }
    }

    /// Answers a user.
    pub(crate) fn reply(&mut self, chat: i64, text: Markup, counts: &mut Counts) {
        if self.replies.len() == REPLIES_MAX {
            self.replies.pop_front();
            counts.replies_dropped += 1;
        }
        self.replies.push_back((chat, text));
    }

    /// Queues a notification, if a chat is configured.
    pub(crate) fn notify(&mut self, line: Line, counts: &mut Counts) {
        if self.chat.is_none() {
            return;
        }
        let digest = match Urgency::of(line.event_type) {
            Urgency::Critical => &mut self.critical,
            Urgency::Ordinary => &mut self.ordinary,
        };
        if !digest.push(line) {
            counts.summarised += 1;
        }
    }

    /// The message to send now, if any; it counts as under way until [`sent`](Self::sent).
    pub(crate) fn begin(&mut self, now: Duration) -> Option<Message> {
        if self.in_flight.is_some() || self.ready_at()? > now {
            return None;
        }
        let kind = self.waiting()?;
        let message = match kind {
            Kind::Reply => self.reply_again.take().or_else(|| self.next_reply())?,
            Kind::Notices => self.notices_again.take().or_else(|| self.next_notices())?,
        };
        self.credit = self.credit_by(now).saturating_sub(COST);
        self.credit_at = now;
        self.in_flight = Some((kind, message.clone()));
        Some(message)
    }

    /// What became of the message under way.
    pub(crate) fn sent(&mut self, now: Duration, result: Result<(), Failure>, counts: &mut Counts) {
        let Some((kind, message)) = self.in_flight.take() else {
            return;
        };
        match result {
            Ok(()) => {
                self.backoff.reset();
                counts.sent += 1;
            }
            Err(failure) => self.failed(now, kind, message, &failure, counts),
        }
    }

    /// When something can be sent; none if nothing waits or a message is under way.
    pub(crate) fn ready_at(&self) -> Option<Duration> {
        if self.in_flight.is_some() {
            return None;
        }
        let (needed, hold) = match self.waiting()? {
            Kind::Reply => (COST, self.hold_until),
            Kind::Notices => (COST + RESERVE, self.hold_until.max(self.notices_hold_until)),
        };
        Some(hold.max(self.credit_at + needed.saturating_sub(self.credit)))
    }

    fn failed(
        &mut self,
        now: Duration,
        kind: Kind,
        mut message: Message,
        failure: &Failure,
        counts: &mut Counts,
    ) {
        counts.failures += 1;
        if self.backoff.failures() == 0 {
            tracing::warn!(%failure, "Telegram takes no message; trying again.");
        }
        match failure {
            Failure::Busy(wait) => self.hold_until = now + *wait,
            Failure::Unreachable(_) | Failure::Conflict | Failure::Unauthorized => {
                self.hold_until = now + self.backoff.next_wait();
            }
            Failure::Blocked(_) if kind == Kind::Reply => {
                counts.replies_dropped += 1;
                return;
            }
            Failure::Blocked(_) => self.notices_hold_until = now + BLOCKED,
            // Our markup may be at fault, so it is tried once without.
            Failure::Refused(_) if !message.is_plain => message.is_plain = true,
            Failure::Refused(_) => {
                tracing::error!(%failure, text = message.text.plain(), "Telegram refuses a message; giving it up.");
                counts.replies_dropped += u64::from(kind == Kind::Reply);
                return;
            }
        }
        match kind {
            Kind::Reply => self.reply_again = Some(message),
            Kind::Notices => self.notices_again = Some(message),
        }
    }

    fn waiting(&self) -> Option<Kind> {
        if self.reply_again.is_some() || !self.replies.is_empty() {
            return Some(Kind::Reply);
        }
        let waits =
            self.notices_again.is_some() || !self.critical.is_empty() || !self.ordinary.is_empty();
        waits.then_some(Kind::Notices)
    }

    fn credit_by(&self, now: Duration) -> Duration {
        (self.credit + now.saturating_sub(self.credit_at)).min(CREDIT_MAX)
    }

    /// The oldest reply and those to the same chat behind it, as far as they fit.
    fn next_reply(&mut self) -> Option<Message> {
        let (chat, mut text) = self.replies.pop_front()?;
        while let Some((next, more)) = self.replies.front() {
            if *next != chat || !append(&mut text, more) {
                break;
            }
            self.replies.pop_front();
        }
        Some(Message {
            chat,
            text,
            is_silent: false,
            is_plain: false,
        })
    }

    fn next_notices(&mut self) -> Option<Message> {
        let chat = self.chat?;
        let mut text = Markup::new();
        let mut is_loud = self.critical.move_lines_to(&mut text);
        if self.critical.is_empty() {
            is_loud |= self.ordinary.move_lines_to(&mut text);
        }
        Some(Message {
            chat,
            text,
            is_silent: !is_loud,
            is_plain: false,
        })
    }
}

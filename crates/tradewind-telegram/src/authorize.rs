//! Who is obeyed: a listed user, by number, in a private chat, in words of their own. Everybody else meets silence.

use std::collections::BTreeSet;

use tradewind_model::Timestamp;

use crate::counts::Counts;
use crate::wire::{Content, Update};

/// A message that is obeyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthorizedMessage {
    pub(crate) update: i64,
    /// Who wrote it; in a private chat also where the answer goes.
    pub(crate) user: i64,
    /// When, by Telegram's clock, to the second.
    pub(crate) sent_at: Timestamp,
    pub(crate) text: String,
}

/// The message in an update, if it is to be obeyed; what is not is counted.
pub(crate) fn authorize(
    update: Update,
    users: &BTreeSet<i64>,
    counts: &mut Counts,
) -> Option<AuthorizedMessage> {
    let message = match update.content {
        Content::Message(message) => message,
        Content::Other => return ignored(&mut counts.other_kinds),
        Content::Malformed => return ignored(&mut counts.malformed),
    };
    // The sender's number, never a name: names can be chosen.
    let Some(user) = message.from.as_ref().filter(|user| !user.is_bot) else {
        return ignored(&mut counts.not_private);
    };
    // In a private chat the chat's number is the user's; anything else is no private chat, whatever it calls itself.
    if message.chat.kind != "private" || message.chat.id != user.id || message.is_sent_for_a_chat()
    {
        return ignored(&mut counts.not_private);
    }
    if !users.contains(&user.id) {
        return ignored(&mut counts.strangers);
    }
    if message.is_forwarded() {
        return ignored(&mut counts.forwarded);
    }
    if message.is_edited() {
        return ignored(&mut counts.other_kinds);
    }
    let Some(text) = message.text else {
        return ignored(&mut counts.other_kinds);
    };
    Some(AuthorizedMessage {
        update: update.id,
        user: user.id,
        sent_at: Timestamp::from_millis(message.date.saturating_mul(1_000)),
        text,
    })
}

const fn ignored(counter: &mut u64) -> Option<AuthorizedMessage> {
    *counter += 1;
    None
}

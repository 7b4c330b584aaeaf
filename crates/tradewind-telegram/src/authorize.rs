//! Authorises messages: from a listed user, by numeric id, in a private chat, not forwarded or edited. Others get no answer.

use std::collections::BTreeSet;

use tradewind_model::Timestamp;

use crate::counts::Counts;
use crate::wire::{Content, Update};

/// A message of an authorised user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthorizedMessage {
    pub(crate) update: i64,
    /// The sender; in a private chat also the chat of the answer.
    pub(crate) user: i64,
    /// By Telegram's clock, to the second.
    pub(crate) sent_at: Timestamp,
    pub(crate) text: String,
}

/// The message in an update if it is authorised; other updates are counted.
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
    // By id, because users can choose their names.
    let Some(user) = message.from.as_ref().filter(|user| !user.is_bot) else {
        return ignored(&mut counts.not_private);
    };
    // In a private chat the chat's id is the user's id, whatever the chat's kind says.
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

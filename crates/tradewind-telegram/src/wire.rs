//! The Bot API's spelling, as much of it as is read (core.telegram.org/bots/api, read 2026-11-20).
//!
//! Hand-written: a few fields of two objects are needed, and presence matters more than contents. An update is read on its
//! own, so that one that makes no sense does not hold up those behind it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Every answer of the Bot API.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope {
    pub(crate) ok: bool,
    #[serde(default)]
    pub(crate) result: Value,
    #[serde(default)]
    pub(crate) error_code: Option<u16>,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) parameters: Option<Parameters>,
}

/// Additional fields of an error.
#[derive(Debug, Deserialize)]
pub(crate) struct Parameters {
    /// Seconds to wait.
    #[serde(default)]
    pub(crate) retry_after: Option<u64>,
}

/// An update: its number, and the message if it is a new one.
#[derive(Clone, Debug)]
pub(crate) struct Update {
    pub(crate) id: i64,
    pub(crate) content: Content,
}

/// What an update brings.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// A new message.
    Message(Box<IncomingMessage>),
    /// Something else: an edit, a callback, a channel's post.
    Other,
    /// A message that cannot be read.
    Malformed,
}

/// A message. The fields that mark a message as forwarded or edited are only checked for presence.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct IncomingMessage {
    /// When it was sent, in seconds since 1970 by Telegram's clock.
    pub(crate) date: i64,
    pub(crate) chat: Chat,
    #[serde(default)]
    pub(crate) from: Option<User>,
    #[serde(default)]
    pub(crate) text: Option<String>,
    #[serde(default)]
    sender_chat: Option<Value>,
    #[serde(default)]
    forward_origin: Option<Value>,
    #[serde(default)]
    forward_from: Option<Value>,
    #[serde(default)]
    forward_from_chat: Option<Value>,
    #[serde(default)]
    forward_sender_name: Option<Value>,
    #[serde(default)]
    forward_date: Option<Value>,
    #[serde(default)]
    via_bot: Option<Value>,
    #[serde(default)]
    edit_date: Option<Value>,
}

/// Where a message was written.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Chat {
    pub(crate) id: i64,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// Who wrote it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct User {
    pub(crate) id: i64,
    #[serde(default)]
    pub(crate) is_bot: bool,
}

impl Update {
    /// Reads an update; `None` without a number, for then it cannot be confirmed either.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let id = value.get("update_id")?.as_i64()?;
        let content = match value.get("message") {
            None => Content::Other,
            Some(message) => IncomingMessage::deserialize(message)
                .map_or(Content::Malformed, |message| {
                    Content::Message(Box::new(message))
                }),
        };
        Some(Self { id, content })
    }
}

impl IncomingMessage {
    /// Whether the message is forwarded.
    pub(crate) const fn is_forwarded(&self) -> bool {
        self.forward_origin.is_some()
            || self.forward_from.is_some()
            || self.forward_from_chat.is_some()
            || self.forward_sender_name.is_some()
            || self.forward_date.is_some()
            || self.via_bot.is_some()
    }

    /// Whether it is sent in the name of a chat, as by an anonymous administrator.
    pub(crate) const fn is_sent_for_a_chat(&self) -> bool {
        self.sender_chat.is_some()
    }

    /// Whether it is not what was first written.
    pub(crate) const fn is_edited(&self) -> bool {
        self.edit_date.is_some()
    }
}

/// `getUpdates`.
#[derive(Debug, Serialize)]
pub(crate) struct GetUpdates {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offset: Option<i64>,
    pub(crate) timeout: u64,
    pub(crate) limit: u32,
    pub(crate) allowed_updates: [&'static str; 1],
}

/// `sendMessage`.
#[derive(Debug, Serialize)]
pub(crate) struct SendMessage<'a> {
    pub(crate) chat_id: i64,
    pub(crate) text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parse_mode: Option<&'static str>,
    pub(crate) disable_notification: bool,
    pub(crate) link_preview_options: LinkPreviewOptions,
}

/// No link previews: fetching an address from a venue's text would reveal to its owner that we read it.
#[derive(Debug, Serialize)]
pub(crate) struct LinkPreviewOptions {
    pub(crate) is_disabled: bool,
}

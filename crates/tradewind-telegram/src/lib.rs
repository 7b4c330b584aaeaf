//! Telegram: notifications out, commands in.

//! One bot's place in one instrument, as an index.

use serde::{Deserialize, Serialize};
use tradewind_model::BotId;

/// A bot and one of its instruments. Only the part that holds bots makes such an index, so it is always valid there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct BotInstrument {
    bot: BotId,
    slot: u32,
}

impl BotInstrument {
    pub(super) fn new(bot: BotId, slot: usize) -> Self {
        let slot = u32::try_from(slot).expect("a bot has fewer than 2^32 instruments");
        Self { bot, slot }
    }

    /// The bot.
    pub(crate) const fn bot(self) -> BotId {
        self.bot
    }

    /// Index among the bot's instruments. Its strategy gets it as [`View::slot`](tradewind_strategy::View::slot).
    pub(crate) const fn slot(self) -> usize {
        self.slot as usize
    }
}

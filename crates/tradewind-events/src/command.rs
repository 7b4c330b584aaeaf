//! Commands: the same from the API, the command line and Telegram.

use serde::{Deserialize, Serialize};
use tradewind_model::{
    AccountId, BotId, ClientOrderId, InstrumentId, OrderKind, Price, Quantity, Side, Timestamp,
};
use tradewind_risk::Scope;

use crate::configuration::BotConfig;

/// A command's identity: the same id is carried out once, however often it arrives.
pub type CommandId = u128;

/// Who gave a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Principal {
    /// The holder of an API token, by the token's name.
    Token(String),
    /// A Telegram user, by number.
    Telegram(i64),
    /// Somebody with access to the machine: the latch file, a signal.
    Local,
    /// A rule of the configuration.
    Rule,
}

/// A command as an input: audited, idempotent, with an end to its validity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Its identity.
    pub id: CommandId,
    /// Who gave it.
    pub principal: Principal,
    /// When it was given.
    pub issued_at: Timestamp,
    /// After which it is refused; `None` for what is honoured at any age (stop, kill).
    pub expires_at: Option<Timestamp>,
    /// What to do.
    pub action: Action,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Starts a bot that is stopped or paused.
    StartBot(BotId),
    /// Stops a bot: its entries are cancelled.
    StopBot {
        /// Which.
        bot: BotId,
        /// What becomes of its positions.
        mode: StopMode,
    },
    /// Pauses a bot: no entries, exits run.
    PauseBot(BotId),
    /// Places an order by hand; it passes the same risk gate as a bot's.
    PlaceOrder {
        /// On which account.
        account: AccountId,
        /// Of what.
        instrument: InstrumentId,
        /// Buy or sell.
        side: Side,
        /// How much.
        quantity: Quantity,
        /// How.
        kind: OrderKind,
    },
    /// Cancels one of our orders.
    CancelOrder(ClientOrderId),
    /// Closes a position: a bot's, or with no bot the one made by hand.
    ClosePosition {
        /// On which account.
        account: AccountId,
        /// Whose.
        bot: Option<BotId>,
        /// In what.
        instrument: InstrumentId,
    },
    /// Kills: nothing new leaves until a reset. The latch is set before this input is made.
    Kill {
        /// Why.
        reason: String,
        /// Whether positions are closed first.
        flatten: bool,
        /// Whether what is EXTERNAL is sold with them.
        #[serde(default)]
        include_external: bool,
    },
    /// Clears what risk holds back in a scope: its circuit breaker, its losses, its drawdown. It lifts no kill.
    ClearRisk {
        /// Of what.
        scope: Scope,
        /// Why.
        reason: String,
    },
    /// Lifts the kill latch.
    Reset {
        /// Why.
        reason: String,
    },
    /// Kills a part of the desk: nothing new leaves for it until its own reset. The latch stays as it is.
    KillScope {
        /// Which part.
        scope: Scope,
        /// Why.
        reason: String,
    },
    /// Lifts the kill of a part of the desk.
    ResetScope {
        /// Which part.
        scope: Scope,
        /// Why.
        reason: String,
    },
    /// Gives a bot a position out of what the account holds and no bot has. No order is made and no money moves.
    Adopt(Adoption),
    /// Replaces the bots: those of a file in place of those in force. The other bots are not touched.
    ApplyBots(Box<AppliedBots>),
}

/// All bots as a person wants them, in place of those of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedBots {
    /// Number of this set. The command is refused unless it is the next one.
    pub revision: u32,
    /// The bots as written in TOML. The next start reads them in place of those of its own file.
    pub text: String,
    /// The bots with the ids that they have, or, for new ones, the next ids. A bot that is not listed is removed.
    pub bots: Vec<BotConfig>,
    /// What differs from the bots in force, for people.
    pub changes: Vec<String>,
}

/// A position that is given to a bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adoption {
    /// To which bot; the account is its own.
    pub bot: BotId,
    /// In what.
    pub instrument: InstrumentId,
    /// How much.
    pub quantity: Quantity,
    /// Whose it was.
    pub from: AdoptedFrom,
    /// What one unit counts as having cost.
    pub cost: Price,
    /// Where its loss is taken; by the bot's own exit plan when left out.
    pub stop: Option<Price>,
}

/// Whose a position was before a bot got it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AdoptedFrom {
    /// EXTERNAL's: what was there before the desk or was bought by somebody else.
    #[default]
    External,
    /// UNALLOCATED's: what the desk holds for no bot.
    Unallocated,
}

/// What becomes of a stopped bot's positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopMode {
    /// They stay and keep their exit plan.
    Keep,
    /// They are closed at market.
    Close,
}

/// The engine's answer to a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommandResult {
    /// Done, or begun; an order's id where one was made.
    Accepted(Option<ClientOrderId>),
    /// Not done, with the reason in words.
    Refused(String),
    /// Killed.
    Killed {
        /// Orders that were open then, protective stops apart; entries among them are being cancelled.
        open_orders: u32,
        /// Whether the kill is on disk. The driver holds the engine's yes until the journal is synced, and says no after a
        /// second; the kill switch says no if it could not write its latch.
        durable: bool,
    },
}

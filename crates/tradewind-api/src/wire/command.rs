//! Commands: requests and answers.

use serde::{Deserialize, Serialize};
use tradewind_events::CommandResult;
use utoipa::ToSchema;

use super::number::{Decimal, Instant};
use super::risk::Scope;
use super::words::{OrderType, Side, TimeInForce};

/// An order to be placed by hand. It passes the same risk gate as a bot's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    /// Account; may be left out if there is only one.
    pub account: Option<String>,
    /// Instrument.
    #[schema(examples("binance:BTC/USDT"))]
    pub instrument: String,
    /// Buy or sell.
    pub side: Side,
    /// Market, limit or post-only.
    #[serde(rename = "type")]
    pub order_type: OrderType,
    /// Quantity in base units.
    pub quantity: Decimal,
    /// The limit; wanted for all but market orders.
    pub price: Option<Decimal>,
    /// How long a limit order stays; until cancelled when left out.
    pub time_in_force: Option<TimeInForce>,
}

/// A position to be closed at market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosePosition {
    /// Account; may be left out if there is only one.
    pub account: Option<String>,
    /// In what.
    pub instrument: String,
    /// The bot that holds it; without it, the position opened by hand.
    pub bot: Option<String>,
}

/// Whose a position was before a bot got it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdoptedFrom {
    /// EXTERNAL's: what was there before the desk, or was bought by somebody else.
    #[default]
    External,
    /// UNALLOCATED's: what the desk holds for no bot.
    Unallocated,
}

/// A position to be given to a bot, out of what the account holds and no bot has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdoptPosition {
    /// To which bot.
    pub bot: String,
    /// In what.
    pub instrument: String,
    /// How much, in base units.
    pub quantity: Decimal,
    /// Whose it was; EXTERNAL's when left out.
    #[serde(default)]
    pub from: AdoptedFrom,
    /// What one unit counts as having cost.
    pub cost: Decimal,
    /// Where its loss is taken; by the bot's own exit plan when left out.
    pub stop: Option<Decimal>,
}

/// Bots to be put in place of those in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyBots {
    /// What errors call the text.
    #[schema(examples("bots.toml"))]
    pub file: String,
    /// `[[bots]]` as TOML, alone or in a whole configuration whose other sections are those of the desk.
    pub text: String,
    /// Whether only the difference is wanted.
    #[serde(default)]
    pub dry_run: bool,
}

/// Bots that were put in place of those in force, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BotsAnswer {
    /// Number of the set of bots that is in force then.
    pub revision: u32,
    /// What differs from the bots before, a line for each bot; empty if nothing does.
    #[schema(examples("trend-btc: budget 500 -> 800"))]
    pub changes: Vec<String>,
    /// Whether it was done.
    pub applied: bool,
}

/// What becomes of a stopped bot's positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopMode {
    /// They stay and keep their exit plan.
    #[default]
    Keep,
    /// They are closed at market.
    Close,
}

/// How a bot is to be stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StopBot {
    /// What becomes of its positions; they are kept when left out.
    #[serde(default)]
    pub mode: StopMode,
}

/// Kill: nothing new leaves until a reset, for the whole desk or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KillRequest {
    /// Why; not empty.
    pub reason: String,
    /// Whether positions are closed first; of the whole desk only.
    #[serde(default)]
    pub flatten: bool,
    /// Whether what the account holds and neither a bot nor the desk bought is sold with them.
    #[serde(default)]
    pub include_external: bool,
    /// What is killed; the whole desk when left out.
    #[serde(default)]
    pub scope: Option<Scope>,
}

/// Clears what risk holds back in a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClearRisk {
    /// Of what, as a cause names it.
    pub scope: Scope,
    /// Why; not empty.
    pub reason: String,
}

/// Lifts the kill latch, or the kill of a part of the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetRequest {
    /// Why; not empty.
    pub reason: String,
    /// The nonce of `GET reset`.
    pub nonce: String,
    /// Whose kill is lifted; the whole desk's when left out.
    #[serde(default)]
    pub scope: Option<Scope>,
}

/// A nonce for one reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResetNonce {
    /// To be given back once, within a minute.
    pub nonce: String,
    /// After this many seconds it is void.
    pub expires_in_seconds: u64,
}

/// The result of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandAnswer {
    /// The command's id: 32 hexadecimal digits.
    pub command: String,
    /// When it was given, by the desk's clock.
    pub issued_at: Instant,
    /// Done, or begun. A refusal is an error answer with code `refused`.
    pub accepted: bool,
    /// The order that was made.
    pub client_id: Option<String>,
    /// Of a kill: whether it is on disk. If not, it holds only as long as the process runs.
    pub durable: Option<bool>,
    /// Of a kill: orders that were open then, protective stops apart. Entries among them are being cancelled.
    pub open_orders: Option<u32>,
}

impl CommandAnswer {
    /// The answer to an accepted command; the reason of a refused one.
    ///
    /// # Errors
    /// The desk's message if it refused.
    pub fn new(command: u128, issued_at: Instant, result: CommandResult) -> Result<Self, String> {
        let mut answer = Self {
            command: format!("{command:032x}"),
            issued_at,
            accepted: true,
            client_id: None,
            durable: None,
            open_orders: None,
        };
        match result {
            CommandResult::Accepted(order) => answer.client_id = order.map(|id| id.to_string()),
            CommandResult::Refused(reason) => return Err(reason),
            CommandResult::Killed {
                open_orders,
                durable,
            } => {
                answer.durable = Some(durable);
                answer.open_orders = Some(open_orders);
            }
        }
        Ok(answer)
    }
}

/// A one-time code from the login link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// The code.
    pub code: String,
}

/// The token that the code was good for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// To be sent as `Authorization: Bearer …` and kept in memory only.
    pub token: String,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(…)")
    }
}

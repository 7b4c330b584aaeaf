//! Names for dense ids, and ids for names.
//!
//! Names live at the edges only. The table is the desk's configuration itself, so it cannot drift from it; what is not
//! in it prints as `?` rather than failing an answer.

use std::sync::Arc;

use tradewind_events::{BotConfig, Configuration};
use tradewind_model::{
    Account, AccountId, Amount, AssetId, BotId, Instrument, InstrumentId, OwnerId, Price, Quantity,
    VenueId,
};

use super::number::Decimal;

/// The placeholder for a name that is not in the table.
const UNKNOWN: &str = "?";

/// Names and number scales of one configuration.
#[derive(Clone, Debug)]
pub struct Names(Arc<Configuration>);

impl Names {
    /// The names of `configuration`.
    #[must_use]
    pub const fn new(configuration: Arc<Configuration>) -> Self {
        Self(configuration)
    }

    /// The configuration behind the names.
    #[must_use]
    pub fn configuration(&self) -> &Configuration {
        &self.0
    }

    /// A bot's name.
    #[must_use]
    pub fn bot(&self, id: BotId) -> String {
        let bot = self.0.bots.get(id.index());
        bot.map_or(UNKNOWN, |bot| &bot.name).to_owned()
    }

    /// An account's name.
    #[must_use]
    pub fn account(&self, id: AccountId) -> String {
        let account = self.0.accounts.get(id.index());
        account.map_or(UNKNOWN, |account| &account.name).to_owned()
    }

    /// A venue's name.
    #[must_use]
    pub fn venue(&self, id: VenueId) -> String {
        let venue = self.0.venues.get(id.index());
        venue.map_or(UNKNOWN, String::as_str).to_owned()
    }

    /// An instrument's name: `binance:BTC/USDT`.
    #[must_use]
    pub fn instrument(&self, id: InstrumentId) -> String {
        let instrument = self.instrument_of(id);
        instrument
            .map_or(UNKNOWN, |instrument| &instrument.name)
            .to_owned()
    }

    /// Names of several instruments.
    #[must_use]
    pub fn instruments(&self, ids: &[InstrumentId]) -> Vec<String> {
        ids.iter().map(|id| self.instrument(*id)).collect()
    }

    /// An asset's name.
    #[must_use]
    pub fn asset(&self, id: AssetId) -> String {
        self.0.assets.name(id).to_owned()
    }

    /// An owner's name: a bot's, or one of `UNALLOCATED`, `DUST`, `FEES`, `EXTERNAL`.
    #[must_use]
    pub fn owner(&self, owner: OwnerId) -> String {
        match owner {
            OwnerId::Bot(bot) => self.bot(bot),
            OwnerId::Unallocated => "UNALLOCATED".into(),
            OwnerId::Dust => "DUST".into(),
            OwnerId::Fees => "FEES".into(),
            OwnerId::External => "EXTERNAL".into(),
        }
    }

    /// The name of an instrument's quote asset.
    #[must_use]
    pub fn quote_asset(&self, id: InstrumentId) -> String {
        let instrument = self.instrument_of(id);
        instrument.map_or_else(|| UNKNOWN.into(), |instrument| self.asset(instrument.quote))
    }

    /// A price of an instrument as text.
    #[must_use]
    pub fn price(&self, id: InstrumentId, price: Price) -> Decimal {
        let instrument = self.instrument_of(id);
        Decimal(instrument.map_or_else(|| UNKNOWN.into(), |known| known.price_text(price)))
    }

    /// A quantity of an instrument as text.
    #[must_use]
    pub fn quantity(&self, id: InstrumentId, quantity: Quantity) -> Decimal {
        let instrument = self.instrument_of(id);
        Decimal(instrument.map_or_else(|| UNKNOWN.into(), |known| known.quantity_text(quantity)))
    }

    /// What a quantity is worth at a price, in the quote asset; none if that does not fit.
    #[must_use]
    pub fn value(&self, id: InstrumentId, price: Price, quantity: Quantity) -> Option<Amount> {
        self.instrument_of(id)?.notional(price, quantity)
    }

    /// An instrument by its id.
    #[must_use]
    pub fn instrument_of(&self, id: InstrumentId) -> Option<&Instrument> {
        self.0.instruments.get(id.index())
    }

    /// A bot by its name.
    #[must_use]
    pub fn find_bot(&self, name: &str) -> Option<&BotConfig> {
        self.0.bots.iter().find(|bot| bot.name == name)
    }

    /// An instrument by its name.
    #[must_use]
    pub fn find_instrument(&self, name: &str) -> Option<&Instrument> {
        let mut instruments = self.0.instruments.iter();
        instruments.find(|instrument| instrument.name == name)
    }

    /// A venue by its name.
    #[must_use]
    pub fn find_venue(&self, name: &str) -> Option<VenueId> {
        let place = self.0.venues.iter().position(|venue| venue == name)?;
        u32::try_from(place).ok().map(VenueId)
    }

    /// An account by its name.
    #[must_use]
    pub fn find_account(&self, name: &str) -> Option<&Account> {
        self.0.accounts.iter().find(|account| account.name == name)
    }
}

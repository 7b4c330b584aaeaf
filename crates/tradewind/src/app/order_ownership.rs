//! Which bot an order was for, from the journal's intents: a fill found at the venue belongs to the bot that ordered it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tradewind_events::{AccountState, AdoptedOrder, Configuration, Input, Intent, OpenOrder};
use tradewind_journal::{JournalError, Reader, Record, Storage, StoreKind};
use tradewind_model::{BotId, ClientOrderId, OrderTerms};
use tradewind_venues::AssetBalance;
use tradewind_venues::execution::{AccountSnapshot, OrderRecord};

/// All orders of the desk by client id, with what is known of each.
#[derive(Debug, Default)]
pub struct OrderOwnership {
    orders: BTreeMap<ClientOrderId, AdoptedOrder>,
}

impl OrderOwnership {
    /// Reads every intent of a journal. A bot is found by its name: ids are places in the configuration, which may have
    /// changed between two starts.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn read(
        storage: Arc<dyn Storage>,
        journal_dir: &Path,
        configuration: &Configuration,
    ) -> Result<Self, JournalError> {
        let mut orders = BTreeMap::new();
        let mut ids: Vec<Option<BotId>> = Vec::new();
        for record in Reader::new(storage, journal_dir).records(StoreKind::Truth)? {
            match record?.record {
                Record::Input(Input::Configured(earlier)) => {
                    ids = same_names(&earlier, configuration)
                }
                Record::Intent(Intent {
                    terms,
                    bot,
                    decided_at,
                    ..
                }) => {
                    let bot = bot.and_then(|bot| ids.get(bot.index()).copied().flatten());
                    orders.insert(
                        terms.client_id,
                        AdoptedOrder {
                            bot,
                            placed_at: decided_at,
                        },
                    );
                }
                _ => {}
            }
        }
        Ok(Self { orders })
    }

    /// An account as the engine takes it over: each fill and open order of the desk with the bot that it was for.
    #[must_use]
    pub fn attribute(&self, snapshot: AccountSnapshot) -> AccountState {
        let bot = |id: ClientOrderId| self.orders.get(&id).and_then(|order| order.bot);
        let total = |held: &AssetBalance| (held.asset, held.free + held.locked);
        let open = snapshot.open_orders.iter();
        AccountState {
            account: snapshot.account,
            balances: snapshot.balances.iter().map(total).collect(),
            open_orders: open.filter_map(|record| self.open_order(record)).collect(),
            fills: snapshot
                .fills
                .into_iter()
                .map(|fill| (fill, bot(fill.client_id)))
                .collect(),
        }
    }

    /// `None` for a kind of order that the desk does not use, such as a stop order placed by hand.
    fn open_order(&self, record: &OrderRecord) -> Option<OpenOrder> {
        let terms = OrderTerms {
            account: record.account,
            instrument: record.instrument,
            client_id: record.client_id,
            side: record.side,
            quantity: record.quantity,
            kind: record.kind?,
        };
        Some(OpenOrder {
            terms,
            venue_order_id: record.venue_order_id,
            filled: record.filled,
            adopted: self.orders.get(&record.client_id).copied(),
        })
    }
}

/// For each bot of an earlier configuration, the bot of the same name now.
fn same_names(earlier: &Configuration, now: &Configuration) -> Vec<Option<BotId>> {
    let find = |name: &str| {
        now.bots
            .iter()
            .find(|bot| bot.name == name)
            .map(|bot| bot.id)
    };
    earlier.bots.iter().map(|bot| find(&bot.name)).collect()
}

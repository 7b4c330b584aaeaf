//! Whose an order is: what the journal's intents say, so that a fill found at the venue goes to the bot it was for.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tradewind_events::{Configuration, Input, Intent};
use tradewind_journal::{JournalError, Reader, Record, Storage, StoreKind};
use tradewind_model::{BotId, ClientOrderId, Timestamp};

/// An order of the desk, whenever it was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owned {
    /// The bot it was for, by its id of now; `None` for a person's order, or a bot that is no more.
    pub(crate) bot: Option<BotId>,
    /// When its intent was made.
    pub(crate) placed_at: Timestamp,
}

/// All orders of the desk by client id.
#[derive(Debug, Default)]
pub(crate) struct OrderOwnership {
    orders: Mutex<BTreeMap<ClientOrderId, Owned>>,
}

impl OrderOwnership {
    /// Reads every intent of a journal. A bot is found again by its name: ids are places in the configuration, which
    /// may have changed between two starts.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(crate) fn read(
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
                        Owned {
                            bot,
                            placed_at: decided_at,
                        },
                    );
                }
                _ => {}
            }
        }
        Ok(Self {
            orders: Mutex::new(orders),
        })
    }

    /// The order of this id, if it is ours.
    #[must_use]
    pub(crate) fn get(&self, id: ClientOrderId) -> Option<Owned> {
        self.lock().get(&id).copied()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ClientOrderId, Owned>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
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

//! What happens to a world besides its network and its exchange: its disk fails, and people give the desk commands.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tradewind::app::hot_path::recover;
use tradewind_engine::StrategySource;
use tradewind_events::{
    Action, AdoptedFrom, Adoption, Command, CommandResult, DeskView, Principal, StopMode,
};
use tradewind_journal::{Durable, Loss, MemoryStorage, Storage, StorageFault};
use tradewind_model::{
    AccountId, Amount, BotId, Clock, InstrumentId, OrderKind, OwnerId, Quantity, Side,
};
use tradewind_risk::Scope;
use tradewind_simx_server::simulation::Violation;

use crate::checks::Killed;
use crate::plan::{Harm, Person};
use crate::world::{JOURNAL, KEY, World};

/// An error of the device.
const EIO: i32 = 5;
/// Bytes that a disk writes at once.
const SECTOR: usize = 512;

/// Damages a file. What may be the end of an unfinished write is left alone: that is dropped and reported, not refused.
pub(crate) fn change(bytes: &mut [u8], harm: Harm, place: u64) {
    let millionths = |place: u64| bytes.len() * usize::try_from(place).unwrap() / 1_000_000;
    let at = millionths(place);
    let sector = at..at + SECTOR;
    let is_inside = sector.end <= bytes.len() / 4 * 3;
    match harm {
        Harm::Bit => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << (place % 8);
            }
        }
        Harm::Zeros if is_inside => bytes[sector].fill(0),
        Harm::Misdirected(from) if is_inside => {
            let from = millionths(from).min(bytes.len() - SECTOR);
            bytes.copy_within(from..from + SECTOR, at);
        }
        Harm::Zeros | Harm::Misdirected(_) => {}
    }
}

/// I11: a damaged disk is refused, or read to the same state.
pub(crate) fn read_alike(
    whole: Option<&str>,
    damaged: Option<&str>,
    harm: Harm,
    path: &Path,
) -> Option<Violation> {
    let is_other = damaged.is_some() && damaged != whole;
    is_other.then(|| {
        let found = format!("{harm:?} in {} changed what was read", path.display());
        Violation::new("I11", found)
    })
}

impl World {
    /// Open orders, resting stops and executions of the account at the exchange.
    pub(crate) fn exchange_state(&self) -> (usize, usize, usize) {
        self.network.with(|network, _| {
            let server = network.server();
            let Some(account) = server.account(KEY) else {
                return (0, 0, 0);
            };
            let exchange = server.exchange();
            let waits = |order: &&tradewind_simx::Order| {
                order.trigger.is_some() && order.working_since.is_none()
            };
            let open = exchange.open_orders(account).count();
            let stops = exchange.open_orders(account).filter(waits).count();
            let fills = exchange.executions(account).next().is_some();
            (open, stops, usize::from(fills))
        })
    }

    /// The disk takes `room` bytes more, and for `span` no others.
    pub(crate) fn fill_disk(&mut self, room: u64, span: Duration) {
        self.disarm();
        self.storage.set_fault(Some(StorageFault::full(room)));
        self.is_disk_bad = true;
        self.has_room_at = Some(self.now() + span);
    }

    /// The `nth` operation on the disk from now on fails.
    pub(crate) fn fail_operation(&mut self, nth: u64) {
        self.disarm();
        let fault = StorageFault::errors(EIO).at_operation(nth);
        self.storage.set_fault(Some(fault));
        self.is_disk_bad = true;
    }

    /// The next sync fails; the desk may die of it, and what was not synced is lost then.
    pub(crate) fn fail_sync(&mut self) {
        self.disarm();
        self.storage.fail_syncs(true);
        self.is_disk_bad = true;
        if self.syncs_intents() {
            self.loss = Loss::Power { torn: 0 };
        }
    }

    /// The power goes. A desk that does not sync its intents is only killed, for it promises nothing then; whether it was more.
    pub(crate) fn cut_power(&mut self, torn: usize) -> bool {
        let is_meant = self.syncs_intents();
        if is_meant {
            self.loss = Loss::Power { torn };
        }
        self.kill_desk();
        is_meant
    }

    /// The desk dies, and on a copy of its disk some of the truth is damaged: what is read there is refused or the same.
    pub(crate) fn harm(&mut self, harm: Harm, place: u64) -> Option<Violation> {
        self.kill_desk();
        let read = |disk: &MemoryStorage| {
            let storage: Arc<dyn Storage> = Arc::new(disk.clone());
            let last_run = recover(&storage, Path::new(JOURNAL), StrategySource::built_in).ok()?;
            let (seq, now) = (last_run.seq(), last_run.now());
            Some(format!("{seq} {:?}", last_run.finish(seq, now).view()))
        };
        let damaged = self.storage.after(Loss::Process);
        let names = damaged.list(Path::new(JOURNAL)).unwrap();
        let mut truths: Vec<PathBuf> = (names.iter())
            .filter(|name| name.starts_with("truth-"))
            .map(|name| Path::new(JOURNAL).join(name))
            .collect();
        if harm == Harm::Zeros {
            // In the newest file a sector of zeros is what a write left that did not end: dropped and reported.
            truths.pop();
        }
        let chosen = usize::try_from(place).unwrap() % truths.len().max(1);
        let path = truths.get(chosen)?;
        damaged
            .damage(path, |bytes| change(bytes, harm, place))
            .unwrap();
        let (whole, other) = (read(&self.storage), read(&damaged));
        read_alike(whole.as_deref(), other.as_deref(), harm, path)
    }

    /// A person gives the desk a command; `choice` picks what it is about. A desk that is down hears nothing.
    pub(crate) fn person(&mut self, person: Person, choice: u64) {
        let Some(view) = self.look() else {
            return;
        };
        let Some(action) = self.action(person, choice, &view) else {
            return;
        };
        self.give(action);
    }

    /// Gives a command as the kill switch does: a kill is set before the engine hears of it, and lifted after it agreed.
    pub(crate) fn give(&mut self, action: Action) {
        let Some(desk) = &self.desk else {
            return;
        };
        let (handle, gate, latch) = (desk.handle.clone(), &desk.gate, Arc::clone(&desk.latch));
        self.commands += 1;
        let now = self.now();
        let command = Command {
            id: self.commands,
            principal: Principal::Local,
            issued_at: desk.clock.now(),
            expires_at: None,
            action,
        };
        let file = self.latch_file();
        if let Action::Kill { flatten, .. } = command.action {
            let began = match flatten {
                true => gate.flatten(),
                false => gate.kill(),
            };
            let durable = file.kill("a person", "sim", now);
            // While a kill is in the memory alone, the process must not end.
            if durable == Durable::No && self.storage.has_crashed() {
                return self.kill_desk();
            }
            if began || !flatten {
                self.kills.lock().unwrap().push(Killed {
                    from: now,
                    until: None,
                    flattens: flatten,
                    is_durable: durable == Durable::Yes,
                });
            }
        }
        let resets = matches!(command.action, Action::Reset { .. });
        let (kills, time) = (Arc::clone(&self.kills), self.time.clone());
        self.executor.start("a command", |_| async move {
            let answer = handle.command(command).await;
            if resets && matches!(answer, Some(CommandResult::Accepted(_))) {
                let now = Clock::now(&time);
                if file.reset("a person", "sim", now).is_ok() {
                    latch.clear();
                    for killed in kills.lock().unwrap().iter_mut() {
                        killed.until.get_or_insert(now);
                    }
                }
            }
            Ok(())
        });
    }

    fn action(&self, person: Person, choice: u64, view: &DeskView) -> Option<Action> {
        let bots = view.bots.len().max(1) as u64;
        let bot = BotId(u32::try_from(choice % bots).unwrap());
        let reason = "a person".to_owned();
        let held = |is_meant: fn(OwnerId) -> bool| {
            let all: Vec<_> = view
                .positions
                .iter()
                .filter(|one| is_meant(one.owner))
                .collect();
            let chosen = usize::try_from(choice).unwrap() % all.len().max(1);
            all.get(chosen).map(|one| (one.owner, one.instrument))
        };
        Some(match person {
            Person::Kill => Action::Kill {
                reason,
                flatten: false,
                include_external: false,
            },
            Person::Flatten => Action::Kill {
                reason,
                flatten: true,
                include_external: false,
            },
            Person::Reset => Action::Reset { reason },
            Person::Pause => Action::PauseBot(bot),
            Person::Stop => Action::StopBot {
                bot,
                mode: StopMode::Keep,
            },
            Person::Liquidate => Action::StopBot {
                bot,
                mode: StopMode::Close,
            },
            Person::Start => Action::StartBot(bot),
            Person::Close => {
                let (owner, instrument) = held(|owner| matches!(owner, OwnerId::Bot(_)))?;
                let OwnerId::Bot(bot) = owner else {
                    return None;
                };
                Action::ClosePosition {
                    account: AccountId(0),
                    bot: Some(bot),
                    instrument,
                }
            }
            Person::KillBot => Action::KillScope {
                scope: Scope::Bot(bot),
                reason,
            },
            Person::ResetBot => Action::ResetScope {
                scope: Scope::Bot(bot),
                reason,
            },
            Person::ClearRisk => Action::ClearRisk {
                scope: Scope::Desk,
                reason,
            },
            Person::Order => {
                let instrument = InstrumentId(u32::try_from(choice % 6).unwrap());
                let listed = self.instrument(instrument);
                let feed = view
                    .feeds
                    .iter()
                    .find(|feed| feed.instrument == instrument)?;
                let bid = feed.quote?.bid;
                let side = if choice & 64 == 0 {
                    Side::Buy
                } else {
                    Side::Sell
                };
                let kind = match choice & 128 {
                    0 => OrderKind::Market,
                    _ => OrderKind::PostOnly { price: bid },
                };
                let value = listed.notional(bid, listed.step)?;
                // Worth about 20 units of the quote asset.
                let steps = Amount::ONE.0 * 20 / value.0.max(1);
                let quantity = Quantity(listed.step.0 * i64::try_from(steps).ok()?);
                Action::PlaceOrder {
                    account: AccountId(0),
                    instrument,
                    side,
                    quantity,
                    kind,
                }
            }
            Person::Cancel => {
                let chosen = usize::try_from(choice).unwrap() % view.orders.len().max(1);
                Action::CancelOrder(view.orders.get(chosen)?.terms.client_id)
            }
            Person::Adopt => {
                let instrument = InstrumentId(0);
                let listed = self.instrument(instrument);
                Action::Adopt(Adoption {
                    bot,
                    instrument,
                    quantity: listed.step,
                    from: AdoptedFrom::External,
                    cost: listed.tick,
                    stop: None,
                })
            }
        })
    }
}

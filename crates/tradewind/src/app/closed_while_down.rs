//! Positions that were closed while the desk was down: what each has lost, beside what it had planned to lose.
//!
//! The plan is what the position would have lost at its stop, before fees. The market may have jumped over the stop, so
//! the loss can be larger. A position that loses more than planned in the first minute after its account was read counts, too:
//! its stop was passed while nobody watched. A position that opened and ended while the desk was down has no plan that was
//! written down.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tradewind_bus::{Bus, Class, Received, Subscription, SubscriptionOptions, TypeSet};
use tradewind_events::{Configuration, DeskView, Event, EventKind, EventType, PositionView};
use tradewind_model::{AccountId, Amount, BotId, InstrumentId, OwnerId, Timestamp};

use crate::app::supervisor::Supervisor;

/// How long after the reading of its account a position's end still counts.
const FIRST_MINUTE: Duration = Duration::from_secs(60);

/// What the last run held, and what it planned.
#[derive(Debug)]
struct Plan {
    bot: String,
    instrument: String,
    /// What it loses at its stop; none if it has no stop, or if the last run did not write down that it opened.
    loss: Option<Amount>,
    quote: String,
}

/// The positions of the last run that are not closed yet.
#[derive(Debug)]
struct Recovered {
    configuration: Arc<Configuration>,
    plans: BTreeMap<(AccountId, BotId, InstrumentId), Plan>,
    /// When each account was first read.
    read_at: BTreeMap<AccountId, Timestamp>,
}

/// The end of a position.
#[derive(Debug)]
struct Closed {
    plan: Plan,
    realized: Amount,
    /// Whether it was closed before its account was read.
    while_down: bool,
}

impl Recovered {
    fn new(view: &DeskView, configuration: Arc<Configuration>) -> Self {
        let mut plans = BTreeMap::new();
        for position in &view.positions {
            if let OwnerId::Bot(bot) = position.owner
                && let Some(plan) = plan(position, &configuration)
            {
                plans.insert((position.account, bot, position.instrument), plan);
            }
        }
        Self {
            configuration,
            plans,
            read_at: BTreeMap::new(),
        }
    }

    /// Whether every account was read and no position of the last run is open.
    fn is_done(&self) -> bool {
        self.plans.is_empty() && self.read_at.len() == self.configuration.accounts.len()
    }

    /// Takes an event in. Returns the end of a position of the last run.
    fn take(&mut self, event: &Event) -> Option<Closed> {
        match event.kind {
            EventKind::Reconciled { account, .. } => {
                let _ = self.read_at.entry(account).or_insert(event.at);
                None
            }
            EventKind::PositionOpened {
                account,
                bot: Some(bot),
                instrument,
                ..
            } if !self.read_at.contains_key(&account) => {
                let plan = unplanned(bot, instrument, &self.configuration)?;
                self.plans.insert((account, bot, instrument), plan);
                None
            }
            EventKind::PositionClosed {
                account,
                bot: Some(bot),
                instrument,
                realized,
            } => {
                let plan = self.plans.remove(&(account, bot, instrument))?;
                let read_at = self.read_at.get(&account);
                let while_down = read_at.is_none();
                let early = read_at.is_some_and(|read| event.at <= *read + FIRST_MINUTE);
                let exceeds = plan.loss.is_none_or(|loss| -realized.0 > loss.0);
                (while_down || (early && exceeds)).then_some(Closed {
                    plan,
                    realized,
                    while_down,
                })
            }
            _ => None,
        }
    }
}

fn plan(position: &PositionView, configuration: &Configuration) -> Option<Plan> {
    let OwnerId::Bot(bot) = position.owner else {
        return None;
    };
    let instrument = configuration.instruments.get(position.instrument.index())?;
    let stops = [position.exit.stop, position.exit.trailing];
    let losses = stops.into_iter().flatten().filter_map(|stop| {
        let value = instrument.notional(stop, position.quantity)?;
        position.cost.0.checked_sub(value.0)
    });
    Some(Plan {
        // Of a fixed and a trailing stop the nearer one acts.
        loss: losses.min().map(Amount),
        ..unplanned(bot, position.instrument, configuration)?
    })
}

fn unplanned(bot: BotId, instrument: InstrumentId, configuration: &Configuration) -> Option<Plan> {
    let instrument = configuration.instruments.get(instrument.index())?;
    Some(Plan {
        bot: configuration.bots.get(bot.index())?.name.clone(),
        instrument: instrument.name.clone(),
        loss: None,
        quote: configuration.assets.name(instrument.quote).to_owned(),
    })
}

/// Logs the end of each position that `view`, the state which the last run left, has and that was closed while the desk
/// was down.
pub(super) fn start_closed_while_down(
    supervisor: &mut Supervisor,
    bus: &Bus,
    view: &DeskView,
    configuration: &Arc<Configuration>,
) {
    let recovered = Recovered::new(view, Arc::clone(configuration));
    let types = [
        EventType::PositionOpened,
        EventType::PositionClosed,
        EventType::Reconciled,
    ];
    let types = TypeSet::from_iter(types);
    let options = SubscriptionOptions::new("closed while down", Class::Lossless, types);
    let events = bus.subscribe(options);
    supervisor.start("closed while down", |stop| watch(recovered, events, stop));
}

async fn watch(
    mut recovered: Recovered,
    mut events: Subscription,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    while !recovered.is_done() {
        let received = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            received = events.recv() => received,
        };
        match received {
            Some(Received::Event(event)) => {
                if let Some(closed) = recovered.take(&event) {
                    log(&closed);
                }
            }
            Some(Received::Gap { .. }) => {}
            None => break,
        }
    }
    drop(events);
    stop.cancelled().await;
    Ok(())
}

fn log(closed: &Closed) {
    let Plan {
        bot,
        instrument,
        loss,
        quote,
    } = &closed.plan;
    let planned = loss.map_or_else(|| "none".to_owned(), |loss| loss.to_string());
    let loss = Amount(-closed.realized.0);
    if closed.while_down {
        tracing::warn!(bot, instrument, planned_loss = %planned, %loss, quote, "A position was closed while the desk was down.");
    } else {
        tracing::warn!(bot, instrument, planned_loss = %planned, %loss, quote, "A position of the last run was closed at the start.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_events::ExitView;
    use tradewind_model::{EventId, Price, Quantity, SideMode};
    use tradewind_testkit::{ACCOUNT, SPOT, bot};

    const BOT: BotId = BotId(0);

    fn configuration() -> Configuration {
        Configuration {
            bots: vec![bot(0)],
            ..tradewind_testkit::configuration()
        }
    }

    fn position(stop: Option<Price>, trailing: Option<Price>) -> PositionView {
        PositionView {
            account: ACCOUNT,
            owner: OwnerId::Bot(BOT),
            instrument: SPOT,
            quantity: Quantity(0),
            cost: Amount::whole(100),
            entry_price: None,
            opened_at: Timestamp::EPOCH,
            unrealized: None,
            realized: Amount::ZERO,
            exit: ExitView {
                stop,
                trailing,
                ..ExitView::default()
            },
            side_mode: SideMode::default(),
            margin: Amount::ZERO,
            protected: Quantity(0),
        }
    }

    fn at(second: i64, kind: EventKind) -> Event {
        Event {
            id: EventId::default(),
            at: Timestamp::from_secs(second),
            cause: None,
            kind,
        }
    }

    fn read() -> EventKind {
        EventKind::Reconciled {
            account: ACCOUNT,
            fills: 1,
            orders: 0,
        }
    }

    fn closed() -> EventKind {
        EventKind::PositionClosed {
            account: ACCOUNT,
            bot: Some(BOT),
            instrument: SPOT,
            realized: Amount::whole(-7),
        }
    }

    /// Whether the end of a position, among these events, is reported, and as closed while down.
    fn reported(held: &[PositionView], after: &[(i64, EventKind)]) -> Option<bool> {
        let view = DeskView {
            positions: held.to_vec(),
            ..DeskView::default()
        };
        let mut recovered = Recovered::new(&view, Arc::new(configuration()));
        let events = after.iter().map(|(second, kind)| at(*second, kind.clone()));
        let ends: Vec<_> = events.filter_map(|event| recovered.take(&event)).collect();
        assert!(ends.len() <= 1, "a position ends once");
        ends.first().map(|end| end.while_down)
    }

    #[test]
    fn a_position_that_ends_before_its_account_was_read_ended_while_the_desk_was_down() {
        let held = [position(None, None)];
        let reported = |after: &[(i64, EventKind)]| reported(&held, after);
        assert_eq!(reported(&[(5, closed()), (5, closed())]), Some(true));
        assert_eq!(reported(&[(5, read()), (65, closed())]), Some(false));
        assert_eq!(reported(&[(5, read()), (66, closed())]), None);
    }

    /// The last run may have died before it wrote a fill down.
    #[test]
    fn a_position_that_the_last_run_did_not_write_down_is_reported_too() {
        let opened = || EventKind::PositionOpened {
            account: ACCOUNT,
            bot: Some(BOT),
            instrument: SPOT,
            quantity: Quantity(1),
            price: Price(1),
        };
        assert_eq!(reported(&[], &[(5, opened()), (5, closed())]), Some(true));
        assert_eq!(
            reported(&[], &[(5, read()), (6, opened()), (7, closed())]),
            None
        );
    }

    #[test]
    fn the_plan_is_the_loss_at_the_nearer_stop() {
        let configuration = configuration();
        let instrument = &configuration.instruments[SPOT.index()];
        let price = |text: &str| instrument.parse_price(text).ok();
        let loss = |stop, trailing| {
            let position = PositionView {
                quantity: instrument.parse_quantity("1").unwrap(),
                ..position(stop, trailing)
            };
            plan(&position, &configuration).unwrap().loss
        };
        assert_eq!(loss(price("98"), None), Some(Amount::whole(2)));
        assert_eq!(loss(price("98"), price("99")), Some(Amount::whole(1)));
        assert_eq!(loss(None, None), None);
    }
}

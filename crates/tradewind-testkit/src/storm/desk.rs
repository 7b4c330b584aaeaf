//! The desk of the storm.

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_events::{Configuration, ExternalControl, Lane, WakeRule};
use tradewind_model::{
    Decimal, ExitPlan, Interval, LimitPolicy, OnExpiry, OnTimeout, OrderPolicy, Parameter, Ppm,
    Stop,
};

use super::Storm;
use crate::fixtures::{bot, configuration};

impl Storm {
    /// The desk of the storm: built-in strategies of every kind, one of which panics, one of which divides by zero, one of which
    /// has its own lane, and one of which an outside process steers.
    #[must_use]
    pub fn configuration() -> Configuration {
        let whole = |value| Parameter::Number(Decimal::whole(value));
        let named = |id: u32, strategy: &str| tradewind_events::BotConfig {
            strategy: strategy.to_owned(),
            ..bot(id)
        };
        let candles = vec![WakeRule::Candles(Interval::Minute1)];
        let mut cross = named(0, "ma_cross");
        cross.wakes = vec![WakeRule::Quotes];
        cross.exit = ExitPlan {
            stop: Stop::Distance(Ppm(5_000)),
            trailing: Some(Ppm(4_000)),
            take_profit: Some(Ppm(9_000)),
            take_profit_by: tradewind_model::TakeProfitBy::Market,
            time: Some(Duration::from_secs(600)),
            profit_by_age: vec![(Duration::from_secs(60), Ppm(2_000))],
        };
        cross.protections.cooldown = Some(Duration::from_secs(30));
        let mut patient = named(1, "ma_cross");
        patient.wakes = vec![WakeRule::Quotes];
        patient.parameters =
            BTreeMap::from([("fast".to_owned(), whole(3)), ("slow".to_owned(), whole(8))]);
        patient.policy = OrderPolicy::Limit(LimitPolicy {
            offset: Ppm(100),
            post_only: true,
            timeout: Some(Duration::from_secs(5)),
            chases: 2,
            then: OnTimeout::Cross,
            own_price: false,
        });
        let mut reversion = named(2, "rsi_reversion");
        reversion.wakes.clone_from(&candles);
        let mut timer = named(3, "momentum_timer");
        timer.wakes = vec![WakeRule::Every(Duration::from_secs(900))];
        let mut panics = named(4, "fault_panic");
        panics.wakes.clone_from(&candles);
        let mut slow = named(5, "ma_cross");
        slow.wakes = vec![WakeRule::Quotes];
        slow.lane = Lane::Thread;
        let mut divides = named(6, "fault_divide");
        divides.wakes = candles;
        let mut steered = named(7, "external");
        steered.wakes = vec![WakeRule::Quotes];
        steered.external = Some(ExternalControl {
            source: "signals".to_owned(),
            on_expiry: OnExpiry::Flat,
        });
        let bots = vec![
            cross, patient, reversion, timer, panics, slow, divides, steered,
        ];
        Configuration {
            bots,
            // Every quote is announced, so that a changed one shows even if no bot acts on it.
            announce_quotes: true,
            venue_stop_distance: None,
            ..configuration()
        }
    }
}

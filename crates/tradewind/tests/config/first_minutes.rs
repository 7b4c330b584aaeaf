//! The default desk on the generated market: what a user sees in the first five minutes, in virtual time.
//!
//! The engine, the risk gate and the matching core are the real ones, linked directly; what the sockets add is proved
//! elsewhere. A change of the bots, of a strategy or of the market that makes the first minutes dull fails here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tradewind::config::{AbsentInstruments, DeskConfig, Listing};
use tradewind_backtest::{Latency, Report, Setup, run_with};
use tradewind_engine::StrategySource;
use tradewind_model::{AccountId, Amount, Candle, Decision, Quote, VenueId};
use tradewind_simx::{ExchangeConfig, universe};
use tradewind_strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

use crate::market::Market;

const FIVE_MINUTES: Duration = Duration::from_secs(300);

#[test]
fn within_five_minutes_there_is_something_to_see() {
    for seed in [42, 7, 9] {
        let (report, seen) = run(seed, FIVE_MINUTES);
        let told = format!(
            "seed {seed}: {:?} bots signalled, {:?} traded, {report:?}",
            seen.signalled, seen.traded
        );
        assert!(seen.signalled.len() >= 20, "{told}");
        assert!(seen.traded.len() >= 4, "{told}");
        assert!(!report.denials.is_empty(), "{told}");
        assert!(report.partial_fills >= 1, "{told}");
        assert_eq!(report.bot_errors, 0, "{told}");
        assert_eq!(report.rejected, 0, "{told}");
    }
}

/// One seed of the acceptance of the written limits; `scripts/default-day` runs five for 24 hours.
#[test]
fn an_hour_at_the_written_limits_changes_no_state() {
    let (report, _) = run(42, Duration::from_secs(3_600));
    assert_eq!(report.state_changes, [] as [String; 0]);
    assert_eq!(report.bot_errors, 0);
    assert!(report.fills > 100, "{report:?}");
}

/// What was seen of the bots: names of those that signalled, strategies of those that held a position.
#[derive(Debug, Default)]
struct Seen {
    signalled: BTreeSet<String>,
    traded: BTreeSet<String>,
}

fn run(seed: u64, span: Duration) -> (Report, Seen) {
    let config = DeskConfig::load(None, &BTreeMap::new(), Listing::Generated).unwrap();
    let listed = universe("binance", VenueId(0));
    let usdt = listed.assets.find("USDT").unwrap();
    let configuration = config
        .resolve(
            &listed.instruments,
            listed.assets,
            AbsentInstruments::Refuse,
        )
        .unwrap();
    let mut market = Market::new(seed, span, &listed.instruments, &configuration);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let watched = Arc::clone(&seen);
    let strategies = StrategySource::new(move |bot| {
        let built =
            tradewind_strategy::build(&bot.strategy, &bot.parameters, bot.instruments.len());
        let strategy = built?;
        let (bot, rule) = (bot.name.clone(), bot.strategy.clone());
        Ok(Box::new(Watched {
            strategy,
            bot,
            rule,
            seen: Arc::clone(&watched),
        }))
    });
    let setup = Setup {
        balances: vec![(AccountId(0), usdt, Amount::whole(100_000))],
        configuration,
        exchange: ExchangeConfig::default(),
        latency: Latency::default(),
        fills_kept: Setup::FILLS_KEPT,
        past: Vec::new(),
    };
    let report = run_with(setup, strategies, &mut market).unwrap();
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    (report, seen)
}

/// A strategy that is watched: what it decides and holds is noted.
#[derive(Debug)]
struct Watched {
    strategy: Box<dyn Strategy>,
    bot: String,
    rule: String,
    seen: Arc<Mutex<Seen>>,
}

impl Watched {
    fn note(
        &self,
        view: &View<'_>,
        decided: Result<Decision, StrategyError>,
    ) -> Result<Decision, StrategyError> {
        let mut seen = self.seen.lock().unwrap();
        if matches!(decided, Ok(Decision::Target(_))) {
            seen.signalled.insert(self.bot.clone());
        }
        if !view.position.quantity.is_zero() {
            seen.traded.insert(self.rule.clone());
        }
        decided
    }
}

impl Strategy for Watched {
    fn timeframes(&self) -> Vec<WarmUp> {
        self.strategy.timeframes()
    }

    fn on_quote(&mut self, view: &View<'_>, quote: &Quote) -> Result<Decision, StrategyError> {
        let decided = self.strategy.on_quote(view, quote);
        self.note(view, decided)
    }

    fn on_candle(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        let decided = self.strategy.on_candle(view, candle);
        let is_past = view.at.since(candle.close_time()) > Duration::from_millis(500);
        if is_past {
            decided
        } else {
            self.note(view, decided)
        }
    }

    fn on_timer(&mut self, view: &View<'_>) -> Result<Decision, StrategyError> {
        let decided = self.strategy.on_timer(view);
        self.note(view, decided)
    }

    fn save(&self) -> Vec<u8> {
        self.strategy.save()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), RestoreError> {
        self.strategy.restore(state)
    }
}

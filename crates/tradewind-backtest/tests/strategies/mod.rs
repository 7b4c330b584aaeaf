//! A strategy that ignores the market.

use tradewind_model::{Candle, Decision, Interval, Ppm, Quantity, Reason, Target};
use tradewind_strategy::{RestoreError, Strategy, StrategyError, View, WarmUp};

/// Enters whenever it is flat, from the second candle on, as backtesting.py lets a strategy.
#[derive(Debug)]
pub(crate) struct BlindEntries {
    interval: Interval,
    candles: u32,
}

impl BlindEntries {
    pub(crate) const fn on(interval: Interval) -> Self {
        Self {
            interval,
            candles: 0,
        }
    }
}

impl Strategy for BlindEntries {
    fn timeframes(&self) -> Vec<WarmUp> {
        vec![WarmUp {
            interval: self.interval,
            candles: 0,
        }]
    }

    fn on_candle(&mut self, view: &View<'_>, _: &Candle) -> Result<Decision, StrategyError> {
        self.candles += 1;
        let reason = Reason::plain("blind");
        if self.candles < 2 || view.position.quantity != Quantity::ZERO {
            return Ok(Decision::Hold { reason });
        }
        Ok(Decision::Target(Target {
            adds: false,
            exposure: Ppm::ONE,
            limit: None,
            exit: None,
            reason,
        }))
    }

    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&mut self, _: &[u8]) -> Result<(), RestoreError> {
        Ok(())
    }
}

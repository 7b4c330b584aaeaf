//! The desk with one strategy more: it is long after a candle that closed above its open, and flat after another.

use std::collections::BTreeMap;
use std::process::ExitCode;

use tradewind_model::{Candle, Decision, Interval, Parameter, Ppm, Reason, Target};
use tradewind_strategy::{
    BuildError, RestoreError, Strategy, StrategyError, StrategyInfo, View, WakesOn, WarmUp, add,
};

const INFO: StrategyInfo = StrategyInfo {
    name: "close_above_open",
    version: 1,
    description: "Long after a candle that closed above its open.",
    wakes_on: WakesOn::Candles,
    parameters: &[],
    for_tests: false,
    build: |_: &BTreeMap<String, Parameter>, _: usize| -> Result<Box<dyn Strategy>, BuildError> {
        Ok(Box::new(CloseAboveOpen))
    },
};

#[derive(Debug)]
struct CloseAboveOpen;

impl Strategy for CloseAboveOpen {
    fn timeframes(&self) -> Vec<WarmUp> {
        vec![WarmUp {
            interval: Interval::Minute5,
            candles: 0,
        }]
    }

    fn on_candle(&mut self, _: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        let is_up = candle.close > candle.open;
        Ok(Decision::Target(Target {
            adds: false,
            exposure: if is_up { Ppm::ONE } else { Ppm::ZERO },
            limit: None,
            exit: None,
            reason: Reason::plain(if is_up {
                "closed above its open"
            } else {
                "did not"
            }),
        }))
    }

    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&mut self, _: &[u8]) -> Result<(), RestoreError> {
        Ok(())
    }
}

fn main() -> ExitCode {
    add(vec![INFO]).expect("the name is new");
    tradewind::cli::main(tradewind::app::run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_finds_it_by_its_name() {
        add(vec![INFO]).expect("the name is new");
        let built = tradewind_strategy::build("close_above_open", &BTreeMap::new(), 1);
        assert_eq!(built.expect("it has no parameters").timeframes().len(), 1);
        assert!(add(Vec::new()).is_err());
    }
}

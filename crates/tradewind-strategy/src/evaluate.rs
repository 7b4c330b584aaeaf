//! One call of a strategy, wherever it runs, with its panic caught.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tradewind_model::{Candle, Decision, Wake};

use crate::reads::Role;
use crate::strategy::{Strategy, StrategyError, View};

/// The result of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Evaluated {
    /// It decided; `None` if there was nothing to call it with: a wake by quote without a quote.
    Decided(Option<Decision>),
    /// It returned an error and continues.
    Failed(StrategyError),
    /// It decided for this instrument, which its bot only reads.
    NotTraded(String),
    /// It panicked with this message. Its state is not to be used any more.
    Panicked(String),
}

/// Calls the method of `strategy` that belongs to `wake`. `candle` is the one that closed, for a candle wake.
#[inline]
pub fn evaluate(
    strategy: &mut dyn Strategy,
    view: &View<'_>,
    wake: Wake,
    candle: Option<&Candle>,
) -> Evaluated {
    let call = || match (wake, candle, view.quote) {
        (Wake::Quote, _, Some(quote)) => strategy.on_quote(view, quote).map(Some),
        (Wake::Candle(_), Some(candle), _) => strategy.on_candle(view, candle).map(Some),
        (Wake::Timer, _, _) => strategy.on_timer(view).map(Some),
        (Wake::Target, _, _) => strategy.on_target(view).map(Some),
        (Wake::ReadQuote(id) | Wake::ReadCandle(id, _), candle, _) => {
            let read = view.reads.of(id);
            read.map_or(Ok(None), |read| {
                strategy.on_read(view, &read, candle).map(Some)
            })
        }
        (Wake::Quote | Wake::Candle(_), _, _) => Ok(None),
    };
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(Some(Decision::Target(_) | Decision::Orders(_) | Decision::MoveStop { .. })))
            if view.role == Role::Read =>
        {
            Evaluated::NotTraded(view.instrument.name.clone())
        }
        Ok(Ok(decision)) => Evaluated::Decided(decision),
        Ok(Err(error)) => Evaluated::Failed(error),
        Err(panic) => Evaluated::Panicked(message(&*panic)),
    }
}

/// The message of a panic.
#[cold]
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without a word".to_owned())
}

//! The summary at shutdown, and at a start that is killed: each open position, and whether a stop protects it.

use std::fmt::Write as _;

use tradewind_events::{Configuration, DeskView};
use tradewind_model::{OwnerId, Quantity};

/// One line per open position.
#[must_use]
pub(crate) fn text(view: &DeskView, configuration: &Configuration) -> String {
    if view.positions.is_empty() {
        return "No positions are open.".to_owned();
    }
    let mut text = format!("{} positions are open:", view.positions.len());
    for position in &view.positions {
        let instrument = &configuration.instruments[position.instrument.index()];
        let owner = match position.owner {
            OwnerId::Bot(bot) => configuration
                .bots
                .get(bot.index())
                .map_or("?", |bot| bot.name.as_str()),
            OwnerId::Unallocated => "opened by hand",
            OwnerId::Dust | OwnerId::Fees | OwnerId::External => "not the desk's",
        };
        let bare = Quantity(position.quantity.abs().0 - position.protected.0);
        let price = position.entry_price.unwrap_or_default();
        // A fee in the asset that was bought, for one: worth too little for a stop of its own.
        let is_covered = bare.0 <= 0
            || (instrument.notional(price, bare))
                .is_some_and(|worth| worth < instrument.notional_min);
        let protection = if !position.exit.is_protected() {
            "no stop: not protected"
        } else if is_covered && !position.protected.is_zero() {
            "a stop at the venue protects it"
        } else if position.protected.is_zero() {
            "only the desk watches its stop: not protected while the desk is down"
        } else {
            "a stop at the venue protects a part of it while the desk is down"
        };
        let quantity = instrument.quantity_text(position.quantity);
        write!(
            text,
            "\n  {owner}: {quantity} {} ({protection})",
            instrument.name
        )
        .expect("writing to a String cannot fail");
    }
    text
}

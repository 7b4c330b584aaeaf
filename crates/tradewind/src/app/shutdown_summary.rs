//! The summary at shutdown: each open position, and whether a stop protects it.

use std::fmt::Write as _;

use tradewind_events::{Configuration, DeskView};
use tradewind_model::OwnerId;

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
        let protection = if !position.exit.is_protected() {
            "no stop: not protected"
        } else if position.protected >= position.quantity.abs() {
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

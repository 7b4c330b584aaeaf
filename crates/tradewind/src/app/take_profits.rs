//! Take profits that are to rest at a venue and cannot.

use tradewind_events::Configuration;
use tradewind_model::TakeProfitBy;

/// A line for each bot whose take profit is to be a limit order where the venue keeps no pairs: the desk takes it at market.
pub(super) fn at_market(configuration: &Configuration) -> Vec<String> {
    let wanting = configuration
        .bots
        .iter()
        .filter(|bot| bot.exit.take_profit_by == TakeProfitBy::Limit);
    let lines = wanting.filter_map(|bot| {
        let all = bot.instruments.iter();
        let lacking = all.map(|id| configuration.instrument(*id));
        let lacking =
            lacking.filter(|it| !it.takes_pairs || configuration.venue_stop_distance.is_none());
        let names: Vec<&str> = lacking.map(|it| it.name.as_str()).collect();
        (!names.is_empty()).then(|| {
            format!(
                "{}: its take profit in {} is sold at market, because no pair with a stop can rest at the venue.",
                bot.name,
                names.join(", ")
            )
        })
    });
    lines.collect()
}

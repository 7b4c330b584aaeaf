//! The candidates of universes that name none: what the venue lists when the desk starts.

use std::sync::Arc;

use anyhow::bail;
use tradewind_events::Configuration;
use tradewind_model::{Clock, VenueId};

use super::bans::Bans;
use super::reading::listings;
use super::venue::connector;
use crate::cli::MarketSource;
use crate::config::DeskConfig;

/// The configuration with the candidates of each bot. A venue is read only where a bot lacks them.
///
/// # Errors
/// The venue bans this address for long, or does not answer; a bot has no candidate or too many.
pub(super) async fn with_candidates(
    config: DeskConfig,
    (market, known): (&MarketSource, &Configuration),
    clock: &Arc<dyn Clock>,
    bans: &Bans,
) -> anyhow::Result<DeskConfig> {
    if !config.lacks_candidates() {
        return Ok(config);
    }
    let (MarketSource::Venue(_) | MarketSource::Live(_)) = market else {
        bail!(
            "{}: a bot chooses its instruments and names no candidates; recorded prices have no list of them: write among = [\"BTC/USDT\", \"ETH/USDT\"] in its instruments",
            config.file
        );
    };
    let mut listed = Vec::new();
    for venue in (0..).map(VenueId).zip(&config.venues) {
        if config.lacks_candidates_of(&venue.1.name) {
            let way = connector(venue.1)?;
            listed.extend(listings(&config, venue, way, clock, bans).await?.1);
        }
    }
    let of_last_run = |bot: &str| {
        let mut bots = known.bots.iter();
        let bot = bots.find(|one| one.name == bot);
        let instruments = bot.map(|bot| bot.instruments.iter());
        let instruments = instruments.into_iter().flatten();
        let names = instruments.map(|one| known.instrument(*one).name.clone());
        names.collect()
    };
    Ok(config.with_candidates(&listed, of_last_run)?)
}

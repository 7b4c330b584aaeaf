//! The candidates of universes that name none: what the venue lists when the desk starts.

use std::sync::Arc;

use anyhow::{Context as _, bail};
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
    market: &MarketSource,
    clock: &Arc<dyn Clock>,
    bans: &Bans,
) -> anyhow::Result<DeskConfig> {
    if !config.lacks_candidates() {
        return Ok(config);
    }
    let (MarketSource::Venue(name) | MarketSource::Live(name)) = market else {
        bail!(
            "{}: a bot chooses its instruments and names no candidates; recorded prices have no list of them: write among = [\"BTC/USDT\", \"ETH/USDT\"] in its instruments",
            config.file
        );
    };
    let mut venues = (0..).map(VenueId).zip(&config.venues);
    let venue = venues.find(|(_, venue)| venue.name == *name);
    let venue = venue.with_context(|| format!("{} has no venue {name}", config.file))?;
    let way = connector(venue.1)?;
    let (_, listed) = listings(&config, venue, way, clock, bans).await?;
    Ok(config.with_candidates(&listed)?)
}

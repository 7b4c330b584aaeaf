//! The top of a book over REST, which confirms that a quiet instrument is quiet.

use tradewind_model::{Depth, InstrumentId};

use super::codec::decode_book_snapshot;
use super::requests::Params;
use super::rest::{Call, Security};
use super::venue::{BinanceVenue, known};
use crate::book::Levels;
use crate::budget::Priority;
use crate::error::VenueError;
use crate::wire::http::Method;

/// Levels a side.
const LEVELS: u32 = 20;

impl BinanceVenue {
    /// The best 20 levels of each side.
    ///
    /// # Errors
    /// See [`VenueError`].
    pub async fn book(&self, instrument: InstrumentId) -> Result<Box<Depth>, VenueError> {
        let symbols = self.symbols();
        let (symbol, rules) = known(&symbols, instrument)?;
        let call = Call {
            method: Method::Get,
            path: "/api/v3/depth".into(),
            params: Params::of("symbol", symbol).with_number("limit", LEVELS),
            security: Security::Public,
            priority: Priority::Data,
            weight: 5,
        };
        let body = self.rest.read(&call).await?;
        let mut levels = Levels::default();
        decode_book_snapshot(&body, rules, &mut levels)
            .map_err(|_| VenueError::unreadable("book", "it is none"))?;
        Ok(Box::new(Depth {
            instrument,
            bids: levels.bids,
            asks: levels.asks,
            received_at: self.clock.now(),
        }))
    }
}

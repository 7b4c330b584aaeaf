//! Frames of a venue that were recorded, read as its connection read them: for importing recordings.
//!
//! Nothing is requested, so a book that is lost stays lost until the recording has its next snapshot.

use std::sync::Arc;

use tradewind_model::{MarketEvent, Timestamp};

use crate::address::{Address, Scheme};
use crate::error::VenueError;
use crate::okx::Endpoint;
use crate::protocol::{Incoming, Topic};
use crate::public_session::{PublicSession, Spelling};
use crate::symbols::SymbolTable;
use crate::venue::VenueKind;
use crate::{bybit, coinbase, kraken, okx};

/// Reads the frames of one connection.
pub trait FrameReader: Send {
    /// Reads a frame.
    fn read(
        &mut self,
        frame: &[u8],
        received_at: Timestamp,
        on: &mut dyn FnMut(Incoming<MarketEvent>),
    );
}

impl<S: Spelling> FrameReader for PublicSession<S> {
    fn read(
        &mut self,
        frame: &[u8],
        received_at: Timestamp,
        mut on: &mut dyn FnMut(Incoming<MarketEvent>),
    ) {
        self.text(frame, received_at, &mut on);
    }
}

/// A reader of frames of a venue that is read without an account.
///
/// # Errors
/// [`VenueError::Ours`] for a venue that is used through an account.
pub fn frame_reader(
    kind: VenueKind,
    symbols: Arc<SymbolTable>,
) -> Result<Box<dyn FrameReader>, VenueError> {
    // Of a connection that is never opened.
    let address = Address::parse("ws://127.0.0.1", Scheme::WebSocket)
        .map_err(|error| VenueError::Ours(error.to_string()))?;
    let books: Vec<Topic> = symbols
        .instruments()
        .map(|instrument| Topic::Depth(instrument.id))
        .collect();
    Ok(match kind {
        VenueKind::Okx => keeping(
            okx::MarketProtocol::new(address, Endpoint::Public, symbols),
            &books,
        ),
        VenueKind::Bybit => keeping(bybit::MarketProtocol::new(address, symbols), &books),
        VenueKind::Kraken => keeping(kraken::MarketProtocol::new(address, symbols), &books),
        VenueKind::Coinbase => keeping(coinbase::MarketProtocol::new(address, symbols), &books),
        VenueKind::Binance => {
            let why = "frames of Binance are read as captures";
            return Err(VenueError::Ours(why.to_owned()));
        }
    })
}

fn keeping<S: Spelling>(mut session: PublicSession<S>, books: &[Topic]) -> Box<dyn FrameReader> {
    session.keep_books(books);
    Box::new(session)
}

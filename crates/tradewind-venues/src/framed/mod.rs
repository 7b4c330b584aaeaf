//! A second, trivial [`Protocol`](crate::Protocol): length-prefixed binary frames over TCP.
//!
//! It exists to keep the seam honest, and as a start for a feed of one's own: quotes and trades by instrument id, no
//! symbols, no encryption, this machine only.

mod codec;
mod session;

pub use codec::{BadFrame, FRAME_BYTES_MAX, Frame, decode, encode};
pub use session::FramedProtocol;

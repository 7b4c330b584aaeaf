//! Length-prefixed frames over TCP, version 2: a number in every frame, a login that names the first number wanted.

mod codec;
mod session;

pub use codec::{
    BadFrame, FRAME_BYTES_MAX, Frame, NumberFrame, QuoteFrame, TargetFrame, TradeFrame, VERSION,
    Wanted, decode, encode,
};
pub use session::TcpProtocol;

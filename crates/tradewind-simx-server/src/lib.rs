//! The simulated exchange behind Binance's wire: REST, streams, user data, persistence.

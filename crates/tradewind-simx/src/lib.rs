//! The simulated exchange's core: matching, balances, fees, filters, the generated market.

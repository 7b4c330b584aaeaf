//! Pre-trade checks, limits, trading states: the only maker of sendable orders.

//! History, the simulated exchange and the engine under a virtual clock.

//! What goes into the engine, what comes out of it, and what it announces.

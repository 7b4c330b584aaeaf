//! The desk: configuration, wiring, supervision and the command line.

//! The pure engine: inputs in, outputs out, the only writer of trading state.

//! Venue adapters: pure protocol machines under a thin tokio shell.

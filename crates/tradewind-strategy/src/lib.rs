//! The Strategy trait, its read-only view, and the built-in strategies.

//! Incremental technical indicators: numbers in, numbers out.

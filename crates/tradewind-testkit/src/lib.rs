//! Builders, fixtures and loaders shared by tests.

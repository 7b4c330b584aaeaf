//! HTTP, server-sent events, OpenAPI and metrics: the desk's face to programs and browsers.

pub mod wire;

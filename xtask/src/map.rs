//! The map of the workspace as data: which crate may use which, what the core may link, who may open a connection.
//!
//! ARCHITECTURE.md says it in words. A new row here is a design change: its own commit, with its reason there.

/// On which side of the line a crate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ring {
    /// Pure: no I/O, no clock, no randomness of its own.
    Core,
    /// Turns the world into inputs and outputs into effects.
    Edge,
    /// Wires the others together.
    Top,
}

/// One crate and the crates of the workspace that it may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) ring: Ring,
    pub(crate) may_use: &'static [&'static str],
}

const fn row(name: &'static str, ring: Ring, may_use: &'static [&'static str]) -> Row {
    Row {
        name,
        ring,
        may_use,
    }
}

/// The arrows. A test may also use whatever its crate reaches through them, and [`TESTKIT`].
#[rustfmt::skip] // one row a crate, so that the map can be read as one
pub(crate) const MAP: [Row; 23] = [
    row("tradewind-model", Ring::Core, &[]),
    row("tradewind-indicators", Ring::Core, &[]),
    row("tradewind-strategy", Ring::Core, &["tradewind-model", "tradewind-indicators"]),
    row("tradewind-rules", Ring::Core, &["tradewind-model", "tradewind-indicators", "tradewind-strategy"]),
    row("tradewind-portfolio", Ring::Core, &["tradewind-model"]),
    row("tradewind-risk", Ring::Core, &["tradewind-model"]),
    row("tradewind-events", Ring::Core, &["tradewind-model", "tradewind-risk"]),
    row("tradewind-engine", Ring::Core, &[
        "tradewind-model", "tradewind-indicators", "tradewind-strategy", "tradewind-rules", "tradewind-portfolio", "tradewind-risk", "tradewind-events",
    ]),
    row("tradewind-driver", Ring::Core, &["tradewind-model", "tradewind-risk", "tradewind-events", "tradewind-engine"]),
    row("tradewind-simx", Ring::Core, &["tradewind-model"]),
    row("tradewind-bus", Ring::Edge, &["tradewind-model", "tradewind-events"]),
    row("tradewind-journal", Ring::Edge, &["tradewind-model", "tradewind-events"]),
    // The seal on an order is risk's: an adapter takes nothing else. Nor does it know inputs: its sinks speak the model.
    row("tradewind-venues", Ring::Edge, &["tradewind-model", "tradewind-risk"]),
    // Files of market data, and nothing else: no socket, no engine.
    row("tradewind-data", Ring::Edge, &["tradewind-model"]),
    // Recorded data is played from files, and one reader reads them for all who do that.
    row("tradewind-simx-server", Ring::Edge, &["tradewind-model", "tradewind-simx", "tradewind-data"]),
    row("tradewind-storage", Ring::Edge, &["tradewind-model", "tradewind-events"]),
    // The other arrow between edges that is not to the bus: the API reads history from the projection. It names risk's words: views hold them.
    row("tradewind-api", Ring::Edge, &["tradewind-model", "tradewind-risk", "tradewind-events", "tradewind-bus", "tradewind-storage"]),
    row("tradewind-telegram", Ring::Edge, &["tradewind-model", "tradewind-events", "tradewind-bus"]),
    // It is one more strategy to the engine: it speaks of bots and views, and starts what computes.
    row("tradewind-process", Ring::Edge, &["tradewind-model", "tradewind-strategy", "tradewind-rules", "tradewind-events"]),
    row("tradewind-backtest", Ring::Top, &[
        "tradewind-model", "tradewind-strategy", "tradewind-rules", "tradewind-portfolio", "tradewind-risk", "tradewind-events", "tradewind-engine",
        "tradewind-driver", "tradewind-simx", "tradewind-data",
    ]),
    row(TESTKIT, Ring::Top, &["tradewind-model", "tradewind-events", "tradewind-risk", "tradewind-engine", "tradewind-driver", "tradewind-strategy"]),
    row("tradewind", Ring::Top, &[
        "tradewind-model", "tradewind-indicators", "tradewind-strategy", "tradewind-rules", "tradewind-portfolio", "tradewind-risk", "tradewind-events",
        "tradewind-engine", "tradewind-driver", "tradewind-simx", "tradewind-data", "tradewind-bus", "tradewind-journal", "tradewind-venues", "tradewind-simx-server",
        "tradewind-storage", "tradewind-api", "tradewind-telegram", "tradewind-process", "tradewind-backtest",
    ]),
    // The binary's own functions assemble the desk there; nothing that is installed links it.
    row("tradewind-sim", Ring::Top, &[
        "tradewind-model", "tradewind-risk", "tradewind-events", "tradewind-engine", "tradewind-simx", "tradewind-bus",
        "tradewind-journal", "tradewind-venues", "tradewind-simx-server", "tradewind",
    ]),
];

/// Builders and fixtures: every crate's tests may use it, no crate's code may.
pub(crate) const TESTKIT: &str = "tradewind-testkit";

/// Pairs that must not meet even in a test: they talk over TCP, so that the simulated exchange is reached as a real one is.
pub(crate) const STRANGERS: [(&str, &str); 2] = [
    ("tradewind-venues", "tradewind-simx"),
    ("tradewind-venues", "tradewind-simx-server"),
];

/// What a core crate may link from outside the workspace.
pub(crate) const CORE_MAY_LINK: [&str; 7] = [
    "serde",        // derives only: what is journaled can be written down
    "thiserror",    // derives only
    "jiff",         // calendar arithmetic; its clock is banned by the crate's clippy.toml
    "rand_xoshiro", // one named generator, seeded by the caller
    "hashbrown",    // a table without iteration, with our own hash; see simx/src/table.rs
    "libm",         // the same last digit on every platform
    "rmp-serde",    // a strategy's saved state, to memory; keeps every bit of an f64
];

/// What must not lie anywhere beneath a core crate, however it got there.
pub(crate) const NEVER_BENEATH_CORE: [&str; 12] = [
    "tokio",
    "mio",
    "socket2",
    "async-std",
    "smol",
    "hyper",
    "axum",
    "reqwest",
    "rusqlite",
    "rand",
    "getrandom",
    "fastrand",
];

/// Crates that open HTTP or WebSocket connections.
pub(crate) const CLIENTS: [&str; 13] = [
    "reqwest",
    "tokio-tungstenite",
    "tungstenite",
    "hyper",
    "hyper-util",
    "ureq",
    "isahc",
    "curl",
    "attohttpc",
    "surf",
    "awc",
    "async-tungstenite",
    "fastwebsockets",
];

/// Those of [`CLIENTS`] that no server needs, so that finding one beneath a crate means somebody there is a client.
pub(crate) const PURE_CLIENTS: [&str; 7] = [
    "reqwest",
    "ureq",
    "isahc",
    "curl",
    "attohttpc",
    "surf",
    "awc",
];

/// Who may link which client, and why: Law 8 is this table.
pub(crate) const MAY_CONNECT: [(&str, &[&str], &str); 4] = [
    (
        "tradewind-venues",
        &["tungstenite"],
        "venues, real and simulated, by the same code: frame headers over buffers; every socket opens through its Connector",
    ),
    (
        "tradewind-simx-server",
        &["tungstenite"],
        "the server's role over buffers, for the exchange without sockets; it opens no connection",
    ),
    (
        "tradewind-telegram",
        &["reqwest"],
        "the Bot API, and nothing else",
    ),
    (
        "tradewind",
        &["reqwest"],
        "the command line as a client of the desk's own API; builds the client that Telegram is handed",
    ),
];

/// Banned from the build, with the reason; `deny.toml` says the same to cargo-deny.
pub(crate) const BANNED: [(&str, &str); 8] = [
    ("aws-lc-sys", "use ring: this one needs cmake and 12 s more"),
    (
        "openssl-sys",
        "use rustls: no OpenSSL on the user's machine",
    ),
    ("native-tls", "use rustls: one TLS stack with its own roots"),
    (
        "bincode",
        "use rmp-serde with named fields: records must survive a new field",
    ),
    ("kanal", "use tokio's or crossbeam's channels"),
    ("sled", "use SQLite or the journal"),
    ("chrono", "use jiff at the edges and nanoseconds inside"),
    (
        "utoipa-swagger-ui",
        "serve openapi.json alone: this one downloads during the build",
    ),
];

/// Crates of which one version is enough.
pub(crate) const SINGLE: [&str; 4] = ["reqwest", "rustls", "tungstenite", "libsqlite3-sys"];

/// The row of a crate.
pub(crate) fn row_of(name: &str) -> Option<&'static Row> {
    MAP.iter().find(|row| row.name == name)
}

/// Where a crate of the workspace keeps its manifest.
pub(crate) fn manifest_path(name: &str) -> String {
    format!("crates/{name}/Cargo.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_arrow_points_to_a_row_and_the_map_has_no_cycle() {
        for (index, row) in MAP.iter().enumerate() {
            for used in row.may_use {
                let position = MAP.iter().position(|other| other.name == *used);
                assert!(
                    position.is_some_and(|position| position < index),
                    "{} → {used}: rows go from the bottom up",
                    row.name
                );
            }
        }
    }

    #[test]
    fn the_core_uses_only_the_core() {
        for row in MAP.iter().filter(|row| row.ring == Ring::Core) {
            assert!(
                row.may_use
                    .iter()
                    .all(|used| row_of(used).is_some_and(|used| used.ring == Ring::Core)),
                "{}",
                row.name
            );
        }
    }

    #[test]
    fn edges_meet_in_the_binary_with_the_written_exceptions() {
        for row in MAP.iter().filter(|row| row.ring == Ring::Edge) {
            let edges: Vec<_> = row
                .may_use
                .iter()
                .filter(|used| row_of(used).is_some_and(|used| used.ring == Ring::Edge))
                .collect();
            let allowed: &[&str] = match row.name {
                "tradewind-api" => &["tradewind-bus", "tradewind-storage"],
                "tradewind-telegram" => &["tradewind-bus"],
                "tradewind-simx-server" => &["tradewind-data"],
                _ => &[],
            };
            assert!(
                edges.iter().all(|edge| allowed.contains(edge)),
                "{} uses {edges:?}",
                row.name
            );
        }
    }
}

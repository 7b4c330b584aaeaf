//! The built desk as a process: started, watched through its API, killed, and held to what it promises.
//!
//! Nothing here reaches into the desk: what a test knows it read from the API, the command line, the file system or the
//! exchange's own interface. The tests take minutes of real time, mostly waiting, so they are no part of a plain
//! `cargo test`: `scripts/e2e` runs them, side by side.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

mod amounts;
mod applied;
mod bans;
mod books;
mod builds;
mod certify;
mod clean_start;
mod clock_steps;
mod crash_points;
mod crashes;
mod crashes_live;
mod descriptors;
mod desk;
mod desk_soak;
mod disks;
mod draws;
mod drill;
mod eight_sources;
mod exchange;
mod fast_bots;
mod faults;
mod feed_book;
mod feed_server;
mod feed_words;
mod feeds;
mod flood;
mod gap;
mod http;
mod identity;
mod in_flight;
mod keys;
mod kill_unanswered;
mod killing;
mod killing_unread;
mod latency;
mod leaving;
mod lines;
mod live;
mod live_desk;
mod meters;
mod mirror;
mod passage;
mod past;
mod paused;
mod peaks;
mod python;
mod rebuilt;
mod recorded;
mod recording;
mod refusals;
mod rehearsal;
mod relay;
mod replays;
mod respawn;
mod restart;
mod round_trips;
mod secrets;
mod shim;
mod simx;
mod sources;
mod start_readings;
mod steered;
mod stopping;
mod stops;
mod two_recordings;
mod unanswered;
mod wiretap;

// The whole desk on virtual time makes pasts for `restart.rs`.
#[path = "../../../tradewind-sim/src/checks.rs"]
mod checks;
#[path = "../../../tradewind-sim/src/evidence.rs"]
#[expect(dead_code, reason = "nothing goes wrong while a past is made")]
mod evidence;
#[path = "../../../tradewind-sim/src/executor.rs"]
mod executor;
#[path = "../../../tradewind-sim/src/hostile.rs"]
#[expect(dead_code, reason = "nothing goes wrong while a past is made")]
mod hostile;
#[path = "../../../tradewind-sim/src/listener.rs"]
#[expect(dead_code, reason = "nothing goes wrong while a past is made")]
mod listener;
#[path = "../../../tradewind-sim/src/network.rs"]
#[expect(dead_code, reason = "nothing goes wrong while a past is made")]
mod network;
#[path = "../../../tradewind-sim/src/syncs.rs"]
#[expect(dead_code, reason = "nothing goes wrong while a past is made")]
mod syncs;
#[path = "../../../tradewind-sim/src/wall.rs"]
#[expect(dead_code, reason = "nothing goes wrong while a past is made")]
mod wall;
#[path = "../../../tradewind-sim/src/watched.rs"]
mod watched;
#[path = "../../../tradewind-sim/src/world/mod.rs"]
#[expect(dead_code, reason = "nothing goes wrong while a past is made")]
mod world;

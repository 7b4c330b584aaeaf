//! Keeping one connection up: when to open it, when it is dead, how long to wait before trying again.
//!
//! A machine without I/O, shared by all venues. Every kind of failure, at whatever moment, ends in `lose` and so
//! in the one waiting loop. What travels over the connection is somebody else's concern.

use std::time::Duration;

use crate::backoff::Backoff;

/// The periods that govern a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// Longest a connect may take, name resolution and handshakes included.
    pub connect_within: Duration,
    /// How often we ping.
    pub ping_every: Duration,
    /// Longest to wait for the pong.
    pub pong_within: Duration,
    /// Longest a busy stream may be silent; `None` for one that may have nothing to say.
    pub silence_max: Option<Duration>,
    /// How long data must flow before the back-off starts over.
    pub healthy_after: Duration,
    /// First ceiling of the back-off.
    pub backoff_first: Duration,
    /// Last ceiling of the back-off.
    pub backoff_cap: Duration,
    /// Age at which a successor is opened; Binance closes a connection after 24 h.
    pub renew_after: Duration,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            connect_within: Duration::from_secs(10),
            ping_every: Duration::from_secs(20),
            pong_within: Duration::from_secs(10),
            silence_max: Some(Duration::from_secs(10)),
            healthy_after: Duration::from_secs(60),
            backoff_first: Duration::from_secs(1),
            backoff_cap: Duration::from_secs(60),
            renew_after: Duration::from_secs(23 * 3600 + 50 * 60),
        }
    }
}

/// Why a connection was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LossReason {
    /// It could not be opened, in the transport's words.
    NotOpened(String),
    /// The transport broke or the other side closed it.
    Broken(String),
    /// It took too long to open.
    ConnectTimeout,
    /// A ping was not answered.
    NoPong,
    /// A busy stream fell silent.
    Silent,
}

impl std::fmt::Display for LossReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotOpened(why) => write!(f, "not opened: {why}"),
            Self::Broken(why) => write!(f, "broken: {why}"),
            Self::ConnectTimeout => f.write_str("no connection in time"),
            Self::NoPong => f.write_str("ping not answered"),
            Self::Silent => f.write_str("no data"),
        }
    }
}

/// What happened to the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionIn {
    /// It is wanted from now on.
    Start,
    /// It is not wanted any more.
    Stop,
    /// It opened.
    Opened,
    /// It could not be opened or it broke.
    Lost(LossReason),
    /// Data arrived.
    Data,
    /// A pong arrived.
    Pong,
    /// The venue announced that it will close the connection.
    ClosingSoon,
    /// Time passed.
    Tick,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionOut {
    /// Open it.
    Open,
    /// Send a ping.
    Ping,
    /// Drop the socket, if there is one.
    Close,
    /// It is down; the next attempt follows after the wait.
    Down {
        /// Why.
        reason: LossReason,
        /// The wait.
        retry_in: Duration,
    },
    /// Its end is near: open a successor, and keep this one until that one is ready.
    Renew,
}

#[derive(Clone, Debug)]
enum Phase {
    Stopped,
    Opening { since: Duration },
    Up(Up),
    Waiting { until: Duration },
}

#[derive(Clone, Debug)]
struct Up {
    since: Duration,
    next_ping: Duration,
    pinged: Option<Duration>,
    last_data: Duration,
    healthy_since: Option<Duration>,
    renewing: bool,
}

/// One connection's life.
#[derive(Clone, Debug)]
pub struct Connection {
    settings: ConnectionSettings,
    phase: Phase,
    backoff: Backoff,
}

impl Connection {
    /// A connection that is not wanted yet.
    #[must_use]
    pub fn new(settings: ConnectionSettings, seed: u64) -> Self {
        Self {
            settings,
            phase: Phase::Stopped,
            backoff: Backoff::new(settings.backoff_first, settings.backoff_cap, seed),
        }
    }

    /// Takes an input of time `now` and emits the resulting actions, in order.
    pub fn handle(&mut self, now: Duration, input: ConnectionIn, out: &mut Vec<ConnectionOut>) {
        match input {
            ConnectionIn::Start => self.start(now, out),
            ConnectionIn::Stop => self.stop(out),
            ConnectionIn::Opened => self.opened(now),
            ConnectionIn::Lost(reason) => self.lose(now, reason, out),
            ConnectionIn::Data => self.data(now),
            ConnectionIn::Pong => self.pong(now),
            ConnectionIn::ClosingSoon => self.renew(out),
            ConnectionIn::Tick => self.tick(now, out),
        }
    }

    /// When the next tick is due, if anything waits for one.
    #[must_use]
    pub fn wake_at(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Stopped => None,
            Phase::Opening { since } => Some(*since + self.settings.connect_within),
            Phase::Waiting { until } => Some(*until),
            Phase::Up(up) => self.next_deadline(up),
        }
    }

    /// Whether it is open.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up(_))
    }

    /// Failures since the connection was last healthy for long enough.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.backoff.failures()
    }

    fn start(&mut self, now: Duration, out: &mut Vec<ConnectionOut>) {
        if matches!(self.phase, Phase::Stopped) {
            self.phase = Phase::Opening { since: now };
            out.push(ConnectionOut::Open);
        }
    }

    fn stop(&mut self, out: &mut Vec<ConnectionOut>) {
        if !matches!(self.phase, Phase::Stopped) {
            self.phase = Phase::Stopped;
            out.push(ConnectionOut::Close);
        }
    }

    fn opened(&mut self, now: Duration) {
        if matches!(self.phase, Phase::Opening { .. }) {
            self.phase = Phase::Up(Up {
                since: now,
                next_ping: now + self.settings.ping_every,
                pinged: None,
                last_data: now,
                healthy_since: None,
                renewing: false,
            });
        }
    }

    fn lose(&mut self, now: Duration, reason: LossReason, out: &mut Vec<ConnectionOut>) {
        if !matches!(self.phase, Phase::Opening { .. } | Phase::Up(_)) {
            return;
        }
        let retry_in = self.backoff.next_wait();
        self.phase = Phase::Waiting {
            until: now + retry_in,
        };
        out.push(ConnectionOut::Close);
        out.push(ConnectionOut::Down { reason, retry_in });
    }

    fn data(&mut self, now: Duration) {
        let Phase::Up(up) = &mut self.phase else {
            return;
        };
        up.last_data = now;
        let since = *up.healthy_since.get_or_insert(now);
        if now.saturating_sub(since) >= self.settings.healthy_after {
            self.backoff.reset();
        }
    }

    /// On a stream that may be silent a pong is all the health there is.
    fn pong(&mut self, now: Duration) {
        if let Phase::Up(up) = &mut self.phase {
            up.pinged = None;
        }
        if self.settings.silence_max.is_none() {
            self.data(now);
        }
    }

    fn renew(&mut self, out: &mut Vec<ConnectionOut>) {
        if let Phase::Up(up) = &mut self.phase
            && !up.renewing
        {
            up.renewing = true;
            out.push(ConnectionOut::Renew);
        }
    }

    fn tick(&mut self, now: Duration, out: &mut Vec<ConnectionOut>) {
        match &self.phase {
            Phase::Stopped => {}
            Phase::Waiting { until } if now >= *until => {
                self.phase = Phase::Opening { since: now };
                out.push(ConnectionOut::Open);
            }
            Phase::Opening { since } if now >= *since + self.settings.connect_within => {
                self.lose(now, LossReason::ConnectTimeout, out);
            }
            Phase::Waiting { .. } | Phase::Opening { .. } => {}
            Phase::Up(up) => match self.dead(up, now) {
                Some(reason) => self.lose(now, reason, out),
                None => self.keep_alive(now, out),
            },
        }
    }

    fn dead(&self, up: &Up, now: Duration) -> Option<LossReason> {
        let overdue = |pinged: Duration| now >= pinged + self.settings.pong_within;
        if up.pinged.is_some_and(overdue) {
            return Some(LossReason::NoPong);
        }
        let silent = |limit: Duration| now >= up.last_data + limit;
        self.settings
            .silence_max
            .is_some_and(silent)
            .then_some(LossReason::Silent)
    }

    fn keep_alive(&mut self, now: Duration, out: &mut Vec<ConnectionOut>) {
        let Phase::Up(up) = &mut self.phase else {
            return;
        };
        if now >= up.next_ping {
            up.next_ping = now + self.settings.ping_every;
            up.pinged.get_or_insert(now);
            out.push(ConnectionOut::Ping);
        }
        if now >= up.since + self.settings.renew_after {
            self.renew(out);
        }
    }

    fn next_deadline(&self, up: &Up) -> Option<Duration> {
        let silence = self.settings.silence_max.map(|limit| up.last_data + limit);
        let pong = up.pinged.map(|pinged| pinged + self.settings.pong_within);
        let renewal = (!up.renewing).then_some(up.since + self.settings.renew_after);
        [Some(up.next_ping), silence, pong, renewal]
            .into_iter()
            .flatten()
            .min()
    }
}

#[cfg(test)]
mod tests;

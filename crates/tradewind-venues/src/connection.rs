//! Keeping one connection up: when to open it, when it is dead, how long to wait before trying again.
//!
//! A machine without I/O, shared by all venues. Every kind of failure, at whatever moment, ends in [`lose`](Connection)
//! and so in the one waiting loop. What travels over the connection is somebody else's concern.

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
    /// The venue said that it is about to close it, and it did not live to be replaced.
    Replaced,
}

impl std::fmt::Display for LossReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotOpened(why) => write!(f, "not opened: {why}"),
            Self::Broken(why) => write!(f, "broken: {why}"),
            Self::ConnectTimeout => f.write_str("no connection in time"),
            Self::NoPong => f.write_str("ping not answered"),
            Self::Silent => f.write_str("no data"),
            Self::Replaced => f.write_str("replaced by its successor"),
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

    /// Takes in what happened at `now` and says what is to be done, in order.
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Rig {
        connection: Connection,
        now: Duration,
        out: Vec<ConnectionOut>,
    }

    impl Rig {
        fn new(seed: u64) -> Self {
            Self::with(ConnectionSettings::default(), seed)
        }

        fn with(settings: ConnectionSettings, seed: u64) -> Self {
            let mut rig = Self {
                connection: Connection::new(settings, seed),
                now: Duration::ZERO,
                out: Vec::new(),
            };
            rig.give(ConnectionIn::Start);
            assert_eq!(rig.drain(), [ConnectionOut::Open]);
            rig
        }

        fn give(&mut self, input: ConnectionIn) {
            self.connection.handle(self.now, input, &mut self.out);
        }

        fn drain(&mut self) -> Vec<ConnectionOut> {
            std::mem::take(&mut self.out)
        }

        /// Moves the clock to the next deadline and ticks there.
        fn wake(&mut self) -> Vec<ConnectionOut> {
            self.now = self
                .connection
                .wake_at()
                .expect("a started connection waits for something");
            self.give(ConnectionIn::Tick);
            self.drain()
        }

        fn pass(&mut self, span: Duration, data: bool) -> Vec<ConnectionOut> {
            let end = self.now + span;
            while self.now < end {
                self.now += Duration::from_millis(500);
                if data {
                    self.give(ConnectionIn::Data);
                }
                self.give(ConnectionIn::Tick);
                if self.out.last() == Some(&ConnectionOut::Ping) {
                    self.give(ConnectionIn::Pong);
                }
            }
            self.drain()
        }
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn every_failure_leads_to_the_same_waiting_loop() {
        let reasons = [
            LossReason::NotOpened("refused".into()),
            LossReason::Broken("reset".into()),
            LossReason::NoPong,
        ];
        for reason in reasons {
            let mut rig = Rig::new(1);
            rig.give(ConnectionIn::Lost(reason.clone()));
            let out = rig.drain();
            assert_eq!(out[0], ConnectionOut::Close);
            assert!(
                matches!(&out[1], ConnectionOut::Down { reason: told, retry_in } if *told == reason && *retry_in <= secs(1))
            );
            assert_eq!(rig.wake(), [ConnectionOut::Open]);
        }
    }

    #[test]
    fn waits_double_to_sixty_seconds_though_connecting_succeeds() {
        let mut rig = Rig::new(3);
        let mut ceilings = Vec::new();
        for _ in 0..8 {
            rig.give(ConnectionIn::Opened);
            rig.pass(secs(1), true);
            ceilings.push(rig.connection.backoff.ceiling().as_secs());
            rig.give(ConnectionIn::Lost(LossReason::Broken("flap".into())));
            rig.drain();
            assert_eq!(rig.wake(), [ConnectionOut::Open]);
        }
        assert_eq!(ceilings, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn only_a_minute_of_data_resets_the_back_off() {
        let check = |seconds: u64, data: bool, failures: u32| {
            let quiet = ConnectionSettings {
                silence_max: data.then_some(secs(10)),
                ping_every: secs(3600),
                ..ConnectionSettings::default()
            };
            let mut rig = Rig::with(quiet, 5);
            rig.give(ConnectionIn::Lost(LossReason::Silent));
            rig.wake();
            rig.give(ConnectionIn::Opened);
            rig.pass(secs(seconds), data);
            assert_eq!(
                rig.connection.failures(),
                failures,
                "{seconds} s, data {data}"
            );
        };
        check(60, true, 1);
        check(61, true, 0);
        check(600, false, 1);
    }

    #[test]
    fn a_ping_goes_every_twenty_seconds_and_no_pong_in_ten_is_death() {
        let mut rig = Rig::new(1);
        rig.give(ConnectionIn::Opened);
        let pings = rig.pass(secs(61), true);
        assert_eq!(pings, vec![ConnectionOut::Ping; 3]);

        let mut rig = Rig::new(1);
        rig.give(ConnectionIn::Opened);
        rig.now = secs(20);
        rig.give(ConnectionIn::Data);
        rig.give(ConnectionIn::Tick);
        assert_eq!(rig.drain(), [ConnectionOut::Ping]);
        rig.now = secs(30) - Duration::from_millis(1);
        rig.give(ConnectionIn::Data);
        rig.give(ConnectionIn::Tick);
        assert_eq!(rig.drain(), []);
        rig.now = secs(30);
        rig.give(ConnectionIn::Tick);
        assert!(matches!(
            rig.drain()[1],
            ConnectionOut::Down {
                reason: LossReason::NoPong,
                ..
            }
        ));
    }

    #[test]
    fn a_busy_stream_is_dead_after_ten_silent_seconds() {
        let mut rig = Rig::new(1);
        rig.give(ConnectionIn::Opened);
        rig.pass(secs(5), true);
        let out = rig.pass(secs(11), false);
        assert!(matches!(
            out[1],
            ConnectionOut::Down {
                reason: LossReason::Silent,
                ..
            }
        ));
        assert!(rig.now >= secs(15));
    }

    #[test]
    fn a_successor_is_asked_for_before_the_day_is_over_and_only_once() {
        let settings = ConnectionSettings {
            silence_max: None,
            ..ConnectionSettings::default()
        };
        let mut rig = Rig::with(settings, 1);
        rig.give(ConnectionIn::Opened);
        rig.now = secs(23 * 3600 + 50 * 60);
        rig.give(ConnectionIn::Tick);
        assert!(rig.drain().contains(&ConnectionOut::Renew));
        rig.give(ConnectionIn::ClosingSoon);
        assert_eq!(rig.drain(), []);
        assert!(rig.connection.is_up());
    }

    #[test]
    fn a_late_result_of_a_stopped_connection_changes_nothing() {
        let mut rig = Rig::new(1);
        rig.give(ConnectionIn::Stop);
        assert_eq!(rig.drain(), [ConnectionOut::Close]);
        rig.give(ConnectionIn::Opened);
        rig.give(ConnectionIn::Lost(LossReason::Silent));
        assert_eq!((rig.drain(), rig.connection.wake_at()), (vec![], None));
    }

    proptest! {
        /// A venue that accepts and closes within a second, for ten minutes: Binance allows 300 attempts in 5 minutes.
        #[test]
        fn flapping_stays_below_a_hundred_attempts_in_five_minutes(seed: u64) {
            let mut rig = Rig::new(seed);
            let mut attempts = 1;
            while rig.now < secs(300) {
                rig.give(ConnectionIn::Opened);
                rig.now += Duration::from_millis(200);
                rig.give(ConnectionIn::Lost(LossReason::Broken("flap".into())));
                rig.drain();
                attempts += usize::from(rig.wake() == [ConnectionOut::Open]);
            }
            prop_assert!(attempts <= 100, "{} attempts", attempts);
        }
    }
}

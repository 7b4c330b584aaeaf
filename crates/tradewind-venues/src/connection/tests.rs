//! Losses, pings and waits, in virtual time.

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
            matches!(&out[1], ConnectionOut::Down { reason: got, retry_in } if *got == reason && *retry_in <= secs(1))
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
fn n03_a_ping_goes_every_twenty_seconds_and_no_pong_in_ten_is_death() {
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
fn n03_a_busy_stream_is_dead_after_ten_silent_seconds() {
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
fn n05_a_successor_is_requested_before_the_day_is_over_and_only_once() {
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
    fn n06_flapping_stays_below_a_hundred_attempts_in_five_minutes(seed: u64) {
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

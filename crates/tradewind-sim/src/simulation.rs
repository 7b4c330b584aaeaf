//! One seed: chaos, then healing, and in the end everything has to be in order.

use std::collections::BTreeMap;
use std::time::Duration;

use tradewind_events::{Action, EventKind, EventType, Input};
use tradewind_model::Timestamp;
use tradewind_risk::{CauseKind, PositionEffect};
use tradewind_simx::{Chance, Latency};
use tradewind_simx_server::simulation::Violation;
use tradewind_venues::OrderEntry;

use crate::evidence::verify_replay;
use crate::hostile;
use crate::outcome::{Failure, Outcome, Reached, Settings, catch};
use crate::plan::{Act, CHAOS, Fault, Harm, PLAN, State, plan};
use crate::wall::Offset;
use crate::world::{BUSY_BOTS, Choices, World};

/// Lane of what the bots and the rest of the world are.
const WORLD_LANE: u64 = u64::MAX - 2;
/// Lane of what the second plan draws of the world.
const WIDER_LANE: u64 = u64::MAX - 6;
/// Lane of how long the desk stays down.
const DOWN_LANE: u64 = u64::MAX - 3;
/// Trading before the first fault, and after the last one.
const PEACE: Duration = Duration::from_secs(30);
/// Longest until all is in order once nothing goes wrong any more.
const GOAL: Duration = Duration::from_secs(180);
/// Invariants that nothing puts right once they were broken.
const LASTING: [&str; 6] = ["I01", "I04", "I05", "I06", "I13", "I16"];
/// How long nothing may leave once all is in order.
const QUIET: Duration = Duration::from_secs(20);
/// Longest that a position may be without its stop while nothing goes wrong.
const COVERED_WITHIN: Duration = Duration::from_millis(2_100);
/// Longest that a fault waits for the state that it is about, and how often that is looked at.
const PATIENCE: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Longest that a position may be without its stop and not be listed while things go wrong.
const LISTED_WITHIN: Duration = Duration::from_millis(2_100);
/// How often stops are looked at while faults strike.
const COVER_EVERY: Duration = Duration::from_millis(500);

/// A bot that turns round at each look at the market.
const RECKLESS: &str = r#"
[[bots]]
id = "btc-reckless"
strategy = "momentum_timer"
account = "paper"
instruments = ["BTC/USDT"]
wake = "every 3s"
budget = 500
exit = { stop = "0.1%", take_profit = "0.1%" }
policy = "market"
params = { lookback = 1, full_rise = 0.001 }
"#;

/// Runs one seed. Whatever goes wrong in it, a panic of the desk too, is in the outcome.
#[must_use]
pub fn run(seed: u64, settings: &Settings) -> Outcome {
    let number = settings.plan.unwrap_or(PLAN);
    let all = plan(seed, number);
    let wanted = |fault: &&Fault| {
        let chosen = settings.faults.as_ref();
        chosen.is_none_or(|chosen| chosen.contains(&fault.number))
    };
    let faults: Vec<Fault> = all.iter().filter(wanted).cloned().collect();
    let mut outcome = Outcome {
        seed,
        failure: None,
        reached: Reached::default(),
        trace_hash: 0,
        faults: faults
            .iter()
            .map(|fault| (fault.number, fault.to_string()))
            .collect(),
        story: Vec::new(),
    };
    let mut simulation = match catch(|| Simulation::new(seed, settings)) {
        Ok(simulation) => simulation,
        Err(failure) => {
            outcome.failure = Some(failure);
            return outcome;
        }
    };
    let ran = catch(|| simulation.run(faults));
    outcome.failure = ran.and_then(|ran| ran).err();
    let closed = catch(|| simulation.close(settings.trace));
    match closed {
        Ok((hash, story)) => (outcome.trace_hash, outcome.story) = (hash, story),
        Err(failure) => outcome.failure = outcome.failure.or(Some(failure)),
    }
    outcome.reached = simulation.reached;
    outcome
}

/// A world, and what has happened in it.
struct Simulation {
    world: World,
    /// How long the desk stays down after each death.
    down: Chance,
    until: Duration,
    began: Timestamp,
    reached: Reached,
    story: Vec<(Timestamp, &'static str, String)>,
    /// Of the scripts that were added: row, place among the exchange's faults, and whether it was in its state.
    scripts: Vec<(&'static str, usize, bool)>,
    /// Since when positions in a symbol have neither a stop nor a line on the list.
    uncovered: BTreeMap<String, Timestamp>,
    /// Scripts in which another desk trades while the account is read: place among the exchange's faults, the deaths before it, and
    /// how many readings the journal had.
    foreign: Vec<(usize, u64, usize)>,
    /// What was wrong first while faults struck.
    failure: Option<Failure>,
}

impl Simulation {
    fn new(seed: u64, settings: &Settings) -> Self {
        let number = settings.plan.unwrap_or(PLAN);
        let world = World::new(choices(seed, number));
        Self {
            began: world.now(),
            world,
            down: Chance::new(seed, DOWN_LANE),
            until: settings.until.unwrap_or(CHAOS).min(CHAOS),
            reached: Reached::default(),
            story: Vec::new(),
            scripts: Vec::new(),
            uncovered: BTreeMap::new(),
            foreign: Vec::new(),
            failure: None,
        }
    }

    fn tell(&mut self, who: &'static str, what: impl Into<String>) {
        self.story.push((self.world.now(), who, what.into()));
    }

    fn run(&mut self, faults: Vec<Fault>) -> Result<(), Failure> {
        self.world.start_desk();
        self.trade_in_peace()?;
        let chaos = self.world.now();
        for fault in faults {
            if fault.at >= self.until {
                break;
            }
            self.live_until(chaos + fault.at);
            self.apply(&fault)?;
            self.is_well()?;
        }
        self.live_until(chaos + self.until);
        self.count_scripts();
        self.is_well()?;
        self.world.heal();
        self.world.disarm();
        self.tell("world", "healed");
        if self.down.below(2) == 0 {
            self.world.kill_desk();
            self.tell("desk", "killed");
        }
        self.live_until(self.world.now() + PEACE / 2);
        if self.down.below(2) == 0 {
            self.tell("person", "resets what was killed");
            let reason = "it is over".to_owned();
            self.world.give(Action::Reset { reason });
        }
        self.live_until(self.world.now() + PEACE / 2);
        self.world.input(Input::Stopping);
        let mut violations = self.world.violations();
        violations.retain(|violation| LASTING.contains(&violation.invariant));
        violations.extend(self.world.story());
        if violations.is_empty() {
            violations = self.world.settle(GOAL);
            violations.extend(self.world.transfers());
            violations.extend(self.world.story());
            violations.extend(self.unnoticed_desk());
        }
        if let Some(first) = violations.into_iter().next() {
            return Err(first.into());
        }
        self.world.assert_quiet(QUIET);
        // I10, whatever happened and however often the desk died.
        verify_replay(&self.world.storage, self.world.has_refused).map_err(|text| Failure {
            what: "I10".to_owned(),
            story: text,
        })
    }

    /// I03: what another desk with our tag did on the account halted it until a person cleared that (P05), by its report or by a reading.
    fn unnoticed_desk(&self) -> Option<Violation> {
        let is_noticed = |kind: &EventKind| match kind {
            EventKind::TradingStateChanged { cause, .. } => {
                let reason = cause.as_ref().map(|cause| &cause.reason);
                reason == Some(&CauseKind::ForeignDesk)
            }
            _ => false,
        };
        let events = self.world.events();
        let is_missed = !self.foreign.is_empty() && !events.iter().any(is_noticed);
        is_missed.then(|| {
            let found = "another desk traded on the account, and no cause says so".to_owned();
            Violation::new("I03", found)
        })
    }

    /// I23: nothing goes wrong, and no position is without its stop for longer than 2 s.
    fn trade_in_peace(&mut self) -> Result<(), Failure> {
        let until = self.world.now() + PEACE;
        let mut covered = self.world.now();
        while self.world.now() < until {
            self.live_until(self.world.now() + LOOK_EVERY);
            let Some(first) = self.world.uncovered().into_iter().next() else {
                covered = self.world.now();
                continue;
            };
            if self.world.now().since(covered) > COVERED_WITHIN {
                return Err(first.into());
            }
        }
        Ok(())
    }

    /// Lets time pass. A desk that died starts again a while later.
    fn live_until(&mut self, until: Timestamp) {
        while self.world.now() < until {
            let next = until.min(self.world.now() + COVER_EVERY);
            if self.world.run_alive(next) {
                self.look_at_cover();
                continue;
            }
            self.uncovered.clear();
            self.reached.deaths += 1;
            self.tell("desk", "is down");
            let down = Duration::from_secs(1 + self.down.below(29));
            self.world.run(down);
            self.tell("desk", "starts");
            self.world.start_desk();
        }
    }

    /// I23: whatever goes wrong, what a position holds is behind a stop that the exchange has or has confirmed, or is listed.
    fn look_at_cover(&mut self) {
        let now = self.world.now();
        let bare = self.world.bare();
        self.uncovered.retain(|symbol, _| bare.contains_key(symbol));
        for (symbol, found) in bare {
            let since = *self.uncovered.entry(symbol).or_insert(now);
            if now.since(since) > LISTED_WITHIN && self.failure.is_none() {
                self.failure = Some(found.into());
            }
        }
    }

    /// # Errors
    /// What was wrong while faults struck.
    fn is_well(&mut self) -> Result<(), Failure> {
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Waits a while for the state that a fault is about; whether it came.
    fn wait_for(&mut self, needs: State) -> bool {
        let until = self.world.now() + PATIENCE;
        while !self.is_in(needs) {
            if self.world.now() >= until {
                return false;
            }
            self.live_until(self.world.now() + LOOK_EVERY);
        }
        true
    }

    fn is_in(&self, state: State) -> bool {
        let (open, stops, fills) = self.world.exchange_state();
        match state {
            State::Any => true,
            State::Open => open > 0,
            State::Stop => stops > 0,
            State::Filled => fills > 0,
        }
    }

    fn apply(&mut self, fault: &Fault) -> Result<(), Failure> {
        let mut is_reached = self.wait_for(fault.needs);
        self.tell("fault", format!("{} {fault}", fault.number));
        let network = &self.world.network;
        match &fault.act {
            Act::Script(script) | Act::Foreign(script) => {
                let place = self.world.fault_hits().len();
                if matches!(fault.act, Act::Foreign(_)) && self.world.is_reading() {
                    let readings = self.world.readings();
                    self.foreign.push((place, self.reached.deaths, readings));
                }
                self.world.add_faults(script);
                self.scripts.push((fault.row, place, is_reached));
                return Ok(());
            }
            Act::Rule(rule) => drop(network.with(|network, _| network.add_rule(rule.clone()))),
            Act::CutAll => network.cut_all(),
            Act::HalfOpen => network.silence_all(),
            Act::Partition(span) => {
                network.with(|network, now| network.partition(now, now + *span));
            }
            Act::Pause(span) => {
                self.world.pause(*span);
                self.uncovered.clear();
            }
            Act::Kill => self.world.kill_desk(),
            Act::Crash(point, hit) => self.world.crash_at(*point, *hit),
            Act::CrashAgain(point, hit) => {
                self.world.kill_desk();
                self.world.crash_at(*point, *hit);
            }
            Act::Full(room, span) => self.world.fill_disk(*room, *span),
            Act::BadOperation(nth) => self.world.fail_operation(*nth),
            Act::Flip(place) => self.harm(Harm::Bit, *place)?,
            Act::Harm(harm, place) => self.harm(*harm, *place)?,
            Act::PowerCut(torn) => is_reached &= self.world.cut_power(*torn),
            Act::FailSync => {
                self.world.fail_sync();
                is_reached &= self.world.syncs_intents();
            }
            // These count once they took effect.
            Act::SlowSyncs(span) => {
                self.world.gray.slow_until(self.world.now() + *span);
                return Ok(());
            }
            Act::Hostile(answers, span) => {
                let until = self.world.now() + *span;
                self.world.hostility.begin(*answers, until);
                return Ok(());
            }
            Act::WallStep(seconds, dies) => {
                self.world.host = Offset::seconds(*seconds);
                // A desk follows the monotonic clock until it starts again.
                is_reached &= *dies;
                if *dies {
                    self.world.kill_desk();
                }
            }
            Act::SlowReader(rate) => network.slow_readers(*rate),
            Act::Person(person, choice) => self.world.person(*person, *choice),
        }
        *self.reached.rows.entry(fault.row).or_default() += u64::from(is_reached);
        Ok(())
    }

    fn harm(&mut self, harm: Harm, place: u64) -> Result<(), Failure> {
        let found = self.world.harm(harm, place);
        found.map_or(Ok(()), |violation| Err(violation.into()))
    }

    /// Scripts count where they took effect.
    fn count_scripts(&mut self) {
        let hits = self.world.fault_hits();
        let (slow, hostile) = (self.world.gray.hits(), self.world.hostility.hits());
        for (row, hits) in [("S09", slow), ("P03", hostile)] {
            *self.reached.rows.entry(row).or_default() += u64::from(hits > 0);
        }
        // Of a desk that has not died since, and has read the account twice: the first of these readings may have begun before.
        let deaths = self.reached.deaths;
        let read = match self.world.is_disk_bad {
            true => 0,
            false => self.world.readings(),
        };
        self.foreign.retain(|(place, before, readings)| {
            let has_struck = hits.get(*place).is_some_and(|hits| *hits > 0);
            has_struck && *before == deaths && read >= readings + 2
        });
        for (row, place, is_reached) in &self.scripts {
            let struck = hits.get(*place).is_some_and(|hits| *hits > 0);
            *self.reached.rows.entry(row).or_default() += u64::from(struck && *is_reached);
        }
    }

    /// What the run came to; the trace's hash, and the story if it is wanted.
    fn close(&mut self, with_story: bool) -> (u32, Vec<String>) {
        let events = self.world.dated_events();
        let count = |event_type| {
            let types = events.iter().map(|(_, kind)| kind.event_type());
            types.filter(|found| *found == event_type).count()
        };
        let rests = |kind: &EventKind| match kind {
            EventKind::OrderPlaced { terms, purpose, .. } => {
                *purpose == PositionEffect::Protect && terms.kind.trigger().is_none()
            }
            _ => false,
        };
        self.reached.fills = count(EventType::OrderFilled);
        self.reached.unknown = count(EventType::OrderUnknown);
        self.reached.pairs = events.iter().filter(|(_, kind)| rests(kind)).count();
        self.reached.simulated = self.world.now().since(self.began);
        let (segments, orders) = self
            .world
            .network
            .with(|network, _| (network.take_segments(), network.sent_orders().to_vec()));
        self.reached.orders = orders.len();
        let mut hash = crc32fast::Hasher::new();
        for segment in &segments {
            hash.update(format!("{segment:?}").as_bytes());
        }
        let mut story = Vec::new();
        if with_story {
            let mut lines = std::mem::take(&mut self.story);
            let sent = orders.iter().map(|order| {
                let request = &order.request;
                let params: Vec<String> = request
                    .params
                    .iter()
                    .filter(|(name, _)| name != "signature")
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                let text = format!("{} {}", request.call, params.join(" "));
                (order.first_byte_at, "wire", text)
            });
            lines.extend(sent);
            let quiet = [EventType::PriceUpdate];
            let published = events
                .iter()
                .filter(|(_, kind)| !quiet.contains(&kind.event_type()));
            lines.extend(published.map(|(at, kind)| (*at, "event", format!("{kind:?}"))));
            lines.sort_by_key(|(at, ..)| *at);
            let line = |(at, who, what): &(Timestamp, &str, String)| {
                let after = at.since(self.began);
                format!("{:>9.3} {who:<6} {what}", after.as_secs_f64())
            };
            story = lines.iter().map(line).collect();
        }
        (hash.finalize(), story)
    }
}

/// The world of a seed.
fn choices(seed: u64, plan: u32) -> Choices {
    let mut draws = Chance::new(seed, WORLD_LANE);
    let order_entry = match draws.below(2) {
        0 => OrderEntry::Rest,
        _ => OrderEntry::WebSocket,
    };
    let millis = Duration::from_millis;
    let latency = match draws.below(5) {
        0 => Latency::Fixed(millis(1)),
        1 => Latency::Exponential { mean: millis(30) },
        2 => Latency::LogNormal {
            median: millis(10),
            sigma: 1.0,
        },
        3 => Latency::Pareto {
            least: millis(2),
            shape: 1.5,
        },
        _ => Latency::Uniform {
            least: millis(2),
            most: millis(5),
        },
    };
    let mut wider = Chance::new(seed, WIDER_LANE);
    let has_outside = plan > 1 && wider.below(2) == 0;
    Choices {
        order_entry,
        latency,
        power_safe: plan > 1 && wider.below(2) == 0,
        bots: bots(&mut draws, has_outside),
        reserve_bytes: if draws.below(2) == 0 { 0 } else { 1 << 20 },
        segment_bytes: if draws.below(2) == 0 {
            64 << 20
        } else {
            1 << 18
        },
        ..Choices::busy(seed)
    }
}

/// The busy bots. Of some, as the seed draws, the take profit rests at the venue.
fn bots(draws: &mut Chance, has_outside: bool) -> &'static str {
    let lines = BUSY_BOTS.lines().map(|line| {
        let rests = line.contains("take_profit") && draws.below(2) == 0;
        let resting = "take_profit_order = \"limit\", take_profit = ";
        match rests {
            true => line.replace("take_profit = ", resting),
            false => line.to_owned(),
        }
    });
    let outside = has_outside.then(|| hostile::BOT.to_owned());
    let bots: Vec<String> = lines.chain([RECKLESS.to_owned()]).chain(outside).collect();
    bots.join("\n").leak()
}

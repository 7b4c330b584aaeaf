//! What stands between the exchange and its wires: latencies and faults, as one state machine around the core.
//!
//! Whatever must wait is in one queue by time; the core is advanced to each of those times before it is carried out, so
//! the order of things does not depend on how often anybody looks. Requests are in `requests.rs`, frames in `frames.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tradewind_model::{InstrumentId, Ppm, Timestamp};
use tradewind_simx::{Latencies, Leg, Sampler};

use super::armed::Armed;
use super::event::{Event, On, WireKind};
use super::fault::{Deed, Fault};
use super::requests::{Asked, Late, Pending};
use super::script::{FAULTS_MAX, FaultScript};
use super::{Conduct, DoorState, Reply, Stroke, Target, command};
use crate::core::{Core, In, Out};
use crate::order_log::LogEvent;
use crate::rest::{RestAnswer, TimeUnit};
use crate::streams::ConnectionId;
use crate::streams::connection::Effect;
use crate::streams::frames::Frame;

/// Copies of a flood leave this often.
pub(super) const FLOOD_EVERY: Duration = Duration::from_millis(10);
/// Messages that may wait; one more is lost, as if the network had dropped it.
const WAITING_MAX: usize = 200_000;

/// What the shell is to do beside answering and sending.
#[derive(Debug, Default)]
pub(crate) struct Mischief {
    /// Answers that do not simply arrive.
    pub(crate) replies: Vec<(u64, Reply)>,
    /// Before frame number so-and-so of the output goes, this is done to these connections.
    pub(crate) strokes: Vec<(usize, Target, Stroke)>,
    /// The listener's new state.
    pub(crate) door: Option<DoorState>,
}

/// What [`Between`] remembers of a connection.
#[derive(Debug, Default)]
pub(super) struct Lane {
    /// No request of it is handled before this.
    pub(super) arrives: Timestamp,
    /// No frame leaves before this.
    pub(super) leaves: Timestamp,
    /// Waits for the next frame to overtake it.
    pub(super) held: Option<Frame>,
    /// The fault that keeps data from it.
    pub(super) deaf: Option<u64>,
    /// The fault that floods it.
    pub(super) flooded: Option<u64>,
}

/// What waits for its time.
#[derive(Debug)]
pub(super) enum Due {
    Request(Box<Pending>),
    Late(Box<Late>),
    Answer(u64, RestAnswer),
    Frame(ConnectionId, Frame, Option<Stroke>),
    Flood(u64, ConnectionId, Frame),
    Release(ConnectionId),
    Strike(u64),
    Heal(u64),
}

/// Latencies and faults of one server.
#[derive(Debug)]
pub(crate) struct Between {
    seed: u64,
    latencies: Latencies,
    samplers: [Option<Sampler>; 4],
    pub(super) armed: BTreeMap<u64, Armed>,
    faults_so_far: u64,
    queue: BTreeMap<(Timestamp, u64), Due>,
    sequence: u64,
    lost: u64,
    pub(super) lanes: BTreeMap<ConnectionId, Lane>,
    pub(super) asked: BTreeMap<u64, Asked>,
    pub(super) out: Out,
    spare: Out,
    door: DoorState,
    /// The time it has seen last.
    last: Timestamp,
}

/// Where a between begins.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) now: Timestamp,
    pub(crate) conduct: Conduct,
}

impl Between {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { now, conduct } = parts;
        let (seed, latencies) = (conduct.seed, conduct.latencies);
        let sampler = |leg: Leg| {
            latencies
                .get(leg)
                .map(|latency| latency.sampler(seed, 1 << 32 | leg as u64))
        };
        let mut between = Self {
            seed,
            latencies,
            samplers: Leg::ALL.map(sampler),
            armed: BTreeMap::new(),
            faults_so_far: 0,
            queue: BTreeMap::new(),
            sequence: 0,
            lost: 0,
            lanes: BTreeMap::new(),
            asked: BTreeMap::new(),
            out: Out::default(),
            spare: Out::default(),
            door: DoorState::Open,
            last: now,
        };
        between.add(now, conduct.faults);
        between
    }

    /// Adds the faults of a script, as many as there is room for, and says how many.
    pub(crate) fn add(&mut self, now: Timestamp, script: FaultScript) -> usize {
        let room = FAULTS_MAX.saturating_sub(self.armed.len());
        let mut added = 0;
        for fault in script.faults.into_iter().take(room) {
            added += 1;
            self.arm(now, fault);
        }
        added
    }

    fn arm(&mut self, now: Timestamp, fault: Fault) {
        self.faults_so_far += 1;
        let id = self.faults_so_far;
        let (on, armed) = (fault.on, Armed::new(fault, now, self.seed, id));
        let (begins, ends) = (armed.begins, armed.ends);
        // A fault that repeats what was must see it first.
        let watches = matches!(armed.fault.deed, Deed::StaleDepth { .. });
        self.armed.insert(id, armed);
        if on == On::Time || watches {
            self.schedule(begins, Due::Strike(id));
        }
        if let Some(ends) = ends {
            self.schedule(ends, Due::Heal(id));
        }
    }

    /// Takes all faults back. What they did to orders and balances stays.
    pub(crate) fn clear(&mut self, core: &mut Core, now: Timestamp) {
        let ids: Vec<u64> = self.armed.keys().copied().collect();
        for id in ids {
            self.heal(core, now, id);
        }
        self.armed.clear();
    }

    /// When something is due next.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    /// Lets time pass up to `now`.
    pub(crate) fn advance(&mut self, core: &mut Core, now: Timestamp) {
        while let Some(entry) = self.queue.first_entry() {
            let (at, _) = *entry.key();
            if at > now {
                break;
            }
            let due = entry.remove();
            core.advance(at);
            self.collect(core, at);
            self.carry_out(core, at, due);
        }
        self.last = now;
        core.advance(now);
        self.collect(core, now);
        self.drift(core, now);
    }

    /// Handles one input; time has passed up to `now` before.
    pub(crate) fn handle(&mut self, core: &mut Core, now: Timestamp, input: In) {
        match input {
            In::Rest { token, request } => self.on_rest(core, now, token, request),
            In::WsApi { asker, text } => self.on_ws(core, now, asker, text),
            In::Wishes {
                connection,
                unit,
                effects,
            } => self.on_wishes(core, now, (connection, unit), effects),
            In::Close { connection } => {
                self.lanes.remove(&connection);
                core.handle(now, In::Close { connection });
                self.collect(core, now);
            }
            other => {
                core.handle(now, other);
                self.collect(core, now);
            }
        }
    }

    /// A WebSocket was opened.
    pub(crate) fn connected(
        &mut self,
        core: &mut Core,
        now: Timestamp,
        connection: ConnectionId,
        wire: WireKind,
    ) {
        if !self.listens(On::Connect) {
            return;
        }
        for (id, deed) in self.struck(core, now, &Event::new(On::Connect, wire)) {
            match deed {
                Deed::Close { code } => self.stroke(Target::One(connection), Stroke::Close(code)),
                Deed::Shutdown => self.stroke(Target::One(connection), Stroke::Shutdown),
                Deed::HalfOpen { pings: true } => {
                    self.lanes.entry(connection).or_default().deaf = Some(id);
                }
                Deed::HalfOpen { pings: false } => {
                    self.stroke(Target::One(connection), Stroke::Mute)
                }
                other => self.do_to_exchange(core, now, id, &other),
            }
        }
    }

    /// Takes what the core left since it was last looked at.
    pub(crate) fn collect_rest(&mut self, core: &mut Core) {
        let at = self.last;
        self.collect(core, at);
    }

    /// Takes what is to be done, and gives back `used` to be filled next.
    pub(crate) fn take_out(&mut self, used: Out) -> Out {
        std::mem::replace(&mut self.out, used.emptied())
    }

    /// Takes what the core left, on its way to whom it concerns.
    pub(super) fn collect(&mut self, core: &mut Core, at: Timestamp) {
        self.collect_answer(core, at, None);
    }

    /// The same, when the last frame to a connection is the answer to what it asked.
    pub(super) fn collect_answer(
        &mut self,
        core: &mut Core,
        at: Timestamp,
        asked: Option<(ConnectionId, Asked)>,
    ) {
        let mut out = core.take_out(std::mem::take(&mut self.spare));
        self.out.records.append(&mut out.records);
        self.out.must_sync |= out.must_sync;
        for (token, answer) in out.answers.drain(..) {
            self.on_rest_answer(core, at, token, answer);
        }
        let answer_at = asked
            .as_ref()
            .and_then(|(asker, _)| out.frames.iter().rposition(|(to, _)| to == asker));
        let mut asked = asked;
        for (place, (connection, frame)) in out.frames.drain(..).enumerate() {
            match asked.take_if(|_| answer_at == Some(place)) {
                Some((_, asked)) => self.on_ws_answer(core, at, connection, &frame, asked),
                None => self.on_frame(core, at, connection, frame),
            }
        }
        self.spare = out;
    }

    fn carry_out(&mut self, core: &mut Core, at: Timestamp, due: Due) {
        match due {
            Due::Request(pending) => self.execute(core, at, *pending),
            Due::Late(late) => self.execute_late(core, at, &late),
            Due::Answer(token, answer) => self.out.answers.push((token, answer)),
            Due::Frame(connection, frame, stroke) => {
                if let Some(stroke) = stroke {
                    self.stroke(Target::One(connection), stroke);
                }
                self.out.frames.push((connection, frame));
            }
            Due::Flood(id, connection, frame) => self.flood(at, id, connection, frame),
            Due::Release(connection) => self.release(connection),
            Due::Strike(id) => self.strike(core, at, id),
            Due::Heal(id) => self.heal(core, at, id),
        }
    }

    /// Puts `due` into the queue; when too much waits already, it is lost and counted.
    pub(super) fn schedule(&mut self, at: Timestamp, due: Due) {
        let belongs_to_a_fault = matches!(due, Due::Strike(_) | Due::Heal(_));
        if self.queue.len() >= WAITING_MAX && !belongs_to_a_fault {
            self.lost += 1;
            return;
        }
        self.sequence += 1;
        self.queue.insert((at, self.sequence), due);
    }

    /// How long `leg` takes this time.
    pub(super) fn latency(&mut self, leg: Leg) -> Duration {
        self.samplers[leg as usize]
            .as_mut()
            .map(Sampler::draw)
            .unwrap_or_default()
    }

    /// Whether any fault looks at such events.
    pub(super) fn listens(&self, on: On) -> bool {
        self.armed.values().any(|armed| armed.fault.on == on)
    }

    /// The faults that strike `event`, in the order of the script.
    pub(super) fn struck(
        &mut self,
        core: &mut Core,
        at: Timestamp,
        event: &Event,
    ) -> Vec<(u64, Deed)> {
        let mut struck = Vec::new();
        for (id, armed) in &mut self.armed {
            if armed.fault.on == event.on && armed.fault.place.fits(event) && armed.strikes(at) {
                core.log(|| LogEvent::fault(at, &armed.fault.name, armed.hits));
                struck.push((*id, armed.fault.deed.clone()));
            }
        }
        struck
    }

    pub(super) fn stroke(&mut self, target: Target, stroke: Stroke) {
        self.out
            .mischief
            .strokes
            .push((self.out.frames.len(), target, stroke));
    }

    /// A fault that needs no event is due.
    fn strike(&mut self, core: &mut Core, at: Timestamp, id: u64) {
        let Some(armed) = self.armed.get_mut(&id) else {
            return;
        };
        if let Deed::StaleDepth { symbol } = &armed.fault.deed {
            armed.kept = super::requests::depth_now(core, at, symbol);
            return;
        }
        if let Some(again) = armed.fault.when.again {
            let next = at + again;
            self.schedule(next, Due::Strike(id));
        }
        let Some(armed) = self
            .armed
            .get_mut(&id)
            .filter(|armed| armed.fault.on == On::Time)
        else {
            return;
        };
        if !armed.strikes(at) {
            return;
        }
        core.log(|| LogEvent::fault(at, &armed.fault.name, armed.hits));
        armed.active = true;
        let (deed, wire) = (armed.fault.deed.clone(), armed.fault.place.wire);
        match deed {
            Deed::HalfOpen { pings: false } => self.stroke(Target::All(wire), Stroke::Mute),
            Deed::Close { code } => self.stroke(Target::All(wire), Stroke::Close(code)),
            Deed::Shutdown => self.stroke(Target::All(wire), Stroke::Shutdown),
            Deed::Partition => {
                self.stroke(Target::All(None), Stroke::Mute);
                self.move_door();
            }
            Deed::Refuse | Deed::Flap { .. } => self.move_door(),
            other => self.do_to_exchange(core, at, id, &other),
        }
    }

    /// Does what a deed does to the exchange and its market, if that is what it is for.
    pub(super) fn do_to_exchange(&mut self, core: &mut Core, at: Timestamp, id: u64, deed: &Deed) {
        let Some(armed) = self.armed.get_mut(&id) else {
            return;
        };
        let symbol = armed.fault.place.symbol.as_deref();
        let instrument: Option<InstrumentId> = symbol.and_then(|symbol| core.symbols.find(symbol));
        match deed {
            Deed::Command(command) => {
                if armed.fault.when.lasts.is_some() && armed.undo.is_empty() {
                    armed.undo = command.undo(core);
                }
                let name = armed.fault.name.clone();
                if let Err(error) = command.run(core, at) {
                    tracing::warn!(fault = name, %error, "A scripted act was refused");
                }
                self.collect(core, at);
            }
            Deed::Price(path) => core.lens.price(id, instrument, at, path.clone()),
            Deed::Freeze => core.lens.freeze(id, instrument),
            Deed::Clock { .. } => self.drift(core, at),
            _ => {}
        }
    }

    /// The time of a fault is over: what it made is taken back.
    fn heal(&mut self, core: &mut Core, at: Timestamp, id: u64) {
        let Some(armed) = self.armed.get_mut(&id) else {
            return;
        };
        let (was_active, deed) = (std::mem::take(&mut armed.active), armed.fault.deed.clone());
        armed.ends = Some(armed.ends.map_or(at, |ends| ends.min(at)));
        for action in std::mem::take(&mut armed.undo) {
            command::take_back(core, at, &action);
        }
        core.lens.lift(id);
        for lane in self.lanes.values_mut() {
            lane.deaf.take_if(|fault| *fault == id);
            lane.flooded.take_if(|fault| *fault == id);
        }
        match deed {
            // Nothing survives a partition that outlasts patience: both sides start anew.
            Deed::Partition if was_active => self.stroke(Target::All(None), Stroke::Close(1001)),
            Deed::Clock { .. } => self.drift(core, at),
            _ => {}
        }
        self.move_door();
        self.collect(core, at);
    }

    /// Whether nobody reaches anybody.
    pub(super) fn is_partitioned(&self) -> bool {
        self.armed
            .values()
            .any(|armed| armed.active && matches!(armed.fault.deed, Deed::Partition))
    }

    /// Whether a fault keeps all data from connections of this kind, though they are answered.
    pub(super) fn keeps_quiet(&self, wire: WireKind) -> bool {
        self.armed.values().any(|armed| {
            armed.active
                && matches!(armed.fault.deed, Deed::HalfOpen { pings: true })
                && armed.fault.place.wire.is_none_or(|place| place == wire)
        })
    }

    fn move_door(&mut self) {
        let active = || {
            self.armed
                .values()
                .filter(|armed| armed.active)
                .map(|armed| &armed.fault.deed)
        };
        let closed = active().any(|deed| matches!(deed, Deed::Refuse | Deed::Partition));
        let flap = active().find_map(|deed| match deed {
            Deed::Flap { least, most } => Some(DoorState::Flapping {
                least: *least,
                most: *most,
                seed: self.seed,
            }),
            _ => None,
        });
        let door = if closed {
            DoorState::Closed
        } else {
            flap.unwrap_or_default()
        };
        if door != self.door {
            self.door = door;
            self.out.mischief.door = Some(door);
        }
    }

    /// Sets the clock that clients are judged by.
    fn drift(&self, core: &mut Core, now: Timestamp) {
        let skew = |armed: &Armed| match armed.fault.deed {
            Deed::Clock { skew_nanos, drift } if armed.active => {
                let age = i128::try_from(now.since(armed.begins).as_nanos()).unwrap_or(0);
                let drifted = age * i128::from(drift.0) / i128::from(Ppm::ONE.0);
                Some(skew_nanos.saturating_add(i64::try_from(drifted).unwrap_or(0)))
            }
            _ => None,
        };
        core.skew_nanos = self.armed.values().filter_map(skew).sum();
    }

    /// Each fault with how often it was reached, for `GET /state`.
    pub(crate) fn state(&self) -> Value {
        let faults = self.armed.iter().map(|(id, armed)| {
            json!({
                "id": id, "name": armed.fault.name, "on": armed.fault.on.word(), "seen": armed.seen, "hits": armed.hits,
                "active": armed.active, "begins": armed.begins.to_string(), "ends": armed.ends.map(|ends| ends.to_string()),
            })
        });
        json!({
            "latencies": self.latencies.to_string(), "waiting": self.queue.len(), "lost": self.lost,
            "faults": faults.collect::<Vec<_>>(),
        })
    }

    /// A market connection wants other streams.
    fn on_wishes(
        &mut self,
        core: &mut Core,
        now: Timestamp,
        (connection, unit): (ConnectionId, TimeUnit),
        effects: Vec<Effect>,
    ) {
        if self.is_partitioned() {
            return;
        }
        let effects = if self.listens(On::Subscribe)
            && effects
                .iter()
                .any(|effect| matches!(effect, Effect::Subscribe(_)))
        {
            self.subscribed(core, now, connection, effects)
        } else {
            effects
        };
        core.handle(
            now,
            In::Wishes {
                connection,
                unit,
                effects,
            },
        );
        self.collect(core, now);
    }
}

//! Frames on their way out: who gets which, when, and in what state.

use std::time::Duration;

use tradewind_model::Timestamp;
use tradewind_simx::Leg;

use super::between::{Between, Due, FLOOD_EVERY};
use super::event::{Event, On, WireKind, wire_of};
use super::fault::{Ack, Deed};
use super::{Stroke, Target, edit};
use crate::core::Core;
use crate::streams::ConnectionId;
use crate::streams::connection::Effect;
use crate::streams::frames::Frame;

/// A frame that no other overtook for this long goes all the same.
const HELD_AT_MOST: Duration = Duration::from_secs(1);

/// A message and what becomes of it.
#[derive(Debug, Default)]
pub(super) struct Carriage {
    pub(super) text: String,
    /// Of a REST answer, when it is another now.
    pub(super) status: Option<u16>,
    pub(super) dropped: bool,
    pub(super) held: bool,
    pub(super) extra: Option<Duration>,
    pub(super) copies: Vec<Duration>,
    pub(super) stroke: Option<Stroke>,
}

impl Between {
    /// A frame of a stream, or an account's event.
    pub(super) fn on_frame(
        &mut self,
        core: &mut Core,
        at: Timestamp,
        connection: ConnectionId,
        frame: Frame,
    ) {
        let wire = wire_of(&frame);
        let leg = if wire == WireKind::Api {
            Leg::Report
        } else {
            Leg::Market
        };
        if self.is_partitioned() || self.keeps_quiet(wire) || self.is_deaf(connection) {
            return;
        }
        if !self.listens(On::Frame) {
            return self.dispatch(at, connection, frame, leg, None);
        }
        let event = Event::frame(core, connection, &frame);
        let struck = self.struck(core, at, &event);
        if struck.is_empty() {
            return self.dispatch(at, connection, frame, leg, None);
        }
        let mut carriage = Carriage {
            text: frame.to_string(),
            ..Carriage::default()
        };
        for (id, deed) in struck {
            match deed {
                Deed::Flood { .. } => self.begin_flood(at, id, connection, &frame),
                deed => self.spoil(core, at, id, deed, &mut carriage, Some(connection)),
            }
        }
        self.send(at, connection, carriage, leg);
    }

    /// Sends a carriage to a connection.
    pub(super) fn send(
        &mut self,
        at: Timestamp,
        connection: ConnectionId,
        carriage: Carriage,
        leg: Leg,
    ) {
        let frame = Frame::from(carriage.text);
        for wait in carriage.copies {
            self.schedule(at + wait, Due::Frame(connection, frame.clone(), None));
        }
        if carriage.dropped {
            if let Some(stroke) = carriage.stroke {
                self.stroke(Target::One(connection), stroke);
            }
        } else if carriage.held {
            self.lanes.entry(connection).or_default().held = Some(frame);
            self.schedule(at + HELD_AT_MOST, Due::Release(connection));
        } else if let Some(extra) = carriage.extra {
            let due = at + extra + self.latency(leg);
            self.schedule(due, Due::Frame(connection, frame, carriage.stroke));
        } else {
            self.dispatch(at, connection, frame, leg, carriage.stroke);
        }
    }

    /// Sends a frame after its leg's latency and never before the frames that went before it; what its connection is to
    /// suffer with it keeps the same place.
    fn dispatch(
        &mut self,
        at: Timestamp,
        connection: ConnectionId,
        frame: Frame,
        leg: Leg,
        stroke: Option<Stroke>,
    ) {
        let due = at + self.latency(leg);
        let lane = self.lanes.entry(connection).or_default();
        let held = lane.held.take();
        if due == at && lane.leaves < at {
            if let Some(stroke) = stroke {
                self.stroke(Target::One(connection), stroke);
            }
            self.out.frames.push((connection, frame));
            self.out.frames.extend(held.map(|held| (connection, held)));
            return;
        }
        let due = due.max(lane.leaves);
        lane.leaves = due;
        self.schedule(due, Due::Frame(connection, frame, stroke));
        if let Some(held) = held {
            self.schedule(due, Due::Frame(connection, held, None));
        }
    }

    /// Nothing overtook a frame that was held back.
    pub(super) fn release(&mut self, connection: ConnectionId) {
        let held = self
            .lanes
            .get_mut(&connection)
            .and_then(|lane| lane.held.take());
        self.out.frames.extend(held.map(|held| (connection, held)));
    }

    fn is_deaf(&self, connection: ConnectionId) -> bool {
        self.lanes
            .get(&connection)
            .is_some_and(|lane| lane.deaf.is_some())
    }

    /// What a deed does to one message.
    pub(super) fn spoil(
        &mut self,
        core: &mut Core,
        at: Timestamp,
        id: u64,
        deed: Deed,
        carriage: &mut Carriage,
        to: Option<ConnectionId>,
    ) {
        let Some(armed) = self.armed.get_mut(&id) else {
            return;
        };
        match deed {
            Deed::Drop => carriage.dropped = true,
            Deed::Delay(_) => *carriage.extra.get_or_insert_default() += armed.wait(),
            Deed::Duplicate { copies, .. } => {
                carriage.copies.extend((0..copies).map(|_| armed.wait()));
            }
            Deed::Reorder => carriage.held = true,
            Deed::Corrupt(how) => carriage.text = edit::corrupt(&carriage.text, how),
            Deed::Mutate(mutation) => carriage.text = edit::mutate(&carriage.text, &mutation),
            Deed::Truncate { keep } => carriage.text = edit::truncate(&carriage.text, keep),
            Deed::Cut(bytes) => carriage.stroke = Some(Stroke::CutAfter(armed.cut_after(bytes))),
            Deed::HalfOpen { pings } => {
                carriage.dropped = true;
                match to {
                    Some(connection) if pings => {
                        self.lanes.entry(connection).or_default().deaf = Some(id)
                    }
                    _ => carriage.stroke = Some(Stroke::Mute),
                }
            }
            Deed::Close { code } => {
                carriage.dropped = true;
                carriage.stroke = Some(Stroke::Close(code));
            }
            Deed::Shutdown => carriage.stroke = Some(Stroke::Shutdown),
            other => self.do_to_exchange(core, at, id, &other),
        }
    }

    fn begin_flood(&mut self, at: Timestamp, id: u64, connection: ConnectionId, frame: &Frame) {
        let lane = self.lanes.entry(connection).or_default();
        if lane.flooded.is_none() {
            lane.flooded = Some(id);
            self.schedule(at + FLOOD_EVERY, Due::Flood(id, connection, frame.clone()));
        }
    }

    /// Ten milliseconds' worth of copies, and again in ten milliseconds.
    pub(super) fn flood(&mut self, at: Timestamp, id: u64, connection: ConnectionId, frame: Frame) {
        let going_on = self
            .lanes
            .get(&connection)
            .is_some_and(|lane| lane.flooded == Some(id));
        let Some(Deed::Flood { per_second }) = self.armed.get(&id).map(|armed| &armed.fault.deed)
        else {
            return;
        };
        if !going_on {
            return;
        }
        let copies = usize::try_from(*per_second / 100).unwrap_or(0);
        self.out
            .frames
            .extend(std::iter::repeat_n((connection, frame.clone()), copies));
        self.schedule(at + FLOOD_EVERY, Due::Flood(id, connection, frame));
    }

    /// Somebody asks for streams: what is left of the wish after the faults.
    pub(super) fn subscribed(
        &mut self,
        core: &mut Core,
        at: Timestamp,
        connection: ConnectionId,
        mut effects: Vec<Effect>,
    ) -> Vec<Effect> {
        for (id, deed) in self.struck(core, at, &Event::new(On::Subscribe, WireKind::Market)) {
            match deed {
                Deed::RefuseSubscribe { keep, ack } => {
                    let mut kept = 0;
                    effects.retain_mut(|effect| match effect {
                        Effect::Subscribe(_) => {
                            kept += 1;
                            kept <= keep
                        }
                        Effect::Answer(text) => {
                            if ack == Ack::Error {
                                *text = refused(text);
                            }
                            ack != Ack::Lost
                        }
                        _ => true,
                    });
                }
                Deed::Close { code } => self.stroke(Target::One(connection), Stroke::Close(code)),
                Deed::Shutdown => self.stroke(Target::One(connection), Stroke::Shutdown),
                other => self.do_to_exchange(core, at, id, &other),
            }
        }
        effects
    }
}

/// The refusal of a request that was answered with `text`.
fn refused(text: &str) -> String {
    let answer: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    serde_json::json!({
        "error": { "code": 2, "msg": "Invalid request: unknown stream" }, "id": answer["id"],
    })
    .to_string()
}

//! The control queue: one order for everything, room of its own for each kind.

use std::collections::{BTreeMap, VecDeque};

use tradewind_events::{Input, StreamChange};
use tradewind_model::AccountId;

use super::stats::{Counters, QueueStats};

/// Reports that may wait.
pub const REPORTS_MAX: usize = 65_536;
/// Commands that may wait.
pub const COMMANDS_MAX: usize = 1_024;
/// Evaluations that may wait.
pub const EVALUATIONS_MAX: usize = 16_384;
/// Inputs of the desk itself that may wait.
pub const DESK_MAX: usize = 4_096;

/// The kinds of control inputs. None takes another's room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ControlKind {
    /// Execution reports and what account streams tell. What one without room said of its order is in doubt, so the engine
    /// resyncs, that is, queries every open order, after the reports that did find room. The last state of a stream that
    /// found no room follows then: a stream that went down must not look live.
    Report,
    /// Commands. One without room is refused to its giver.
    Command,
    /// Answers of strategies that run elsewhere. One without room is dropped; the engine's deadline counts it as overrun.
    Evaluation,
    /// Accounts as read, candle histories, instruments, storage, start and stop. Few and rare, so that running out of room
    /// means an engine that is held up: the newest is dropped, counted and logged.
    Desk,
}

impl ControlKind {
    const ALL: [Self; 4] = [Self::Report, Self::Command, Self::Evaluation, Self::Desk];

    pub(super) const fn of(input: &Input) -> Self {
        match input {
            Input::Report(_) | Input::AccountStream { .. } => Self::Report,
            Input::Command(_) => Self::Command,
            Input::Evaluation(_) => Self::Evaluation,
            _ => Self::Desk,
        }
    }

    const fn capacity(self) -> usize {
        match self {
            Self::Report => REPORTS_MAX,
            Self::Command => COMMANDS_MAX,
            Self::Evaluation => EVALUATIONS_MAX,
            Self::Desk => DESK_MAX,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Report => "lane.reports",
            Self::Command => "lane.commands",
            Self::Evaluation => "lane.evaluations",
            Self::Desk => "lane.control",
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Report | Self::Command | Self::Desk => "lossless",
            Self::Evaluation => "drop",
        }
    }
}

/// No room was left.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the engine's queue is full")]
pub struct QueueFull;

/// Control inputs in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct ControlQueue {
    inputs: VecDeque<Input>,
    waiting: [usize; 4],
    counters: [Counters; 4],
    /// Whether a report was lost since the last time inputs were taken out.
    must_resync: bool,
    /// The last state of each account's stream that found no room since then.
    lost_states: BTreeMap<AccountId, Input>,
    /// Whether that some input found no room has been logged since then.
    overflow_logged: bool,
}

impl ControlQueue {
    /// Puts an input in if its kind has room.
    pub(super) fn push(&mut self, input: Input) -> Result<(), QueueFull> {
        let kind = ControlKind::of(&input);
        let (waiting, counters) = (
            &mut self.waiting[kind as usize],
            &mut self.counters[kind as usize],
        );
        if *waiting == kind.capacity() {
            counters.dropped();
            if !std::mem::replace(&mut self.overflow_logged, true) {
                tracing::error!(queue = kind.name(), "A queue before the engine is full.");
            }
            self.must_resync |= kind == ControlKind::Report;
            self.keep_state(input);
            return Err(QueueFull);
        }
        *waiting += 1;
        counters.published(*waiting);
        self.inputs.push_back(input);
        Ok(())
    }

    /// Keeps what must not be lost of an input that found no room.
    fn keep_state(&mut self, input: Input) {
        if let Input::AccountStream { account, change } = &input
            && matches!(
                **change,
                StreamChange::Connecting
                    | StreamChange::Up
                    | StreamChange::Down { .. }
                    | StreamChange::Unsure { .. }
            )
        {
            self.lost_states.insert(*account, input);
        }
    }

    /// Takes everything out, and behind it what follows from lost reports. `into` must be empty; its buffer is used again.
    pub(super) fn take(&mut self, into: &mut VecDeque<Input>) {
        std::mem::swap(&mut self.inputs, into);
        self.waiting = [0; 4];
        self.overflow_logged = false;
        if std::mem::take(&mut self.must_resync) {
            into.push_back(Input::Resync);
            into.extend(std::mem::take(&mut self.lost_states).into_values());
        }
    }

    pub(super) fn stats(&self) -> impl Iterator<Item = QueueStats> + '_ {
        ControlKind::ALL.into_iter().map(|kind| {
            let depth = self.waiting[kind as usize];
            self.counters[kind as usize].stats(kind.name(), kind.class(), depth, kind.capacity())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_events::{
        Action, Command, Evaluation, EvaluationOutcome, Principal, StorageHealth,
    };
    use tradewind_model::{
        BotId, ClientOrderId, ExecutionReport, InstrumentId, ReportKind, Side, Timestamp,
    };

    fn report() -> Input {
        Input::Report(Box::new(ExecutionReport {
            account: AccountId(0),
            instrument: InstrumentId(0),
            client_id: ClientOrderId(1),
            venue_order_id: None,
            kind: ReportKind::Accepted,
            cumulative: None,
            event_time: None,
        }))
    }

    fn command() -> Input {
        Input::Command(Box::new(Command {
            id: 1,
            principal: Principal::Local,
            issued_at: Timestamp::EPOCH,
            expires_at: None,
            action: Action::PauseBot(BotId(0)),
        }))
    }

    fn evaluation() -> Input {
        Input::Evaluation(Box::new(Evaluation {
            bot: BotId(0),
            request: 1,
            outcome: EvaluationOutcome::Decided(None),
        }))
    }

    fn desk() -> Input {
        Input::Storage(StorageHealth::Writing)
    }

    /// Each kind: its inputs, its room, and whether a full one makes the engine resync.
    #[test]
    fn each_kind_has_its_own_room_and_its_own_policy() {
        type Kind = (fn() -> Input, usize, bool);
        let kinds: [Kind; 4] = [
            (report, REPORTS_MAX, true),
            (command, COMMANDS_MAX, false),
            (evaluation, EVALUATIONS_MAX, false),
            (desk, DESK_MAX, false),
        ];
        for (place, (input, room, resyncs)) in kinds.into_iter().enumerate() {
            let mut queue = ControlQueue::default();
            for _ in 0..room {
                assert_eq!(queue.push(input()), Ok(()));
            }
            for _ in 0..3 {
                assert_eq!(queue.push(input()), Err(QueueFull));
            }
            for (_, (other, ..)) in kinds
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != place)
            {
                assert_eq!(queue.push(other()), Ok(()), "another kind has room");
            }
            let stats = queue.stats().nth(place).unwrap();
            assert_eq!((stats.depth, stats.high_water), (room, room));
            assert_eq!((stats.published, stats.dropped), (room as u64 + 3, 3));
            let mut taken = VecDeque::new();
            queue.take(&mut taken);
            assert_eq!(taken.len(), room + 3 + usize::from(resyncs));
            assert_eq!(
                taken.back() == Some(&Input::Resync),
                resyncs,
                "{}",
                stats.name
            );
            taken.clear();
            queue.take(&mut taken);
            assert!(taken.is_empty(), "one resync for all that was lost");
            assert_eq!(queue.push(input()), Ok(()), "there is room again");
            assert_eq!(queue.stats().nth(place).unwrap().delivered(), room as u64);
        }
    }

    #[test]
    fn the_last_state_of_a_stream_survives_a_full_queue() {
        let stream_state = |account, change| Input::AccountStream {
            account: AccountId(account),
            change: Box::new(change),
        };
        let reason = String::new();
        let mut queue = ControlQueue::default();
        (0..REPORTS_MAX).for_each(|_| queue.push(report()).unwrap());
        let down = StreamChange::Down { reason };
        for change in [StreamChange::Up, down.clone()] {
            assert_eq!(queue.push(stream_state(1, change)), Err(QueueFull));
        }
        let (balances, at) = (Vec::new(), Timestamp::EPOCH);
        let balances = stream_state(2, StreamChange::Balances { balances, at });
        assert_eq!(queue.push(balances), Err(QueueFull));
        let elsewhere = StreamChange::UnlistedTrade {
            symbol: String::new(),
            side: Side::Buy,
            quantity: String::new(),
            price: String::new(),
            client_id: None,
            at,
        };
        assert_eq!(queue.push(stream_state(1, elsewhere)), Err(QueueFull));
        let mut taken = VecDeque::new();
        queue.take(&mut taken);
        let behind: Vec<Input> = taken.drain(REPORTS_MAX..).collect();
        assert_eq!(behind, [Input::Resync, stream_state(1, down)]);
        taken.clear();
        queue.take(&mut taken);
        assert!(taken.is_empty());
    }

    #[test]
    fn kinds_keep_their_common_order() {
        let mut queue = ControlQueue::default();
        let inputs = [command(), report(), desk(), evaluation(), report()];
        for input in inputs.clone() {
            queue.push(input).unwrap();
        }
        let mut taken = VecDeque::new();
        queue.take(&mut taken);
        assert_eq!(taken, inputs);
    }
}

//! A strategy that runs in a process: each call is a request with a deadline.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tradewind_events::{BotConfig, StrategyProcess};
use tradewind_model::{
    Candle, CarriedOut, Decision, ExitPlan, Instrument, LastEntry, PositionState, Ppm, Quote,
    Reason, Stop, Target, Wake,
};
use tradewind_strategy::{RestoreError, Role, Strategy, StrategyError, View, WarmUp};

use crate::answer::Answer;
use crate::declaration::{Wanted, load};
use crate::error::ProcessError;
use crate::evaluation::{Proposal, Request, encode};
use crate::frame::{Frame, Kind, Reader};
use crate::history::History;
use crate::host::{Host, Processes};
use crate::kept::Kept;
use crate::table::{Row, Table, texts};

/// How long the columns of a whole history may take.
const HISTORY_DEADLINE: Duration = Duration::from_secs(1_800);

/// How a strategy's process is used.
#[derive(Clone, Debug)]
pub enum Mode {
    /// Candles come one by one.
    Live,
    /// The whole history is sent first, and columns are computed once.
    Backtest(Arc<History>),
}

/// A strategy in a process.
#[derive(Debug)]
pub struct ProcessStrategy {
    name: String,
    bot: u16,
    wanted: Wanted,
    process: StrategyProcess,
    instruments: Vec<Instrument>,
    traded: usize,
    fee: Ppm,
    mode: Mode,
    host: Host,
    /// The start of the process that has this strategy.
    generation: Option<u64>,
    /// By slot: what the desk decides from in a backtest.
    slots: Vec<Slot>,
    state: Vec<u8>,
    is_state_new: bool,
    warnings: Vec<String>,
}

/// What is kept of an instrument.
#[derive(Debug, Default)]
struct Slot {
    table: Option<Table>,
    /// The next row, whose candle most likely closes next.
    next: usize,
    /// The exposure that a row's target requested last.
    target: Option<Ppm>,
    /// The position that the process was shown last, in a backtest.
    shown: (PositionState, LastEntry),
}

impl ProcessStrategy {
    /// The strategy of a bot. Its process starts with the first use.
    ///
    /// # Panics
    /// If the bot's strategy does not run in a process.
    #[must_use]
    pub fn new(
        bot: &BotConfig,
        instruments: &[Instrument],
        processes: &Processes,
        mode: Mode,
    ) -> Self {
        let process = bot.process.as_deref();
        let process = process
            .expect("the bot's strategy runs in a process")
            .clone();
        let own = bot.instruments.iter().chain(&bot.reads);
        let own: Vec<Instrument> = own
            .filter_map(|id| instruments.get(id.index()).cloned())
            .collect();
        Self {
            name: bot.name.clone(),
            bot: u16::try_from(bot.id.0).unwrap_or(u16::MAX),
            wanted: Wanted::of(&process, &bot.parameters),
            host: processes.of(&process),
            process,
            traded: bot.instruments.len(),
            fee: Ppm::ZERO,
            slots: own.iter().map(|_| Slot::default()).collect(),
            instruments: own,
            mode,
            generation: None,
            state: Vec::new(),
            is_state_new: false,
            warnings: Vec::new(),
        }
    }

    /// The fee that the desk reckons with, as a share of an order's value; strategies that reckon with one are given it.
    #[must_use]
    pub fn with_fee(mut self, fee: Ppm) -> Self {
        self.fee = fee;
        self
    }

    /// Loads the file, if that was not done yet, so that the first evaluation does not wait for it.
    ///
    /// # Errors
    /// What went wrong; the process was killed.
    pub fn load(&mut self) -> Result<(), ProcessError> {
        let host = self.host.clone();
        let mut state = host.lock();
        if let Some(generation) = self.generation {
            if state.running(generation).is_some() {
                return Ok(());
            }
            self.generation = None;
            return Err(ProcessError::Group {
                group: self.process.group.clone().unwrap_or_default(),
                because: state.last_end().to_owned(),
            });
        }
        let loaded = match state.process(&self.name, &self.process) {
            Ok((process, generation)) => self.start(process).map(|()| generation),
            Err(error) => Err(error),
        };
        match loaded {
            Ok(generation) => {
                self.generation = Some(generation);
                Ok(())
            }
            Err(error) => {
                state.kill(&self.name, &error);
                Err(error)
            }
        }
    }

    /// What the process noted while it computed the history of a backtest, once.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// The state, if it changed since the last call.
    pub fn take_state(&mut self) -> Option<Vec<u8>> {
        std::mem::take(&mut self.is_state_new).then(|| self.save())
    }

    fn start(&mut self, process: &mut crate::child::Process) -> Result<(), ProcessError> {
        let declared = load(process, self.bot, &self.wanted)?;
        if declared.hash != self.process.hash {
            return Err(ProcessError::Refused {
                problem: format!("{} has changed since the desk started", self.process.file),
                cure: "start the desk again to use it".to_owned(),
            });
        }
        let body = self.start_body();
        let answer = process.request(Kind::Start, self.bot, body, crate::LOAD_DEADLINE)?;
        expect(&answer, &[Kind::Ready])?;
        let Mode::Backtest(history) = self.mode.clone() else {
            // The engine keeps no state of a strategy that it rebuilt: it is handed in again.
            self.is_state_new = !self.state.is_empty();
            return Ok(());
        };
        self.warnings.clear();
        for (slot, instrument) in (0_u16..).zip(&self.instruments) {
            for (interval, _) in &self.process.timeframes {
                for body in history.frames(slot, instrument.id, *interval) {
                    process.send(Kind::History, self.bot, body, HISTORY_DEADLINE)?;
                }
            }
        }
        for slot in 0..self.traded {
            let body = u16::try_from(slot).unwrap_or(u16::MAX).to_le_bytes();
            let answer =
                process.request(Kind::Compute, self.bot, body.to_vec(), HISTORY_DEADLINE)?;
            expect(&answer, &[Kind::Table, Kind::Done])?;
            self.keep_history(slot, &answer, &history)?;
        }
        Ok(())
    }

    fn keep_history(
        &mut self,
        slot: usize,
        answer: &Frame,
        history: &History,
    ) -> Result<(), ProcessError> {
        let garbled = |error: crate::FrameError| ProcessError::Garbled(error.to_string());
        let (Some(instrument), Some(kept)) = (self.instruments.get(slot), self.slots.get_mut(slot))
        else {
            return Ok(());
        };
        *kept = Slot::default();
        let mut noted = if answer.kind == Kind::Table {
            let mut table = Table::decode(&answer.body, instrument).map_err(garbled)?;
            let candles = history.of(instrument.id, self.process.base()).len();
            if table.len() != candles {
                let text = format!("{} rows for {candles} candles", table.len());
                return Err(ProcessError::Garbled(text));
            }
            let noted = std::mem::take(&mut table.warnings);
            kept.table = Some(table);
            noted
        } else {
            texts(&mut Reader::new(&answer.body)).map_err(garbled)?
        };
        noted
            .iter_mut()
            .for_each(|line| line.insert_str(0, &format!("{}: ", instrument.name)));
        self.warnings.append(&mut noted);
        Ok(())
    }

    fn start_body(&self) -> Vec<u8> {
        let instruments = self.instruments.iter().enumerate();
        let instruments: Vec<_> = instruments
            .map(|(slot, one)| {
                json!({
                    "name": one.name,
                    "price_decimals": one.price_decimals,
                    "quantity_decimals": one.quantity_decimals,
                    "tick": one.tick.0,
                    "step": one.step.0,
                    "traded": slot < self.traded,
                })
            })
            .collect();
        let mode = match self.mode {
            Mode::Live => "live",
            Mode::Backtest(_) => "backtest",
        };
        let start = json!({
            "bot": self.name,
            "mode": mode,
            "fee": self.fee.0,
            "instruments": instruments,
        });
        let start = start.to_string();
        let length = u32::try_from(start.len()).unwrap_or(u32::MAX);
        let mut body = length.to_le_bytes().to_vec();
        body.extend_from_slice(start.as_bytes());
        body.extend_from_slice(&self.state);
        body
    }

    /// One exchange with the process. Whatever goes wrong ends it.
    fn exchange(&mut self, kind: Kind, body: Vec<u8>) -> Result<Option<Frame>, ProcessError> {
        self.load()?;
        let (bot, deadline) = (self.bot, self.process.deadline);
        let host = self.host.clone();
        let mut state = host.lock();
        let generation = self.generation.unwrap_or_default();
        let Some(process) = state.running(generation) else {
            self.generation = None;
            return Err(ProcessError::Ended(state.last_end().to_owned()));
        };
        let result = match kind {
            Kind::Feed => process.send(kind, bot, body, deadline).map(|_| None),
            _ => process.request(kind, bot, body, deadline).map(Some),
        };
        if let Err(error) = &result {
            self.generation = None;
            state.kill(&self.name, error);
        }
        result
    }

    /// Kills the process for an answer that is none.
    fn refuse(&mut self, error: ProcessError) -> ProcessError {
        self.generation = None;
        self.host.lock().kill(&self.name, &error);
        error
    }

    fn feed(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, ProcessError> {
        let wake = Wake::Candle(candle.interval);
        // The process has the whole history of a backtest already.
        if matches!(self.mode, Mode::Live) {
            let body = encode(
                view,
                wake,
                Some(candle),
                Request::Decision,
                &self.instruments,
            );
            self.exchange(Kind::Feed, body)?;
        }
        Ok(hold("a candle of the past, or of a further timeframe"))
    }

    fn decide(
        &mut self,
        view: &View<'_>,
        wake: Wake,
        candle: Option<&Candle>,
        ask: Request,
    ) -> Result<Decision, ProcessError> {
        let body = encode(view, wake, candle, ask, &self.instruments);
        let Some(answer) = self.exchange(Kind::Evaluate, body)? else {
            return Ok(hold("fed"));
        };
        let read = expect(&answer, &[Kind::Decision]).and_then(|()| {
            let answer = Answer::decode(&answer.body, view.instrument);
            answer.map_err(|error| ProcessError::Garbled(error.to_string()))
        });
        let answer = read.map_err(|error| self.refuse(error))?;
        self.keep_state(answer.state);
        Ok(answer.decision)
    }

    fn keep_state(&mut self, state: Option<Vec<u8>>) {
        if let Some(state) = state {
            self.state = state;
            self.is_state_new = true;
        }
    }

    /// Shows the process of a backtest a position that changed: live it sees one at each close.
    fn show_position(&mut self, view: &View<'_>, candle: &Candle) -> Result<(), ProcessError> {
        let Some(slot) = self.slots.get_mut(view.slot) else {
            return Ok(());
        };
        let shown = (view.position, view.last_entry);
        if slot.table.is_none() || slot.shown == shown {
            return Ok(());
        }
        slot.shown = shown;
        let wake = Wake::Candle(candle.interval);
        let body = encode(
            view,
            wake,
            Some(candle),
            Request::Decision,
            &self.instruments,
        );
        self.exchange(Kind::Feed, body).map(|_| ())
    }

    /// Decides on a candle of the base timeframe by the rows of a table.
    fn by_row(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, ProcessError> {
        let wake = Wake::Candle(candle.interval);
        if matches!(self.mode, Mode::Backtest(_)) {
            self.show_position(view, candle)?;
        }
        let (table, index) = match &self.mode {
            Mode::Live => {
                let body = encode(view, wake, Some(candle), Request::Row, &self.instruments);
                let Some(answer) = self.exchange(Kind::Evaluate, body)? else {
                    return Ok(hold("fed"));
                };
                let read = expect(&answer, &[Kind::Table]).and_then(|()| {
                    let table = Table::decode(&answer.body, view.instrument);
                    table.map_err(|error| ProcessError::Garbled(error.to_string()))
                });
                let mut table = read.map_err(|error| self.refuse(error))?;
                self.keep_state(table.state.take());
                (table, 0)
            }
            Mode::Backtest(history) => {
                let candles = history.of(view.instrument.id, candle.interval);
                let slot = self.slots.get_mut(view.slot);
                let Some((slot, table)) = slot.and_then(|slot| {
                    let table = slot.table.take()?;
                    Some((slot, table))
                }) else {
                    return self.decide(view, wake, Some(candle), Request::Decision);
                };
                let is_here = |at: usize| {
                    candles
                        .get(at)
                        .is_some_and(|one| one.open_time == candle.open_time)
                };
                let index = if is_here(slot.next) {
                    slot.next
                } else {
                    candles.partition_point(|one| one.open_time < candle.open_time)
                };
                slot.next = index + 1;
                // A candle that is not in the history has no row: never that of a later one.
                (table, if is_here(index) { index } else { usize::MAX })
            }
        };
        let decided = self.apply_row(view, candle, &table, index);
        if let (Mode::Backtest(_), Some(slot)) = (&self.mode, self.slots.get_mut(view.slot)) {
            slot.table = Some(table);
        }
        decided
    }

    fn apply_row(
        &mut self,
        view: &View<'_>,
        candle: &Candle,
        table: &Table,
        index: usize,
    ) -> Result<Decision, ProcessError> {
        let Some(row) = table.row(index) else {
            return Ok(hold("no row of this candle"));
        };
        let wake = Wake::Candle(candle.interval);
        let is_held = view.position.quantity.abs() >= view.instrument.quantity_min
            && !view.position.quantity.is_zero();
        let mut confirm = |proposal| {
            let ask = Request::Confirmation(proposal);
            self.decide(view, wake, Some(candle), ask)
        };
        if is_held && table.calls_on_position() {
            let proposal = if row.exit {
                Proposal::Exit
            } else {
                Proposal::None
            };
            return confirm(proposal);
        }
        if is_held && row.exit {
            return match table.calls_on_exit() {
                true => confirm(Proposal::Exit),
                false => Ok(target(Ppm::ZERO, row.exit_tag, None)),
            };
        }
        if !is_held && row.enter != Ppm::ZERO {
            return match table.calls_on_entry() {
                true => confirm(Proposal::Enter),
                false => Ok(target(row.enter, row.enter_tag, entry_plan(table, &row))),
            };
        }
        let is_denied = view.last_entry == LastEntry::Denied && !is_held;
        let slot = self.slots.get_mut(view.slot);
        if let (Some(wanted), Some(slot)) = (row.target, slot)
            && (slot.target != Some(wanted) || is_denied)
        {
            // What a paused bot does not carry out is requested again.
            if view.carried_out == CarriedOut::All && slot.target != Some(wanted) {
                slot.target = Some(wanted);
                self.is_state_new = true;
            }
            return Ok(target(wanted, row.enter_tag, entry_plan(table, &row)));
        }
        Ok(hold("no signal in this row"))
    }

    fn has_rows(&self) -> bool {
        self.process.has_signals
    }
}

/// The exit plan of an entry: the table's, with the row's stop.
fn entry_plan(table: &Table, row: &Row<'_>) -> Option<Box<ExitPlan>> {
    let mut plan = table.plan().cloned();
    if let Some(stop) = row.stop {
        plan.get_or_insert_default().stop = Stop::At(stop);
    }
    plan.map(Box::new)
}

fn target(exposure: Ppm, tag: &str, exit: Option<Box<ExitPlan>>) -> Decision {
    let tag = if tag.is_empty() { "signal" } else { tag };
    Decision::Target(Target {
        adds: false,
        exposure,
        limit: None,
        exit,
        reason: Reason::Text(tag.into()),
    })
}

const fn hold(text: &'static str) -> Decision {
    Decision::Hold {
        reason: Reason::plain(text),
    }
}

fn expect(answer: &Frame, kinds: &[Kind]) -> Result<(), ProcessError> {
    if kinds.contains(&answer.kind) {
        return Ok(());
    }
    Err(ProcessError::Garbled(format!("{:?}", answer.kind)))
}

#[expect(clippy::needless_pass_by_value, reason = "it is used with map_err")]
fn fault(error: ProcessError) -> StrategyError {
    StrategyError::Process(error.to_string())
}

impl Strategy for ProcessStrategy {
    fn timeframes(&self) -> Vec<WarmUp> {
        let all = self.process.timeframes.iter();
        all.map(|(interval, candles)| WarmUp {
            interval: *interval,
            candles: *candles,
        })
        .collect()
    }

    fn on_quote(&mut self, view: &View<'_>, _: &Quote) -> Result<Decision, StrategyError> {
        self.decide(view, Wake::Quote, None, Request::Decision)
            .map_err(fault)
    }

    fn on_candle(&mut self, view: &View<'_>, candle: &Candle) -> Result<Decision, StrategyError> {
        let is_past = view.carried_out == CarriedOut::Nothing;
        let is_base = candle.interval == self.process.base();
        let wake = Wake::Candle(candle.interval);
        let decided = if is_past || !is_base || view.role == Role::Read {
            self.feed(view, candle)
        } else if self.has_rows() {
            self.load().and_then(|()| self.by_row(view, candle))
        } else {
            self.decide(view, wake, Some(candle), Request::Decision)
        };
        decided.map_err(fault)
    }

    fn on_timer(&mut self, view: &View<'_>) -> Result<Decision, StrategyError> {
        self.decide(view, Wake::Timer, None, Request::Decision)
            .map_err(fault)
    }

    fn save(&self) -> Vec<u8> {
        let targets = self.instruments.iter().zip(&self.slots);
        let targets = targets.filter_map(|(one, slot)| Some((one.name.clone(), slot.target?)));
        Kept {
            file: self.process.file.clone(),
            class: self.process.class.clone(),
            targets: targets.collect(),
        }
        .with(&self.state)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), RestoreError> {
        let (kept, state) = Kept::split(state);
        let is_other =
            |kept: &Kept| kept.file != self.process.file || kept.class != self.process.class;
        if kept.as_ref().is_some_and(is_other) {
            tracing::warn!(
                bot = self.name,
                "The kept state is of another strategy. This one starts without.",
            );
            self.state.clear();
        } else {
            self.state = state.to_vec();
            let targets = kept.map(|kept| kept.targets).unwrap_or_default();
            for (one, slot) in self.instruments.iter().zip(&mut self.slots) {
                slot.target = targets.get(&one.name).copied();
            }
        }
        // The process, if there is one, has other state: it is started again.
        if self.generation.take().is_some() {
            let replaced = ProcessError::Ended("its state was replaced".to_owned());
            self.host.lock().kill(&self.name, &replaced);
        }
        Ok(())
    }
}

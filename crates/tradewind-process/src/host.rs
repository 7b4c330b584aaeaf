//! The processes of a desk: one for each bot, or one for each group of bots.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tradewind_events::StrategyProcess;

use crate::child::{Limits, Process};
use crate::declaration::Declared;
use crate::error::ProcessError;

/// Hands out processes.
#[derive(Debug, Default)]
pub struct Processes {
    groups: Mutex<BTreeMap<String, Host>>,
    /// A process that has loaded its file already, for the first bot.
    spare: Mutex<Option<Host>>,
}

impl Processes {
    /// Gives the first bot the process that declared its strategy: what the file imports is there already.
    #[must_use]
    pub fn beginning_with(declared: &Declared) -> Self {
        Self {
            spare: Mutex::new(Some(declared.host.clone())),
            ..Self::default()
        }
    }

    /// The process of a bot: that of its group, or one of its own.
    pub(crate) fn of(&self, process: &StrategyProcess) -> Host {
        let Some(group) = &process.group else {
            return lock(&self.spare).take().unwrap_or_default();
        };
        lock(&self.groups).entry(group.clone()).or_default().clone()
    }
}

/// A process that is started when it is first used, and after it was killed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Host(Arc<Mutex<State>>);

#[derive(Debug, Default)]
pub(crate) struct State {
    process: Option<Process>,
    /// Counts starts.
    generation: u64,
    /// Why the last process was killed.
    last_end: String,
}

impl Host {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

impl State {
    /// The running process and the number of its start; starts one where there is none.
    pub(crate) fn process(
        &mut self,
        name: &str,
        of: &StrategyProcess,
    ) -> Result<(&mut Process, u64), ProcessError> {
        if self.process.is_none() {
            let limits = Limits {
                memory: of.memory_bytes,
            };
            let name = of.group.as_deref().unwrap_or(name);
            self.process = Some(Process::start(name, &of.interpreter, &limits)?);
            self.generation += 1;
        }
        match &mut self.process {
            Some(process) => Ok((process, self.generation)),
            None => Err(ProcessError::Ended("it was not started".to_owned())),
        }
    }

    /// The running process if it is the one of this start.
    pub(crate) fn running(&mut self, generation: u64) -> Option<&mut Process> {
        let is_same = self.generation == generation;
        self.process.as_mut().filter(|_| is_same)
    }

    /// Kills the process because of a bot.
    pub(crate) fn kill(&mut self, bot: &str, error: &ProcessError) {
        self.process = None;
        self.last_end = format!("{bot} {error}");
    }

    /// Why the last process was killed.
    pub(crate) fn last_end(&self) -> &str {
        &self.last_end
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Features: rule expressions whose values are the input of a model, one row at each close of a bot's own candles.
//!
//! Training and trading go through the same code: a row is computed from closed candles alone, and is complete when every candle of
//! the close has come that an expression needs.

use std::collections::BTreeMap;

use tradewind_model::{Candle, Interval, Timestamp};
use tradewind_strategy::{Role, View, WarmUp};

use crate::compile::add_base;
use crate::error::RuleError;
use crate::evaluate::StepContext;
use crate::lower::Lowering;
use crate::program::{LiveOp, Program};
use crate::state::State;
use crate::strategy::warm_ups;
use crate::text::RuleText;

/// Most features of a model.
const FEATURES_MAX: usize = 500;

/// Features that were checked.
#[derive(Clone, Debug)]
pub struct Features {
    names: Vec<String>,
    steps: Vec<usize>,
    program: Program,
    base: Option<usize>,
}

impl Features {
    /// Checks expressions by name, on candles of one length where they name no other.
    ///
    /// # Errors
    /// Every mistake, with its column and its cure.
    pub fn compile(
        features: &BTreeMap<String, String>,
        timeframe: Interval,
    ) -> Result<Self, Vec<RuleError>> {
        let text = RuleText {
            timeframe: Some(timeframe),
            ..RuleText::default()
        };
        let mut lowering = Lowering::new(&text);
        if features.is_empty() || features.len() > FEATURES_MAX {
            let problem = format!("{} of them", features.len());
            let cure = format!("write 1 to {FEATURES_MAX}, such as {{ r = \"rsi(14)\" }}");
            lowering
                .errors
                .push(RuleError::new("features", problem, cure));
        }
        let mut steps = Vec::new();
        for (name, expression) in features {
            let place = format!("features.{name}");
            let Some((tree, value)) = lowering.read(&place, expression) else {
                continue;
            };
            let known = lowering.program.live.len();
            let step = lowering.live_place(value);
            if !lowering.program.live.iter().all(is_of_candles) {
                let cure = "write an expression of candles and of the clock, such as rsi(14), (close > sma(50))@1h or hour";
                let what = "a feature that no past candle has";
                lowering.complain(tree.span, what, cure);
                lowering.program.live.truncate(known.min(step));
            }
            steps.push(step);
        }
        if let Some(other) = lowering.program.others.first() {
            let problem = format!("it reads {other}: features are of the instrument itself");
            let cure = "leave of() out";
            lowering
                .errors
                .push(RuleError::new("features", problem, cure));
        }
        if !lowering.errors.is_empty() {
            return Err(lowering.errors);
        }
        let mut program = lowering.program;
        add_base(&mut program);
        let base = program.lanes.iter().position(|lane| {
            (lane.source, Some(lane.interval), lane.is_late) == (0, program.base, false)
        });
        Ok(Self {
            names: features.keys().cloned().collect(),
            steps,
            program,
            base,
        })
    }

    /// Their names, in the order of a row's values.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The candles that they are fed with, the own ones first, each with the number of closed ones before the first row.
    #[must_use]
    pub fn timeframes(&self) -> Vec<WarmUp> {
        warm_ups(&self.program, false)
    }
}

/// Whether a step is known of each past candle.
fn is_of_candles(op: &LiveOp) -> bool {
    matches!(
        op,
        LiveOp::Constant(_) | LiveOp::Read(_) | LiveOp::Clock(_) | LiveOp::Apply(..)
    )
}

/// Features at work: candles in, rows out.
#[derive(Debug)]
pub struct FeatureRows {
    features: Features,
    template: State,
    state: State,
}

impl FeatureRows {
    /// Nothing was fed yet.
    #[must_use]
    pub fn new(features: Features, instruments: usize) -> Self {
        let template = State::new(&features.program, 1, 0);
        let state = State::new(&features.program, instruments.max(1), 0);
        Self {
            features,
            template,
            state,
        }
    }

    /// What they are.
    #[must_use]
    pub const fn features(&self) -> &Features {
        &self.features
    }

    /// Feeds a closed candle of the view's instrument.
    pub fn feed(&mut self, view: &View<'_>, candle: &Candle) {
        while self.state.slots.len() <= view.slot {
            let empty = self.template.slots[0].clone();
            self.state.slots.push(empty);
        }
        let place = (view.slot, view.role == Role::Traded);
        let program = &self.features.program;
        self.state
            .feed(program, candle, place, view.instrument, true);
    }

    /// The close of the last own candle of a slot, once everything of that close is there.
    #[must_use]
    pub fn complete(&self, slot: usize) -> Option<Timestamp> {
        let own = self.state.slots.get(slot)?;
        let close = own.base_close(self.features.base)?;
        let program = &self.features.program;
        own.is_complete(program, Some(close)).then_some(close)
    }

    /// The values of the last own candle of the view's slot, by [`Features::names`]; one that is unknown is not a number.
    pub fn row(&mut self, view: &View<'_>) -> Vec<f64> {
        let Some(close) = self
            .state
            .slots
            .get(view.slot)
            .and_then(|own| own.base_close(self.features.base))
        else {
            return vec![f64::NAN; self.features.steps.len()];
        };
        // The clock of a row is that of its close, whenever it is computed.
        let view = View { at: close, ..*view };
        let context = StepContext {
            program: &self.features.program,
            base: self.features.base,
            view: &view,
            is_timely: false,
            is_again: false,
        };
        context.run(&mut self.state, view.slot);
        let live = &self.state.slots[view.slot].live;
        self.features.steps.iter().map(|step| live[*step]).collect()
    }
}

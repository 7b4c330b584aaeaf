//! A bot whose strategy runs outside of the desk: most of the time it answers in time, and while it is hostile it answers late,
//! never, twice, with an error, or with what makes no sense.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use tradewind::driver::InputQueues;
use tradewind::driver::evaluation::LaneElsewhere;
use tradewind_events::{Evaluation, EvaluationError, EvaluationOutcome, EvaluationRequest, Input};
use tradewind_model::{Clock, Decision, Ppm, Price, Reason, Target, Timestamp};
use tradewind_simx::Chance;
use tradewind_venues::RealTime;

use crate::executor::{Executor, VirtualTime};

/// The bot, as in a configuration.
pub(crate) const BOT: &str = r#"
[[bots]]
id = "eth-outside"
strategy = "momentum_timer"
lane = "thread"
account = "paper"
instruments = ["ETH/USDT"]
wake = "every 4s"
budget = 300
exit = { stop = "0.3%" }
policy = "market"
params = { lookback = 1, full_rise = 0.02 }
"#;
/// Its id.
pub(crate) const NAME: &str = "eth-outside";
/// Lane of its draws.
const LANE: u64 = u64::MAX - 4;
/// Longest that a good answer takes.
const PROMPT_MS: u64 = 50;
/// Longest that a late one takes, in milliseconds.
const LATE_MS: u64 = 20_000;

/// How it answers while it is hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    Late,
    Never,
    Twice,
    Absurd,
    Fails,
}

impl Answers {
    pub(crate) const ALL: [Self; 5] = [
        Self::Late,
        Self::Never,
        Self::Twice,
        Self::Absurd,
        Self::Fails,
    ];
}

/// Until when it is hostile and how, and how often it was. Clones are the same bot's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hostility(Arc<Mutex<Hostile>>);

#[derive(Debug, Default)]
struct Hostile {
    until: Option<(Answers, Timestamp)>,
    hits: u64,
}

impl Hostility {
    pub(crate) fn begin(&self, answers: Answers, until: Timestamp) {
        self.0.lock().unwrap().until = Some((answers, until));
    }

    pub(crate) fn end(&self) {
        self.0.lock().unwrap().until = None;
    }

    /// Requests that were answered in another way than they should be.
    pub(crate) fn hits(&self) -> u64 {
        self.0.lock().unwrap().hits
    }

    fn at(&self, now: Timestamp) -> Option<Answers> {
        let mut hostile = self.0.lock().unwrap();
        let (answers, _) = hostile.until.filter(|(_, until)| now < *until)?;
        hostile.hits += 1;
        Some(answers)
    }
}

#[derive(Default)]
struct Requests {
    waiting: VecDeque<Box<EvaluationRequest>>,
    waker: Option<Waker>,
}

/// The desk's end of the lane.
struct Lane(Arc<Mutex<Requests>>);

impl LaneElsewhere for Lane {
    fn evaluate(&self, request: Box<EvaluationRequest>) {
        let requests = &mut *self.0.lock().unwrap();
        requests.waiting.push_back(request);
        if let Some(waker) = requests.waker.take() {
            waker.wake();
        }
    }

    fn reset(&self) {}
}

/// Starts the strategy; what the desk gives its requests to.
pub(crate) fn start(
    executor: &mut Executor,
    time: &VirtualTime,
    queues: &Arc<InputQueues>,
    hostility: &Hostility,
    seed: u64,
) -> Box<dyn LaneElsewhere> {
    let requests = Arc::<Mutex<Requests>>::default();
    let lane = Lane(Arc::clone(&requests));
    let (time, queues, hostility) = (time.clone(), Arc::clone(queues), hostility.clone());
    // Each start draws anew.
    let began = Clock::now(&time).since(Timestamp::EPOCH).as_secs();
    let mut draws = Chance::new(seed ^ began, LANE);
    executor.start("a strategy outside", |stop| async move {
        let work = async {
            loop {
                let request = next(&requests).await;
                let hostile = hostility.at(Clock::now(&time));
                if hostile == Some(Answers::Never) {
                    continue;
                }
                let most = match hostile {
                    Some(Answers::Late) => LATE_MS,
                    _ => PROMPT_MS,
                };
                time.sleep(Duration::from_millis(1 + draws.below(most)))
                    .await;
                let outcome = outcome(&request, hostile, &mut draws);
                let is_silent = !request.decide && matches!(outcome, EvaluationOutcome::Decided(_));
                let answer = Evaluation {
                    bot: request.bot,
                    request: number(&request, hostile, &mut draws),
                    outcome,
                };
                if hostile == Some(Answers::Twice) {
                    queues.control(Input::Evaluation(Box::new(answer.clone())));
                }
                if !is_silent {
                    queues.control(Input::Evaluation(Box::new(answer)));
                }
            }
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = work => {}
        }
        Ok(())
    });
    Box::new(lane)
}

async fn next(requests: &Mutex<Requests>) -> Box<EvaluationRequest> {
    poll_fn(|context| {
        let requests = &mut *requests.lock().unwrap();
        if let Some(request) = requests.waiting.pop_front() {
            return Poll::Ready(request);
        }
        requests.waker = Some(context.waker().clone());
        Poll::Pending
    })
    .await
}

/// An absurd answer may be to a request that was never made.
fn number(request: &EvaluationRequest, hostile: Option<Answers>, draws: &mut Chance) -> u64 {
    match hostile {
        Some(Answers::Absurd) if draws.below(4) == 0 => request.request + 1_000,
        _ => request.request,
    }
}

fn outcome(
    request: &EvaluationRequest,
    hostile: Option<Answers>,
    draws: &mut Chance,
) -> EvaluationOutcome {
    if hostile == Some(Answers::Fails) {
        return EvaluationOutcome::Failed(match draws.below(3) {
            0 => EvaluationError::Panic("it panicked".to_owned()),
            1 => EvaluationError::Error("divided by zero".to_owned()),
            _ => EvaluationError::Overrun,
        });
    }
    if !request.decide && hostile != Some(Answers::Absurd) {
        return EvaluationOutcome::Decided(None);
    }
    let decision = match hostile {
        Some(Answers::Absurd) => absurd(draws),
        _ => sane(draws),
    };
    EvaluationOutcome::Decided(Some(decision))
}

fn sane(draws: &mut Chance) -> Decision {
    let exposure = match draws.below(4) {
        0 => Ppm(1_000_000),
        1 => Ppm(0),
        _ => {
            let reason = Reason::plain("as it is");
            return Decision::Hold { reason };
        }
    };
    target(exposure, None, "as drawn")
}

fn absurd(draws: &mut Chance) -> Decision {
    let exposures = [i64::MAX, i64::MIN, 1_000_000_000, -1_000_000, 1, -1];
    let chosen = usize::try_from(draws.below(exposures.len() as u64)).unwrap();
    let limits = [
        None,
        Some(Price(0)),
        Some(Price(-1)),
        Some(Price(i64::MAX)),
        Some(Price(i64::MIN)),
    ];
    let limit = usize::try_from(draws.below(limits.len() as u64)).unwrap();
    target(
        Ppm(exposures[chosen]),
        limits[limit],
        "\u{0}\u{202e}{}{}{}{}{}",
    )
}

fn target(exposure: Ppm, limit: Option<Price>, words: &'static str) -> Decision {
    Decision::Target(Target {
        exposure,
        limit,
        exit: None,
        reason: Reason::plain(words),
        adds: false,
    })
}

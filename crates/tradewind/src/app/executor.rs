//! Carries out one account's effects at its venue: orders, cancels, questions, readings.
//!
//! Orders wait for the account's order rate (R16, see `waiting`): a full minute of signals is spread out, not refused.
//! Everything else goes at once, but no cancel and no question overtakes its order. What the venue says comes back as
//! inputs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_events::{
    AccountState, AdoptedOrder, CandleHistory, Configuration, Input, OpenOrder,
};
use tradewind_model::{
    AccountId, ClientOrderId, Clock, ExecutionReport, InstrumentId, Interval, NotSentReason,
    OrderTerms, Quantity, RejectReason, ReportKind, Timestamp, TradeId,
};
use tradewind_risk::ApprovedOrder;
use tradewind_storage::Writer;
use tradewind_venues::execution::{CandleRange, Next, OrderQuery, OrderQueue, OrderRecord};
use tradewind_venues::{BinanceVenue, VenueError};

use crate::app::order_ownership::OrderOwnership;
use crate::app::questions::{Question, Questions};
use crate::app::sending::{OnItsWay, Sending};
use crate::driver::{Effect, InputQueues, LatencyStages, Stage};

/// Effects that wait for one account.
pub(crate) const EFFECTS_MAX: usize = 10_000;
/// Tries of a reading before it is given up.
const READS_MAX: u32 = 5;
/// Between two questions about an order whose fate is unknown.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// After the sending, when the venue's "no such order" is believed: its receive window and ten seconds for its
/// databases.
const ABSENT_AFTER: Duration = Duration::from_secs(15);
/// How long a cancel waits for its order's answer.
const CANCEL_PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at orders that wait for the rate.
const MOMENT: Duration = Duration::from_millis(50);
/// Between two readings of an account that changed under the first.
const STAND_STILL: Duration = Duration::from_millis(250);
/// Readings of a changing account in a row before a longer pause.
const MOVED_MAX: u32 = 20;

/// One account's hands.
#[derive(Clone, Debug)]
pub(crate) struct Executor {
    /// The account.
    pub(crate) account: AccountId,
    /// Its venue.
    pub(crate) venue: Arc<BinanceVenue>,
    /// Where answers go.
    pub(crate) queues: Arc<InputQueues>,
    /// Whose orders are.
    pub(crate) owners: Arc<OrderOwnership>,
    /// The desk's configuration.
    pub(crate) configuration: Arc<Configuration>,
    /// The desk's clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// The database, which is told of fills that were made while the desk was down.
    pub(crate) writer: Arc<Writer>,
    /// Where times are counted.
    pub(crate) stages: LatencyStages,
    /// Which orders are on their way.
    pub(crate) sending: Sending,
    /// Who is asked about.
    pub(crate) questions: Questions,
}

/// What one account has begun and not ended.
struct Work {
    waiting: OrderQueue,
    tasks: JoinSet<()>,
    /// Those of the tasks that read the account.
    readings: Vec<Id>,
    stop: CancellationToken,
}

impl Executor {
    /// Carries out effects until told to stop; what is on its way then is given up by its own time-outs.
    ///
    /// # Errors
    /// Never; a component's signature.
    pub(crate) async fn run(
        self,
        mut effects: mpsc::Receiver<Effect>,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut work = Work {
            waiting: OrderQueue::new(self.configuration.limits.account_order_rate),
            tasks: JoinSet::new(),
            readings: Vec::new(),
            stop: stop.clone(),
        };
        loop {
            self.send(&mut work);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = work.tasks.join_next_with_id(), if !work.tasks.is_empty() => {
                    self.task_ended(ended, &mut work);
                }
                effect = effects.recv() => match effect {
                    Some(effect) => self.begin(&effect, &mut work),
                    None => break,
                },
                () = tokio::time::sleep(MOMENT), if !work.waiting.is_empty() => {}
            }
        }
        work.tasks.shutdown().await;
        Ok(())
    }

    /// Sends what the rate allows now.
    fn send(&self, work: &mut Work) {
        while let Some(next) = work.waiting.next(self.clock.now()) {
            match next {
                Next::Send(order) => {
                    let way = self.sending.begin(order.terms().client_id, &self.clock);
                    let this = self.clone();
                    work.tasks
                        .spawn(async move { this.submit(&order, way).await });
                }
                Next::TooOld(order) => self.not_sent(order.terms()),
                Next::Later => return,
            }
        }
    }

    /// A task that failed inside did not say what became of its order or account: it is asked about again.
    fn task_ended(&self, ended: Result<(Id, ()), JoinError>, work: &mut Work) {
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let was_reading = work.readings.iter().position(|reading| *reading == id);
        if let Some(place) = was_reading {
            work.readings.swap_remove(place);
        }
        let Err(error) = ended else { return };
        tracing::error!(account = self.account.0, %error, "A request to the venue failed inside.");
        if was_reading.is_some() {
            self.read(ASK_EVERY, work);
        } else {
            self.queues.control(Input::Resync);
        }
    }

    fn begin(&self, effect: &Effect, work: &mut Work) {
        match *effect {
            Effect::Submit(_, order) => work.waiting.push(order),
            Effect::Cancel {
                instrument,
                client_id,
                ..
            } => self.begin_cancel(instrument, client_id, work),
            Effect::Query {
                instrument,
                client_id,
                ..
            } => self.begin_question(instrument, client_id, work),
            Effect::Reconcile(_) => self.read(Duration::ZERO, work),
            Effect::Candles {
                instrument,
                interval,
                count,
            } => {
                let (this, stop) = (self.clone(), work.stop.clone());
                work.tasks
                    .spawn(async move { this.candles(instrument, interval, count, &stop).await });
            }
        }
    }

    /// An order that still waits is taken back; one on its way is first waited for.
    fn begin_cancel(&self, instrument: InstrumentId, id: ClientOrderId, work: &mut Work) {
        if let Some(order) = work.waiting.remove(id) {
            return self.not_sent(order.terms());
        }
        let this = self.clone();
        work.tasks.spawn(async move {
            let over = this.sending.over(id);
            if tokio::time::timeout(CANCEL_PATIENCE, over).await.is_err() {
                tracing::warn!(order = %id, "Cancelled before its answer came.");
            }
            this.report(this.venue.cancel(instrument, id).await);
        });
    }

    /// An order that still waits needs no question: what becomes of it is reported from here.
    fn begin_question(&self, instrument: InstrumentId, id: ClientOrderId, work: &mut Work) {
        if work.waiting.contains(id) {
            return;
        }
        let Some(mut question) = self.questions.begin(id, Instant::now()) else {
            return;
        };
        let (this, stop) = (self.clone(), work.stop.clone());
        work.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep_until(question.not_before) => {}
                }
                this.ask(instrument, &question, &stop).await;
                if !question.once_more(Instant::now()) {
                    return;
                }
            }
        });
    }

    fn read(&self, after: Duration, work: &mut Work) {
        let (this, stop) = (self.clone(), work.stop.clone());
        let task = work.tasks.spawn(async move {
            tokio::time::sleep(after).await;
            this.reconcile(&stop).await;
        });
        work.readings.push(task.id());
    }

    fn not_sent(&self, terms: &OrderTerms) {
        self.report(ExecutionReport {
            account: terms.account,
            instrument: terms.instrument,
            client_id: terms.client_id,
            venue_order_id: None,
            kind: ReportKind::NotSent(NotSentReason::Expired),
            cumulative: None,
            event_time: None,
        });
    }

    fn report(&self, report: ExecutionReport) {
        self.queues.control(Input::Report(Box::new(report)));
    }

    async fn submit(&self, order: &ApprovedOrder, way: OnItsWay) {
        let sent = Instant::now();
        self.stages
            .record(Stage::Send, self.clock.now().since(order.decided_at()));
        let reports = self.venue.submit(order).await;
        self.stages.record(Stage::Ack, sent.elapsed());
        for report in reports {
            self.report(report);
        }
        // Whoever waits for the answer comes after its reports.
        drop(way);
    }

    /// Asks what became of an order until there is a definite answer.
    async fn ask(&self, instrument: InstrumentId, question: &Question, stop: &CancellationToken) {
        let (client_id, asked_at) = (question.id, self.clock.now());
        loop {
            match self.venue.query(instrument, client_id).await {
                Ok(OrderQuery::Found(reports)) => {
                    reports.into_iter().for_each(|report| self.report(report));
                    return;
                }
                Ok(OrderQuery::Archived) => return self.archived(instrument, client_id),
                Ok(OrderQuery::Absent { venue_time }) => {
                    let sent = self.sending.sent_before(client_id, asked_at);
                    if sent.is_some_and(|at| venue_time.since(at) > ABSENT_AFTER) {
                        return self.absent(instrument, client_id, venue_time);
                    }
                }
                Err(error) => {
                    tracing::warn!(%client_id, %error, "The venue did not say what became of an order.");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(ASK_EVERY) => {}
            }
        }
    }

    /// The order ended without a fill so long ago that the venue keeps no more of it; whether it was cancelled or expired
    /// makes no difference any more.
    fn archived(&self, instrument: InstrumentId, client_id: ClientOrderId) {
        tracing::warn!(%client_id, "The venue has archived an order that was thought open: it ended without a fill.");
        self.report(ExecutionReport {
            account: self.account,
            instrument,
            client_id,
            venue_order_id: None,
            kind: ReportKind::Expired,
            cumulative: Some(Quantity::ZERO),
            event_time: None,
        });
    }

    /// The venue never had the order.
    fn absent(&self, instrument: InstrumentId, client_id: ClientOrderId, venue_time: Timestamp) {
        let text = "the venue has no such order".to_owned();
        self.report(ExecutionReport {
            account: self.account,
            instrument,
            client_id,
            venue_order_id: None,
            kind: ReportKind::Rejected(RejectReason { code: -2013, text }),
            cumulative: None,
            event_time: Some(venue_time),
        });
    }

    async fn candles(
        &self,
        instrument: InstrumentId,
        interval: Interval,
        count: u32,
        stop: &CancellationToken,
    ) {
        let read = || {
            self.venue
                .candles(instrument, interval, CandleRange::Latest(count))
        };
        let candles = match patiently(stop, read).await {
            Ok(candles) => candles,
            Err(error) => {
                tracing::error!(instrument = instrument.0, %interval, %error, "Past candles cannot be read.");
                Vec::new()
            }
        };
        self.queues.control(Input::Candles(Box::new(CandleHistory {
            instrument,
            interval,
            candles,
        })));
    }

    /// Reads the account until it stands still for the time of one reading, then hands it in.
    async fn reconcile(&self, stop: &CancellationToken) {
        let mut moved = 0;
        loop {
            let pause = match patiently(stop, || self.read_account()).await {
                Ok(Some(state)) => return self.hand_in(state),
                Ok(None) if moved < MOVED_MAX => {
                    moved += 1;
                    STAND_STILL
                }
                Ok(None) => {
                    tracing::warn!(
                        account = self.account.0,
                        "The account does not stand still; nothing trades on it."
                    );
                    moved = 0;
                    ASK_EVERY
                }
                Err(error) => {
                    tracing::error!(account = self.account.0, %error, "The account cannot be read; nothing trades on it.");
                    ASK_EVERY
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn hand_in(&self, state: AccountState) {
        if !self.writer.upsert_fills(&state.fills) {
            tracing::warn!(
                "The database has too much to do; the next start adds its missing fills."
            );
        }
        self.queues.control(Input::Account(Box::new(state)));
    }

    /// One reading; `None` if the account changed under it.
    async fn read_account(&self) -> Result<Option<AccountState>, VenueError> {
        let before = self.venue.account().await?;
        let open = self.venue.open_orders().await?;
        let mut fills = Vec::new();
        for instrument in self
            .configuration
            .instruments
            .iter()
            .filter(|instrument| instrument.has_data())
        {
            fills.extend(self.venue.my_trades(instrument.id, TradeId(0)).await?);
        }
        if self.venue.account().await? != before {
            return Ok(None);
        }
        fills.sort_by_key(|fill| (fill.event_time, fill.trade_id));
        let owned = |id| self.owners.get(id).and_then(|owned| owned.bot);
        Ok(Some(AccountState {
            account: self.account,
            balances: before
                .iter()
                .map(|held| (held.asset, held.free + held.locked))
                .collect(),
            open_orders: open
                .iter()
                .filter_map(|record| self.open_order(record))
                .collect(),
            fills: fills
                .into_iter()
                .map(|fill| (fill, owned(fill.client_id)))
                .collect(),
        }))
    }

    fn open_order(&self, record: &OrderRecord) -> Option<OpenOrder> {
        let terms = OrderTerms {
            account: record.account,
            instrument: record.instrument,
            client_id: record.client_id,
            side: record.side,
            quantity: record.quantity,
            kind: record.kind?,
        };
        let adopted = self.owners.get(record.client_id);
        let adopted = adopted.map(|owned| AdoptedOrder {
            bot: owned.bot,
            placed_at: owned.placed_at,
        });
        Some(OpenOrder {
            terms,
            venue_order_id: record.venue_order_id,
            filled: record.filled,
            adopted,
        })
    }
}

/// Reads again after what may pass, a few times and ever more slowly.
async fn patiently<T, F>(stop: &CancellationToken, read: impl Fn() -> F) -> Result<T, VenueError>
where
    F: Future<Output = Result<T, VenueError>>,
{
    let mut wait = Duration::from_millis(500);
    for _ in 1..READS_MAX {
        match read().await {
            Err(error) if error.is_transient() => tracing::warn!(%error, "Reading again."),
            done => return done,
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(wait) => wait *= 2,
        }
    }
    read().await
}

//! Carries out one account's effects at its venue: orders, cancels, questions, readings.
//!
//! Orders wait in two queues, exits first, held to the account's order rate (R16): a full minute of signals is spread
//! out, not refused. Everything else goes at once. What the venue says comes back as inputs.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind_events::{
    AccountState, AdoptedOrder, CandleHistory, Configuration, Input, OpenOrder,
};
use tradewind_model::{
    AccountId, ClientOrderId, ExecutionReport, InstrumentId, Interval, OrderTerms, RejectReason,
    ReportKind, TradeId,
};
use tradewind_risk::{Checked, Rate, TokenBucket};
use tradewind_simx_server::SimClock;
use tradewind_storage::Writer;
use tradewind_venues::binance::{CandleRange, OrderQuery, OrderRecord};
use tradewind_venues::{BinanceVenue, VenueError};

use crate::app::owners::Owners;
use crate::driver::{Effect, Lanes, Stage, Stages};

/// Effects that wait for one account.
pub(crate) const EFFECTS_MAX: usize = 10_000;
/// Tries of a reading before it is given up.
const READS_MAX: u32 = 5;
/// Between two questions about an order whose fate is unknown.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// After which the venue's "no such order" is believed: its receive window and ten seconds for its databases.
const ABSENT_AFTER: Duration = Duration::from_secs(15);

/// One account's hands.
#[derive(Clone, Debug)]
pub(crate) struct Executor {
    /// The account.
    pub(crate) account: AccountId,
    /// Its venue.
    pub(crate) venue: Arc<BinanceVenue>,
    /// Where answers go.
    pub(crate) lanes: Arc<Lanes>,
    /// Whose orders are.
    pub(crate) owners: Arc<Owners>,
    /// The desk's configuration.
    pub(crate) configuration: Arc<Configuration>,
    /// The desk's clock.
    pub(crate) clock: Arc<SimClock>,
    /// The database, which is told of fills that were made while the desk was down.
    pub(crate) writer: Arc<Writer>,
    /// Where times are counted.
    pub(crate) stages: Stages,
}

/// Orders that wait for the account's rate.
#[derive(Default)]
struct Waiting {
    exits: VecDeque<Checked>,
    entries: VecDeque<Checked>,
    bucket: TokenBucket,
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
        let rate = self.configuration.limits.account_order_rate;
        let mut waiting = Waiting::default();
        let mut tasks = JoinSet::new();
        loop {
            let pause = waiting.send(&self, rate.as_ref(), &mut tasks);
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = tasks.join_next(), if !tasks.is_empty() => self.task_ended(ended),
                effect = effects.recv() => match effect {
                    Some(Effect::Submit(order)) => waiting.push(order),
                    Some(effect) => self.begin(effect, &stop, &mut tasks),
                    None => break,
                },
                () = tokio::time::sleep(pause), if waiting.is_waiting() => {}
            }
        }
        tasks.shutdown().await;
        Ok(())
    }

    #[expect(
        clippy::unused_self,
        reason = "the account is what the log line is about"
    )]
    fn task_ended(&self, ended: Result<(), tokio::task::JoinError>) {
        if let Err(error) = ended {
            tracing::error!(account = self.account.0, %error, "A request to the venue failed inside.");
        }
    }

    fn begin(&self, effect: Effect, stop: &CancellationToken, tasks: &mut JoinSet<()>) {
        let this = self.clone();
        let stop = stop.clone();
        match effect {
            Effect::Submit(order) => {
                tasks.spawn(async move { this.submit(&order).await });
            }
            Effect::Cancel {
                instrument,
                client_id,
                ..
            } => {
                tasks.spawn(async move {
                    let report = this.venue.cancel(instrument, client_id).await;
                    this.report(report);
                });
            }
            Effect::Query {
                instrument,
                client_id,
                ..
            } => {
                tasks.spawn(async move { this.ask(instrument, client_id, &stop).await });
            }
            Effect::Reconcile(_) => {
                tasks.spawn(async move { this.reconcile(&stop).await });
            }
            Effect::Candles {
                instrument,
                interval,
                count,
            } => {
                tasks.spawn(async move { this.candles(instrument, interval, count, &stop).await });
            }
        }
    }

    fn report(&self, report: ExecutionReport) {
        self.lanes.control(Input::Report(Box::new(report)));
    }

    async fn submit(&self, order: &Checked) {
        let sent = Instant::now();
        self.stages
            .record(Stage::Send, self.clock.now().since(order.decided_at()));
        let reports = self.venue.submit(order).await;
        self.stages.record(Stage::Ack, sent.elapsed());
        for report in reports {
            self.report(report);
        }
    }

    /// Asks what became of an order until there is a definite answer.
    async fn ask(
        &self,
        instrument: InstrumentId,
        client_id: ClientOrderId,
        stop: &CancellationToken,
    ) {
        let asked_at = self.clock.now();
        loop {
            match self.venue.query(instrument, client_id).await {
                Ok(OrderQuery::Found(reports)) => {
                    reports.into_iter().for_each(|report| self.report(report));
                    return;
                }
                Ok(OrderQuery::Absent { venue_time })
                    if venue_time.since(asked_at) > ABSENT_AFTER =>
                {
                    let text = "the venue has no such order".to_owned();
                    let kind = ReportKind::Rejected(RejectReason { code: -2013, text });
                    let (account, event_time) = (self.account, Some(venue_time));
                    self.report(ExecutionReport {
                        account,
                        instrument,
                        client_id,
                        venue_order_id: None,
                        kind,
                        cumulative: None,
                        event_time,
                    });
                    return;
                }
                Ok(OrderQuery::Absent { .. }) => {}
                Err(error) => {
                    tracing::warn!(%client_id, %error, "The venue did not say what became of an order.")
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(ASK_EVERY) => {}
            }
        }
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
        self.lanes.control(Input::Candles(Box::new(CandleHistory {
            instrument,
            interval,
            candles,
        })));
    }

    /// Reads the account until it stands still for the time of one reading, then hands it in.
    async fn reconcile(&self, stop: &CancellationToken) {
        loop {
            match patiently(stop, || self.read_account()).await {
                Ok(state) => {
                    if !self.writer.upsert_fills(&state.fills) {
                        tracing::warn!(
                            "The database has too much to do; the next start adds its missing fills."
                        );
                    }
                    return self.lanes.control(Input::Account(Box::new(state)));
                }
                Err(error) => {
                    tracing::error!(account = self.account.0, %error, "The account cannot be read; nothing trades on it.");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(ASK_EVERY) => {}
            }
        }
    }

    async fn read_account(&self) -> Result<AccountState, VenueError> {
        loop {
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
                continue;
            }
            fills.sort_by_key(|fill| (fill.event_time, fill.trade_id));
            let owned = |id| self.owners.get(id).and_then(|owned| owned.bot);
            return Ok(AccountState {
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
            });
        }
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

impl Waiting {
    fn push(&mut self, order: Checked) {
        let queue = if order.is_exit() {
            &mut self.exits
        } else {
            &mut self.entries
        };
        queue.push_back(order);
    }

    fn is_waiting(&self) -> bool {
        !self.exits.is_empty() || !self.entries.is_empty()
    }

    /// Sends what the rate allows now, exits first, and says how long to wait for the rest.
    fn send(
        &mut self,
        executor: &Executor,
        rate: Option<&Rate>,
        tasks: &mut JoinSet<()>,
    ) -> Duration {
        const MOMENT: Duration = Duration::from_millis(50);
        while self.is_waiting() {
            let now = executor.clock.now();
            if rate.is_some_and(|rate| !self.bucket.has_room(now, rate)) {
                return MOMENT;
            }
            let Some(order) = self.exits.pop_front().or_else(|| self.entries.pop_front()) else {
                break;
            };
            if let Some(rate) = rate {
                self.bucket.take(now, rate);
            }
            let executor = executor.clone();
            tasks.spawn(async move { executor.submit(&order).await });
        }
        MOMENT
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

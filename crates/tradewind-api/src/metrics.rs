//! Metrics, read from the desk at each scrape: nothing is counted twice and nothing is kept between two scrapes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use tradewind_events::DeskView;
use tradewind_model::{Amount, OrderStatus};

use crate::desk::{Health, StageTimes};
use crate::state::ApiState;
use crate::wire::{Names, Queue};

/// The type of the text.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics as text.
pub(crate) fn scrape(
    state: &ApiState,
    view: Arc<DeskView>,
    names: Names,
) -> Result<String, fmt::Error> {
    let mut health = state.desk.health();
    health.stages.push(state.hub.times());
    let scrape = Scrape {
        view,
        names,
        health,
        queues: state.desk.queues(),
        streams: state.hub.clients(),
    };
    let mut registry = Registry::with_prefix("tradewind");
    registry.register_collector(Box::new(scrape));
    let mut text = String::with_capacity(32 * 1024);
    encode(&mut text, &registry)?;
    Ok(text)
}

/// What one scrape saw.
#[derive(Debug)]
struct Scrape {
    view: Arc<DeskView>,
    names: Names,
    health: Health,
    queues: Vec<Queue>,
    streams: usize,
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(&mut encoder);
        self.desk(&mut out)?;
        self.bots(&mut out)?;
        self.queues(&mut out)?;
        self.edges(&mut out)?;
        self.stages(&mut encoder)
    }
}

impl Scrape {
    fn desk(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let view = &self.view;
        let accounts = || view.accounts.iter();
        out.gauge("seq", "Last input handled", as_f64(view.seq))?;
        out.gauge("streams", "Open event streams", as_f64(self.streams as u64))?;
        out.gauge(
            "ready",
            "1 if the desk may trade",
            f64::from(u8::from(self.health.ready)),
        )?;
        let state = [(view.state.name().to_owned(), 1.0)];
        out.gauges("trading_state", "1 for the desk's state", "state", state)?;
        let name = |account| self.names.account(account);
        let rows = accounts().map(|one| (name(one.account), money(one.equity.equity)));
        out.gauges("equity", "Equity in the report asset", "account", rows)?;
        let rows = accounts().map(|one| (name(one.account), money(one.equity.realized)));
        out.gauges("realized", "Realised since the start", "account", rows)?;
        let rows = accounts().map(|one| (name(one.account), money(one.equity.unrealized)));
        out.gauges("unrealized", "Unrealised", "account", rows)?;
        let open = OrderStatus::ALL.into_iter().filter(|one| one.is_open());
        let rows = open.map(|status| {
            let orders = view.orders.iter().filter(|order| order.status == status);
            (status.name().to_owned(), as_f64(orders.count() as u64))
        });
        out.gauges("orders", "Open orders by state", "state", rows)?;
        let unprotected = as_f64(view.unprotected.len() as u64);
        let help = "Positions that no stop at the venue covers";
        out.gauge("unprotected_positions", help, unprotected)?;
        let blocked = as_f64(view.blocked_exits.len() as u64);
        out.gauge("blocked_exits", "Exits refused again and again", blocked)?;
        let counters = &view.counters;
        let rows = [
            ("wakes", counters.wakes),
            ("holds", counters.holds),
            ("signals", counters.signals),
            ("denials", counters.denials),
            ("orders", counters.orders),
            ("fills", counters.fills),
            ("partial_fills", counters.partial_fills),
            ("duplicate_reports", counters.duplicate_reports),
            ("late_evaluations", counters.late_evaluations),
            ("alarms", counters.alarms),
            ("bot_errors", counters.bot_errors),
        ];
        let rows = rows.map(|(name, count)| (name.to_owned(), count));
        out.counters("engine", "What the engine counted", "what", rows)
    }

    fn bots(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let bots = || self.view.bots.iter();
        let states = crate::wire::BotStates::of(&self.view);
        let rows = [
            ("stopped", states.stopped),
            ("starting", states.starting),
            ("warming", states.warming),
            ("running", states.running),
            ("paused", states.paused),
            ("faulted", states.faulted),
        ];
        let rows = rows.map(|(name, count)| (name.to_owned(), f64::from(count)));
        out.gauges("bots", "Bots by state", "state", rows)?;
        let name = |bot| self.names.bot(bot);
        let rows = bots().map(|one| (name(one.bot), as_f64(one.lateness_max_nanos) / 1e9));
        let help = "Worst lateness of a wake since the start";
        out.gauges("bot_lateness_seconds_max", help, "bot", rows)?;
        let rows = bots().map(|one| (name(one.bot), one.errors));
        out.counters("bot_errors", "Errors by bot", "bot", rows)
    }

    fn queues(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let queues = || self.queues.iter();
        let depth = queues().map(|one| (one.name.clone(), as_f64(one.depth)));
        out.gauges("queue_depth", "What waits now", "queue", depth)?;
        let most = queues().map(|one| (one.name.clone(), as_f64(one.high_water)));
        out.gauges("queue_high_water", "The most that waited", "queue", most)?;
        let published = queues().map(|one| (one.name.clone(), one.published));
        out.counters("queue_published", "What came in", "queue", published)?;
        let delivered = queues().map(|one| (one.name.clone(), one.delivered));
        out.counters("queue_delivered", "What went out", "queue", delivered)?;
        let dropped = queues().map(|one| (one.name.clone(), one.dropped));
        out.counters("queue_dropped", "What was lost", "queue", dropped)?;
        let conflated = queues().map(|one| (one.name.clone(), one.conflated));
        out.counters("queue_conflated", "What was superseded", "queue", conflated)
    }

    fn edges(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let health = &self.health;
        let rows = health.feed_messages.iter().cloned();
        out.counters("feed_messages", "Messages received", "feed", rows)?;
        let used = health
            .rates
            .iter()
            .map(|one| (one.name.clone(), as_f64(one.used)));
        out.gauges(
            "rate_budget_used",
            "Used in the running window",
            "budget",
            used,
        )?;
        let limit = health
            .rates
            .iter()
            .map(|one| (one.name.clone(), as_f64(one.limit)));
        out.gauges("rate_budget_limit", "Allowed in a window", "budget", limit)?;
        let parts = health.components.iter();
        let rows = parts.map(|one| (one.name.clone(), f64::from(u8::from(one.healthy))));
        out.gauges("component_healthy", "1 if it works", "component", rows)?;
        if let Some(used) = health.engine_thread_time {
            let help = "Processor time of the engine's thread";
            out.seconds("engine_thread_cpu_seconds", help, used)?;
        }
        let lag = as_f64(health.journal_lag_us) / 1e6;
        let help = "How far the journal's writer is behind the engine";
        out.gauge("journal_lag_seconds", help, lag)
    }

    fn stages(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "How long each stage of the path takes";
        let kind = MetricType::Histogram;
        let mut metric = encoder.encode_descriptor("stage_seconds", help, None, kind)?;
        for stage in &self.health.stages {
            let labels = [("stage", stage.name.as_str())];
            let sum = as_f64(stage.sum_us) / 1e6;
            let buckets = buckets(stage);
            let mut metric = metric.encode_family(&labels)?;
            metric.encode_histogram::<NoLabelSet>(sum, stage.count(), &buckets, None)?;
        }
        Ok(())
    }
}

/// Upper bounds in seconds with the counts between them; the last has no bound.
fn buckets(stage: &StageTimes) -> Vec<(f64, u64)> {
    let last = StageTimes::BUCKETS - 1;
    let counts = stage.buckets.iter().enumerate();
    counts
        .map(|(power, count)| {
            let bound = if power == last {
                f64::INFINITY
            } else {
                as_f64(1 << power) / 1e6
            };
            (bound, *count)
        })
        .collect()
}

/// The nearest float to an amount, for the eye.
fn money(amount: Amount) -> f64 {
    amount.to_string().parse().unwrap_or(f64::NAN)
}

/// Counts above 2^53 lose their last digits, which a metric can spare.
#[expect(
    clippy::cast_precision_loss,
    reason = "a metric is read by eye, not summed to the digit"
)]
const fn as_f64(count: u64) -> f64 {
    count as f64
}

/// Writes metrics of one label or none.
struct Out<'a, 'b>(&'a mut DescriptorEncoder<'b>);

impl Out<'_, '_> {
    fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        metric.encode_gauge(&value)
    }

    fn seconds(&mut self, name: &str, help: &str, total: Duration) -> fmt::Result {
        let kind = MetricType::Counter;
        let mut metric = self.0.encode_descriptor(name, help, None, kind)?;
        metric.encode_counter::<NoLabelSet, _, u64>(&total.as_secs_f64(), None)
    }

    fn gauges(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        rows: impl IntoIterator<Item = (String, f64)>,
    ) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (which, value) in rows {
            let labels = [(label, which)];
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        rows: impl IntoIterator<Item = (String, u64)>,
    ) -> fmt::Result {
        let kind = MetricType::Counter;
        let mut metric = self.0.encode_descriptor(name, help, None, kind)?;
        for (which, count) in rows {
            let labels = [(label, which)];
            let mut metric = metric.encode_family(&labels)?;
            metric.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
        Ok(())
    }
}

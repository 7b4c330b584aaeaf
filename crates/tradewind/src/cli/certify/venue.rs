//! The venue's own account of things, over connections of this process. Nothing is ordered here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tradewind_model::{
    AccountId, Amount, AssetTable, Clock, DeskClock, Instrument, InstrumentId, Interval, OrderKind,
    Price, Timestamp, VenueId,
};
use tradewind_venues::execution::{
    CandleRange, OrderRecord, RESPONSES_MAX, RequestId, VenueRequest, VenueResponse,
};
use tradewind_venues::{
    Assets, OrderGate, RateBudget, TcpConnector, Venue, VenueContext, VenueSettings, build,
    client_config,
};

use super::plan::Plan;
use crate::app::bans::Bans;

/// Request weight a minute, below what the venue gives an address: the desk uses the same one.
const WEIGHT_PER_MINUTE: u64 = 1_000;
/// Longest wait for an answer to several requests.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Reads the account at the venue.
pub(super) struct VenueReader {
    runtime: Runtime,
    venue: Arc<dyn Venue>,
    responses: mpsc::Receiver<(RequestId, VenueResponse)>,
    instrument: Instrument,
    next: u64,
    began: Timestamp,
}

impl VenueReader {
    /// Reads the venue's time, what the key may do, and the instrument's rules.
    ///
    /// # Errors
    /// The venue bans this address for long or cannot be reached, the key is refused or not fit, or the instrument is not listed.
    pub(super) fn connect(plan: &Plan, bans: &Bans) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        if rustls::crypto::ring::default_provider()
            .install_default()
            .is_err()
        {
            tracing::debug!("A TLS provider was installed before.");
        }
        let (sink, responses) = mpsc::channel(RESPONSES_MAX);
        let sink = move |id, response| drop(sink.try_send((id, response)));
        let venue = build(settings(plan), context(plan, bans)?, Arc::new(sink))?;
        runtime.block_on(bans.wait([&plan.venue.rest_url]))?;
        let (began, instrument) = runtime.block_on(open(&*venue, plan))?;
        Ok(Self {
            runtime,
            venue,
            responses,
            instrument,
            next: 0,
            began,
        })
    }

    /// What is traded.
    pub(super) const fn instrument(&self) -> &Instrument {
        &self.instrument
    }

    /// About what it costs: the close of the last minute.
    pub(super) fn price(&self) -> anyhow::Result<Price> {
        let candles = self.venue.candles(
            self.instrument.id,
            Interval::Minute1,
            CandleRange::Latest(1),
        );
        let candles = self.runtime.block_on(candles).context("reading a candle")?;
        let last = candles.last().context("the venue has no candle")?;
        Ok(last.close)
    }

    /// Orders of ours that are open there.
    pub(super) fn open_orders(&mut self) -> anyhow::Result<Vec<OrderRecord>> {
        match self.request(VenueRequest::OpenOrders)? {
            VenueResponse::OpenOrders(mut orders) => {
                orders.retain(|order| order.client_id.is_ours());
                Ok(orders)
            }
            other => bail!("reading open orders: {other:?}"),
        }
    }

    /// Stops of ours that rest there.
    pub(super) fn stops(&mut self) -> anyhow::Result<Vec<OrderRecord>> {
        let is_stop = |order: &OrderRecord| {
            matches!(
                order.kind,
                Some(OrderKind::Stop { .. } | OrderKind::StopLimit { .. })
            )
        };
        let mut orders = self.open_orders()?;
        orders.retain(is_stop);
        Ok(orders)
    }

    /// Ids of our trades since this began.
    pub(super) fn trades(&mut self) -> anyhow::Result<BTreeSet<String>> {
        let request = VenueRequest::FillsSince {
            instrument: self.instrument.id,
            since: self.began,
        };
        match self.request(request)? {
            VenueResponse::Fills(fills) => Ok(fills
                .iter()
                .filter(|fill| fill.client_id.is_ours())
                .map(|fill| fill.trade_id.0.to_string())
                .collect()),
            other => bail!("reading trades: {other:?}"),
        }
    }

    /// Free and locked together, by asset.
    pub(super) fn balances(&self) -> anyhow::Result<BTreeMap<String, Amount>> {
        let balances = self.runtime.block_on(self.venue.balances());
        let assets = self.venue.assets().snapshot();
        let total = |one: &tradewind_venues::AssetBalance| {
            (assets.name(one.asset).to_owned(), one.free + one.locked)
        };
        Ok(balances
            .context("reading balances")?
            .iter()
            .map(total)
            .collect())
    }

    /// When this began, by the venue's clock.
    pub(super) const fn began(&self) -> Timestamp {
        self.began
    }

    fn request(&mut self, request: VenueRequest) -> anyhow::Result<VenueResponse> {
        let id = RequestId(self.next);
        self.next += 1;
        let (venue, responses) = (&self.venue, &mut self.responses);
        let answer = self.runtime.block_on(async {
            venue.begin(id, request);
            tokio::select! {
                answer = tokio::time::timeout(ANSWER_WITHIN, responses.recv()) => answer,
                () = venue.serve_reads(CancellationToken::new()) => Ok(None),
            }
        });
        match answer.context("the venue did not answer in time")? {
            Some((answered, response)) if answered == id => match response {
                VenueResponse::Failed(error) => Err(error).context("requesting the venue"),
                response => Ok(response),
            },
            _ => bail!("the venue's adapter ended"),
        }
    }
}

async fn open(venue: &dyn Venue, plan: &Plan) -> anyhow::Result<(Timestamp, Instrument)> {
    let requesting = || {
        let (account, venue) = (&plan.account.name, &plan.venue);
        format!(
            "requesting {} at {} for account {account}",
            venue.name, venue.rest_url
        )
    };
    let began = venue.server_time().await.with_context(requesting)?;
    venue.check_key().await.with_context(requesting)?;
    let listed = venue.listings().await.with_context(requesting)?;
    let name = format!("{}:{}", plan.venue.name, plan.product);
    let instrument = listed.into_iter().find(|listed| listed.name == name);
    let instrument = Instrument {
        id: InstrumentId(0),
        ..instrument.with_context(|| format!("the venue does not list {name}"))?
    };
    venue.use_instruments(std::slice::from_ref(&instrument))?;
    Ok((began, instrument))
}

fn settings(plan: &Plan) -> VenueSettings {
    VenueSettings {
        kind: plan.venue.kind,
        venue: VenueId(0),
        name: plan.venue.name.clone(),
        account: AccountId(0),
        rest_url: plan.venue.rest_url.clone(),
        ws_url: plan.venue.ws_url.clone(),
        ws_api_url: plan.venue.ws_api_url.clone(),
        key: Some(plan.key.clone()),
        order_entry: plan.venue.order_entry,
        books: plan.venue.books,
        seed: 0,
    }
}

/// What its adapter uses; its budget is closed while an earlier ban lasts.
fn context(plan: &Plan, bans: &Bans) -> anyhow::Result<VenueContext> {
    let certificates = plan.venue.ca_file.as_ref().map(std::fs::read).transpose();
    let tls = client_config(certificates.context("reading the ca_file")?.as_deref())?;
    let clock: Arc<dyn Clock> = Arc::new(DeskClock::system());
    let connector = TcpConnector::shared(tls);
    let mut budget = RateBudget::new(WEIGHT_PER_MINUTE).with_retries(plan.venue.retries);
    bans.keep(&plan.venue.rest_url, &mut budget, connector.now());
    Ok(VenueContext {
        connector,
        gate: OrderGate::new(Arc::default(), Arc::clone(&clock)),
        clock,
        budget: Arc::new(Mutex::new(budget)),
        assets: Arc::new(Assets::new(AssetTable::default())),
    })
}

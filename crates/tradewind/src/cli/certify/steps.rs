//! The steps, in order. What the desk says counts only where the venue says the same.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use tradewind_model::{Amount, ClientOrderId, Timestamp};

use super::desk::{DeskProcess, wait};
use super::plan::Plan;
use super::transcript::Transcript;
use super::venue::VenueReader;

/// Buys the smallest order at market.
const MARKET_BOT: &str = "certify-market";
/// Lets an order rest.
const LIMIT_BOT: &str = "certify-limit";
/// A bot decides at the close of a minute.
const DECIDED_WITHIN: Duration = Duration::from_secs(130);
/// Longest wait for what the desk and the venue do at once.
const DONE_WITHIN: Duration = Duration::from_secs(30);
/// Longest wait for equal books: the desk compares them every 30 s.
const EQUAL_WITHIN: Duration = Duration::from_secs(75);

/// What a step found.
enum Verdict {
    Passed(Value),
    /// It could not be shown, which is no fault.
    NotSeen(Value),
}
use Verdict::{NotSeen, Passed};

/// A run of all steps.
pub(super) struct Certification<'a> {
    plan: &'a Plan,
    folder: PathBuf,
    venue: VenueReader,
    transcript: Transcript,
    desk: Option<DeskProcess>,
    stop: Option<ClientOrderId>,
}

type Step<'a> = (
    &'static str,
    fn(&mut Certification<'a>) -> anyhow::Result<Verdict>,
);

impl<'a> Certification<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        folder: PathBuf,
        venue: VenueReader,
        transcript: Transcript,
    ) -> Self {
        Self {
            plan,
            folder,
            venue,
            transcript,
            desk: None,
            stop: None,
        }
    }

    /// Runs the steps until one fails, then closes what is left. Returns whether all passed.
    ///
    /// # Errors
    /// The transcript cannot be written.
    pub(super) fn run(mut self) -> anyhow::Result<bool> {
        let steps: [Step<'a>; 9] = [
            ("start", Self::start),
            ("minimum_order", Self::minimum_order),
            ("stop_order", Self::stop_order),
            ("sigkill", Self::sigkill),
            ("restart", Self::restart),
            ("compare", Self::compare),
            ("exit", Self::exit),
            ("partial_fill", Self::partial_fill),
            ("cancel", Self::cancel),
        ];
        let mut passed = true;
        for (name, step) in steps {
            let result = step(&mut self);
            let failed = result.is_err();
            passed &= self.note(name, result)?;
            if failed {
                break;
            }
        }
        if self.desk.is_none() {
            // Killed by a step that failed: what it holds can still be closed.
            self.desk = DeskProcess::start(self.plan, &self.folder).ok();
        }
        let flat = self.flat();
        passed &= self.note("flat", flat)?;
        let compared = self.compare();
        passed &= self.note("compare", compared)?;
        let stopped = self.stop();
        passed &= self.note("stop", stopped)?;
        let result = if passed { "passed" } else { "failed" };
        self.transcript.write("certify", result, &json!({}))?;
        Ok(passed)
    }

    fn note(&mut self, step: &str, result: anyhow::Result<Verdict>) -> anyhow::Result<bool> {
        let (result, facts) = match result {
            Ok(Passed(facts)) => ("passed", facts),
            Ok(NotSeen(facts)) => ("not seen", facts),
            Err(error) => ("failed", json!({ "reason": format!("{error:#}") })),
        };
        self.transcript.write(step, result, &facts)?;
        Ok(result == "passed")
    }

    fn start(&mut self) -> anyhow::Result<Verdict> {
        let desk = DeskProcess::start(self.plan, &self.folder)?;
        let ready_after = desk.ready_after;
        self.desk = Some(desk);
        // A run that was interrupted may have left something.
        self.close_positions()?;
        let status = self.desk()?.api().get("status", &[])?;
        ensure!(
            status["state"] == "ACTIVE",
            "the desk is {}",
            status["state"]
        );
        Ok(Passed(
            json!({ "ready_ms": millis(ready_after), "state": "ACTIVE" }),
        ))
    }

    /// The smallest order that a stop can protect, at market.
    fn minimum_order(&mut self) -> anyhow::Result<Verdict> {
        self.bot(MARKET_BOT, "start")?;
        let position = wait(DECIDED_WITHIN, "no order was filled", || {
            self.why_denied(MARKET_BOT)?;
            self.position(MARKET_BOT)
        })?;
        self.bot(MARKET_BOT, "stop")?;
        let order = self.closed_order(MARKET_BOT, "entry")?;
        Ok(Passed(json!({
            "client_id": order["client_id"], "type": order["type"], "quantity": position["quantity"],
            "price": position["entry_price"], "value": position["cost"],
        })))
    }

    /// Its stop rests at the venue.
    fn stop_order(&mut self) -> anyhow::Result<Verdict> {
        let venue = &mut self.venue;
        let stop = wait(DONE_WITHIN, "no stop rests at the venue", || {
            Ok(venue.stops()?.pop())
        })?;
        self.stop = Some(stop.client_id);
        let instrument = venue.instrument();
        Ok(Passed(json!({
            "client_id": stop.client_id.to_string(), "kind": format!("{:?}", stop.kind),
            "quantity": instrument.quantity_text(stop.quantity),
        })))
    }

    /// The desk dies without a word; the stop stays.
    fn sigkill(&mut self) -> anyhow::Result<Verdict> {
        let desk = self.desk.take().context("no desk runs")?;
        desk.crash()?;
        let stops = self.venue.stops()?;
        let wanted = self.stop;
        ensure!(
            stops.iter().any(|stop| Some(stop.client_id) == wanted),
            "the stop does not rest at the venue any more"
        );
        Ok(Passed(json!({ "stops_at_venue": stops.len() })))
    }

    /// The next desk owns position and stop.
    fn restart(&mut self) -> anyhow::Result<Verdict> {
        let desk = DeskProcess::start(self.plan, &self.folder)?;
        let ready_after = desk.ready_after;
        self.desk = Some(desk);
        let stop = self.stop.context("no stop was seen")?.to_string();
        let position = wait(DONE_WITHIN, "the position or its stop has no owner", || {
            let orders = self.desk()?.items("orders", &[("bot", MARKET_BOT)])?;
            let owned = |order: &Value| order["client_id"] == stop && order["purpose"] == "protect";
            let position = self.position(MARKET_BOT)?;
            Ok(position.filter(|_| orders.iter().any(owned)))
        })?;
        Ok(Passed(json!({
            "ready_ms": millis(ready_after), "quantity": position["quantity"], "stop": stop,
        })))
    }

    /// Orders, trades and balances, as the desk has them and as the venue has them.
    fn compare(&mut self) -> anyhow::Result<Verdict> {
        let mut last = String::new();
        let mut looked_at = Value::Null;
        let compared = wait(EQUAL_WITHIN, "the books differ", || {
            // The desk reads its balances every few seconds. The venue is read once for each of these readings: it counts requests.
            let reading = self.desk()?.get("balances")?["seq"].take();
            if reading == looked_at {
                return Ok(None);
            }
            looked_at = reading;
            let (facts, differences) = self.differences()?;
            if differences.is_empty() {
                return Ok(Some(facts));
            }
            last = differences.join("; ");
            Ok(None)
        });
        Ok(Passed(compared.with_context(|| last)?))
    }

    fn differences(&mut self) -> anyhow::Result<(Value, Vec<String>)> {
        let (mut differences, mut facts) = (Vec::new(), json!({}));
        let open = self.venue.open_orders()?;
        let at_venue: BTreeSet<String> = open.iter().map(|one| one.client_id.to_string()).collect();
        let orders = self.desk()?.items("orders", &[])?;
        let here: BTreeSet<String> = orders.iter().map(|one| text(&one["client_id"])).collect();
        let trades = self.venue.trades()?;
        let booked = self.booked_trades()?;
        for (what, desk, venue) in [("open_orders", here, at_venue), ("trades", booked, trades)] {
            facts[what] = json!(venue.len());
            if desk != venue {
                differences.push(format!("{what}: {desk:?} here, {venue:?} at the venue"));
            }
        }
        let balances = self.venue.balances()?;
        let ledger = self.desk()?.items("balances", &[])?;
        for held in &ledger {
            let asset = text(&held["asset"]);
            let here: Amount = text(&held["desk"]).parse().context("the desk's balance")?;
            let there = balances.get(&asset).copied().unwrap_or_default();
            if here != there {
                differences.push(format!("{asset}: {} more here", here - there));
            }
        }
        facts["balances_equal"] = json!(ledger.len());
        Ok((facts, differences))
    }

    /// Ids of the trades that the desk booked since this began.
    fn booked_trades(&self) -> anyhow::Result<BTreeSet<String>> {
        let fills = self.desk()?.items("fills", &[("limit", "1000")])?;
        let mut ids = BTreeSet::new();
        for fill in fills {
            let at: jiff::Timestamp = text(&fill["event_time"]).parse().context("a fill's time")?;
            let at = i64::try_from(at.as_nanosecond()).context("a fill's time")?;
            if Timestamp::from_nanos(at) >= self.venue.began() {
                ids.insert(text(&fill["trade_id"]));
            }
        }
        Ok(ids)
    }

    /// An exit takes the place of the stop.
    fn exit(&mut self) -> anyhow::Result<Verdict> {
        self.close_positions()?;
        let order = self.closed_order(MARKET_BOT, "exit")?;
        let venue = &mut self.venue;
        wait(DONE_WITHIN, "the stop still rests at the venue", || {
            Ok(venue.open_orders()?.is_empty().then_some(()))
        })?;
        Ok(Passed(json!({
            "client_id": order["client_id"], "purpose": order["purpose"], "status": order["status"],
            "filled": order["filled"],
        })))
    }

    /// An order rests at the touch until a part of it is filled.
    fn partial_fill(&mut self) -> anyhow::Result<Verdict> {
        self.bot(LIMIT_BOT, "start")?;
        wait(DECIDED_WITHIN, "no order rests", || {
            self.why_denied(LIMIT_BOT)?;
            let held = self.position(LIMIT_BOT)?.map(|_| ());
            Ok(self.entry()?.map(|_| ()).or(held))
        })?;
        let seen = wait(self.plan.patience, "no part was filled", || {
            let Some(entry) = self.entry()? else {
                return Ok(Some(None));
            };
            Ok((text(&entry["filled"]) != "0").then_some(Some(entry)))
        });
        Ok(match seen {
            Ok(Some(entry)) => Passed(json!({
                "client_id": entry["client_id"], "price": entry["price"], "quantity": entry["quantity"],
                "filled": entry["filled"],
            })),
            Ok(None) => NotSeen(json!({ "why": "the order was filled whole, or ended" })),
            Err(_) => NotSeen(json!({ "why": "nothing of the order was filled" })),
        })
    }

    /// What rests is cancelled.
    fn cancel(&mut self) -> anyhow::Result<Verdict> {
        let Some(entry) = self.entry()? else {
            self.bot(LIMIT_BOT, "stop")?;
            return Ok(NotSeen(json!({ "why": "no order was open" })));
        };
        let id = text(&entry["client_id"]);
        self.desk()?.api().delete(&format!("orders/{id}"))?;
        self.bot(LIMIT_BOT, "stop")?;
        let venue = &mut self.venue;
        wait(DONE_WITHIN, "the order is still open at the venue", || {
            let open = venue.open_orders()?;
            let is_open = open.iter().any(|order| order.client_id.to_string() == id);
            Ok((!is_open).then_some(()))
        })?;
        let order = wait(DONE_WITHIN, "the desk has no end of the order", || {
            let ended = self.closed_order(LIMIT_BOT, "entry")?;
            Ok((ended["client_id"] == *id).then_some(ended))
        })?;
        Ok(Passed(json!({
            "client_id": id, "status": order["status"], "quantity": order["quantity"], "filled": order["filled"],
        })))
    }

    /// Nothing is open: no position but what is too small to be sold, no order.
    fn flat(&mut self) -> anyhow::Result<Verdict> {
        for bot in [MARKET_BOT, LIMIT_BOT] {
            self.bot(bot, "stop")?;
        }
        self.close_positions()?;
        let venue = &mut self.venue;
        wait(DONE_WITHIN, "orders are still open at the venue", || {
            Ok(venue.open_orders()?.is_empty().then_some(()))
        })?;
        let bots = self.desk()?.items("bots", &[])?;
        let realized: Vec<String> = bots.iter().map(|bot| text(&bot["realized"])).collect();
        let left = self.desk()?.items("positions", &[])?;
        let left = left.iter().map(|one| text(&one["quantity"]));
        let left: Vec<String> = left.filter(|quantity| quantity != "0").collect();
        Ok(Passed(
            json!({ "too_small_to_sell": left, "open_orders": 0, "realized": realized }),
        ))
    }

    fn stop(&mut self) -> anyhow::Result<Verdict> {
        self.desk.take().context("no desk runs")?.stop()?;
        Ok(Passed(json!({})))
    }

    fn desk(&self) -> anyhow::Result<&DeskProcess> {
        self.desk.as_ref().context("no desk runs")
    }

    fn bot(&self, bot: &str, verb: &str) -> anyhow::Result<()> {
        let done = self
            .desk()?
            .api()
            .post(&format!("bots/{bot}/{verb}"), &json!({}));
        done.map(drop)
            .with_context(|| format!("{verb} of bot {bot}"))
    }

    /// The bot's position.
    fn position(&self, bot: &str) -> anyhow::Result<Option<Value>> {
        let positions = self.desk()?.items("positions", &[("bot", bot)])?;
        Ok(positions.into_iter().find(|one| one["quantity"] != "0"))
    }

    /// The entry of the bot with the resting order, while it is open.
    fn entry(&self) -> anyhow::Result<Option<Value>> {
        let orders = self.desk()?.items("orders", &[("bot", LIMIT_BOT)])?;
        Ok(orders.into_iter().find(|one| one["purpose"] == "entry"))
    }

    /// The bot's order of this purpose that ended last.
    fn closed_order(&self, bot: &str, purpose: &str) -> anyhow::Result<Value> {
        let query = [("status", "closed"), ("bot", bot), ("limit", "10")];
        wait(DONE_WITHIN, "no order has ended", || {
            let orders = self.desk()?.items("orders", &query)?;
            Ok(orders.into_iter().find(|order| order["purpose"] == purpose))
        })
    }

    /// Fails with risk's reason if the bot was refused.
    fn why_denied(&self, bot: &str) -> anyhow::Result<()> {
        let bots = self.desk()?.items("bots", &[])?;
        let Some(found) = bots.iter().find(|one| one["name"] == bot) else {
            bail!("the desk has no bot {bot}");
        };
        let denial = &found["last_denial"];
        ensure!(denial.is_null(), "the order was refused: {denial}");
        Ok(())
    }

    /// Closes every position of the bots that is worth an order, and waits for it.
    fn close_positions(&self) -> anyhow::Result<()> {
        for bot in [MARKET_BOT, LIMIT_BOT] {
            let Some(position) = self.position(bot)? else {
                continue;
            };
            let cost: Amount = text(&position["cost"])
                .parse()
                .context("a position's cost")?;
            if cost < self.venue.instrument().notional_min {
                continue;
            }
            let close = json!({ "bot": bot, "instrument": position["instrument"] });
            self.desk()?.api().post("positions/close", &close)?;
            wait(DONE_WITHIN, "the position is not closed", || {
                Ok(self.position(bot)?.is_none().then_some(()))
            })?;
        }
        Ok(())
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

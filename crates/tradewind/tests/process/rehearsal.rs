//! The desk on an exchange that misbehaves: each kind of fault for a while, then peace, then the books are compared.
//!
//! Ten seconds of each here, beside the other tests; `scripts/rehearsal` gives each two minutes. Whether the desk's ledger
//! equals the exchange's account afterwards is what counts; that the desk does not yet follow some of what happens to its
//! account is written down with the fault, and holds until it does.

use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::desk::{CONTROL_TOKEN, Desk, are_at_rest, command, pause, unused_address, within};
use crate::fast_bots::fast_bots;
use crate::http;
use crate::lines::listen;

/// How long a fault lasts here.
const SECONDS: u64 = 10;
/// How long the desk may take to know everything again once it is over.
const HEALED_WITHIN: Duration = Duration::from_secs(150);

fn seconds() -> u64 {
    let wanted = std::env::var("TRADEWIND_REHEARSAL_SECONDS").ok();
    wanted.map_or(SECONDS, |seconds| seconds.parse().unwrap())
}

/// A desk, its exchange's control port, and a fault.
struct Rehearsal {
    folder: TempDir,
    desk: Desk,
    control: String,
}

impl Rehearsal {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let config = fast_bots(folder.path());
        let control = unused_address();
        let arguments = ["--config", &config, "--control", &control];
        let desk = Desk::start_with(folder.path(), &arguments);
        Self {
            folder,
            desk,
            control,
        }
    }

    #[track_caller]
    fn operate(&self, request: &str, body: &str) -> Value {
        let headers = format!("Authorization: Bearer {CONTROL_TOKEN}\r\n");
        let answer = http::ask(&self.control, request, &headers, body).unwrap();
        assert_eq!(answer.status, 200, "{request}: {answer:?}");
        answer.json()
    }

    fn fills(&self) -> u64 {
        let status = self.desk.ask("GET /api/v1/status", "").unwrap();
        status.json()["counters"]["fills"].as_u64().unwrap_or(0)
    }

    /// How often the faults struck.
    fn hits(&self) -> u64 {
        let state = self.operate("GET /state", "");
        let faults = state["conduct"]["faults"].as_array().unwrap();
        faults
            .iter()
            .filter_map(|fault| fault["hits"].as_u64())
            .sum()
    }

    /// Nothing moves any more: no order is open, none is unknown. The input after which it was so.
    #[track_caller]
    fn come_to_rest(&self) -> u64 {
        let killed = command(self.folder.path(), &["kill", "--reason", "to compare"]);
        assert!(killed.status.success(), "{killed:?}");
        within(HEALED_WITHIN, "the end of every open order", || {
            let orders = self.desk.ask("GET /api/v1/orders", "").ok()?.json();
            let at_rest = are_at_rest(orders["items"].as_array()?);
            at_rest.then(|| orders["seq"].as_u64())?
        })
    }

    /// Whether desk and exchange tell the same of each asset, if they were compared after input `since`.
    fn is_equal(&self, since: u64) -> Option<bool> {
        let table = self.desk.ask("GET /api/v1/balances", "").ok()?.json();
        let is_new = table["seq"].as_u64()? >= since;
        is_new.then(|| table["equal"].as_bool())?
    }
}

/// Lets the desk trade while `script` strikes, then compares.
#[track_caller]
fn rehearse(name: &str, script: &str) {
    let rehearsal = Rehearsal::start();
    within(
        Duration::from_secs(60),
        "some fills before the fault",
        || (rehearsal.fills() > 5).then_some(()),
    );
    let before = rehearsal.fills();
    let script = script.replace("SPAN", &format!("{}s", seconds()));
    rehearsal.operate("POST /faults", &script);
    pause(Duration::from_secs(seconds()));
    let (hits, during) = (rehearsal.hits(), rehearsal.fills() - before);
    rehearsal.operate("DELETE /faults", "");
    within(HEALED_WITHIN, "trading again after the fault", || {
        (rehearsal.fills() > before + during).then_some(())
    });
    let rest = rehearsal.come_to_rest();
    within(HEALED_WITHIN, "an equal ledger", || {
        rehearsal.is_equal(rest)?.then_some(())
    });
    eprintln!("rehearsal: {name}: struck {hits} times, {during} fills meanwhile; equal afterwards");
    assert!(hits > 0, "{name} never struck");
}

/// V16: the first order on the old tick is refused, be it an entry or a stop; those that follow are on the new one.
#[test]
fn rehearse_a_new_tick_is_kept_to_soon_after_the_first_refusal() {
    let rehearsal = Rehearsal::start();
    let events = listen(rehearsal.desk.stream("").unwrap());
    within(Duration::from_secs(60), "some fills", || {
        (rehearsal.fills() > 5).then_some(())
    });
    let script = "[[fault]]\ndo = \"filters\"\nsymbol = \"BTCUSDT\"\ntickSize = \"10\"";
    rehearsal.operate("POST /faults", script);
    let is_refused = |event: &&Value| {
        event["type"] == "order_rejected"
            && event["data"]["order"]["instrument"] == "binance:BTC/USDT"
    };
    let is_taken = |event: &Value| {
        event["type"] == "order_accepted"
            && event["data"]["order"]["bot"] == "btc-limit"
            && event["data"]["order"]["price"].is_string()
    };
    let mut refused = 0;
    let price = within(HEALED_WITHIN, "an order on the new tick", || {
        let seen: Vec<_> = events.try_iter().map(|arrived| arrived.event).collect();
        refused += seen.iter().filter(is_refused).count();
        let is_new = |event: &&Value| refused > 0 && is_taken(event);
        let accepted = seen.iter().rfind(is_new)?;
        Some(accepted["data"]["order"]["price"].as_str()?.to_owned())
    });
    let price: f64 = price.parse().unwrap();
    assert!(
        price.rem_euclid(10.0) < 1e-9,
        "{price} is not on the new tick"
    );
    assert!(refused < 50, "refused {refused} times");
}

/// One test for each fault, so that they run side by side.
macro_rules! rehearsals {
    ($($name:ident: $script:expr;)+) => {
        $(
            #[test]
            fn $name() {
                rehearse(stringify!($name), $script);
            }
        )+
    };
}

rehearsals! {
    rehearse_drop: "[[fault]]\ndo = \"drop\"\nframe = \"bookTicker\"\nchance = 0.3\nfor = \"SPAN\"";
    rehearse_delay: "[[fault]]\ndo = \"delay\"\nby = \"uniform(10ms,900ms)\"\nframe = \"executionReport\"\nchance = 0.5\nfor = \"SPAN\"";
    rehearse_duplicate: "[[fault]]\ndo = \"duplicate\"\ncopies = 2\nframe = \"executionReport\"\nfor = \"SPAN\"";
    rehearse_reorder: "[[fault]]\ndo = \"reorder\"\nframe = \"executionReport\"\nchance = 0.3\nfor = \"SPAN\"";
    rehearse_corrupt: "[[fault]]\ndo = \"corrupt\"\nhow = \"garbled\"\nframe = \"bookTicker\"\nchance = 0.1\nfor = \"SPAN\"";
    rehearse_cut: "[[fault]]\ndo = \"cut\"\nbytes = \"each\"\nframe = \"bookTicker\"\nevery = 400\nfor = \"SPAN\"";
    rehearse_half_open: "[[fault]]\ndo = \"half-open\"\nwire = \"market\"\nfor = \"SPAN\"";
    rehearse_refuse: "[[fault]]\ndo = \"refuse\"\nfor = \"SPAN\"\n\n[[fault]]\ndo = \"close\"\non = \"time\"\ncode = 1001\nafter = \"500ms\"\ntimes = 1";
    rehearse_flap: "[[fault]]\ndo = \"flap\"\nleast = \"200ms\"\nmost = \"1s\"\nfor = \"SPAN\"\n\n[[fault]]\ndo = \"close\"\non = \"time\"\ncode = 1001\nafter = \"500ms\"\ntimes = 1";
    rehearse_5xx_executed: "[[fault]]\ndo = \"answer\"\ncall = \"POST /api/v3/order\"\nstatus = 503\nexecuted = true\nchance = 0.3\nfor = \"SPAN\"";
    rehearse_5xx_not_executed: "[[fault]]\ndo = \"answer\"\ncall = \"POST /api/v3/order\"\nstatus = 502\nexecuted = false\nchance = 0.3\nfor = \"SPAN\"";
    rehearse_1006_executed: "[[fault]]\ndo = \"answer\"\ncall = \"POST /api/v3/order\"\ncode = -1006\nexecuted = true\nchance = 0.3\nfor = \"SPAN\"";
    rehearse_1007_not_executed: "[[fault]]\ndo = \"answer\"\ncall = \"POST /api/v3/order\"\ncode = -1007\nexecuted = false\nchance = 0.3\nfor = \"SPAN\"";
    rehearse_lost_reply: "[[fault]]\ndo = \"lose-reply\"\ncall = \"POST /api/v3/order\"\nexecuted = true\nhang-up = true\nchance = 0.2\nfor = \"SPAN\"";
    rehearse_late_visibility: "[[fault]]\ndo = \"hide-orders\"\nlag = \"3s\"\nfor = \"SPAN\"\n\n[[fault]]\ndo = \"lose-reply\"\ncall = \"POST /api/v3/order\"\nexecuted = true\nhang-up = true\nchance = 0.2\nfor = \"SPAN\"";
    rehearse_429: "[[fault]]\ndo = \"answer\"\ncall = \"POST /api/v3/order\"\nstatus = 429\ncode = -1003\nretry-after = \"1s\"\nexecuted = false\nchance = 0.2\nfor = \"SPAN\"";
    rehearse_418: "[[fault]]\ndo = \"answer\"\ncall = \"POST /api/v3/order\"\nstatus = 418\ncode = -1003\nretry-after = \"2s\"\nexecuted = false\nnth = 2\nfor = \"SPAN\"";
    rehearse_halt: "[[fault]]\ndo = \"halt\"\nsymbol = \"BTCUSDT\"\nstatus = \"HALT\"\nexpire = true\nfor = \"SPAN\"";
    rehearse_filters: "[[fault]]\ndo = \"filters\"\nsymbol = \"BTCUSDT\"\nminNotional = \"6\"\nfor = \"SPAN\"";
    rehearse_clock: "[[fault]]\ndo = \"clock\"\nskew = \"700ms\"\ndrift-ppm = 200\nfor = \"SPAN\"";
    rehearse_one_missing_fill: "[[fault]]\ndo = \"drop\"\nframe = \"executionReport/TRADE\"\nnth = 2\nfor = \"SPAN\"";
    rehearse_human_trade: "[[fault]]\ndo = \"trade\"\naccount = \"paper-paper\"\nsymbol = \"LTCUSDT\"\nside = \"BUY\"\ntype = \"MARKET\"\nquantity = \"1\"\ntimes = 1";
    rehearse_deposit: "[[fault]]\ndo = \"deposit\"\naccount = \"paper-paper\"\nasset = \"USDT\"\namount = \"500\"\ntimes = 1";
    rehearse_fee_asset_out: "[[fault]]\ndo = \"deposit\"\naccount = \"paper-paper\"\nasset = \"BNB\"\namount = \"1\"\ntimes = 1\n\n[[fault]]\ndo = \"withdraw\"\naccount = \"paper-paper\"\nasset = \"BNB\"\namount = \"0.4\"\nafter = \"2s\"\ntimes = 1";
}

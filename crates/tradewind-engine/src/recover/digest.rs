//! What recovery restores, as one number for each part: the measure of whether two engines hold the same.

use serde::Serialize;

use crate::parts::Parts;
use crate::parts::bot::Bot;
use crate::state::Digest;

/// A part of an engine's state that recovery restores.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecoveredPart {
    /// Its name, such as `order 5457…` or `bot 3`.
    pub name: String,
    /// A number that differs for every other content.
    pub digest: u64,
}

/// The parts of an engine's state that recovery restores, each with its digest.
///
/// Left out is what a restart sets again: counts for views, requests to lanes, candles fed, timers of the process,
/// whether a cancel is on its way, waits of exits and stops, and the equity of the last valuation. Monitors and breakers are
/// as of the snapshot and what was folded since; they depend on prices, too.
pub(crate) fn recovered_parts(parts: &Parts) -> Vec<RecoveredPart> {
    // Naming every part makes a new one a compile error here.
    let Parts {
        context: _,
        config,
        market,
        strategies: _,
        bots,
        orders,
        protection: _,
        manual,
        portfolio,
        accounts,
        streams,
        states,
        monitors: _,
        breakers: _,
        ids: _,
        commands,
        timers,
        targets: _,
        counters: _,
        is_recovering: _,
    } = parts;
    let mut all = vec![
        part("instruments", &config.instruments),
        part("manual orders", manual),
        part("portfolio", portfolio),
        part("streams", streams),
        part("causes", states),
        part("bots scheduled", &bots.are_scheduled()),
        part("former orders", &orders.former().collect::<Vec<_>>()),
        part("timers", &timers.of_orders().collect::<Vec<_>>()),
        part("numbers", market.numbers()),
    ];
    for bot in bots.iter() {
        all.push(part(
            &format!("bot {}", bot.config().id.0),
            &bot_record(bot),
        ));
        for state in bot.instruments() {
            let name = format!("bot {} in {}", bot.config().id.0, state.instrument().0);
            all.push(part(&name, &state.recovered()));
        }
    }
    for order in orders.open() {
        let name = format!("open order {}", order.terms().client_id);
        all.push(part(&name, &order.without_cancel()));
    }
    for order in orders.closed() {
        let name = format!("closed order {}", order.terms().client_id);
        all.push(part(&name, &order.without_cancel()));
    }
    for answered in commands.answered() {
        all.push(part(&format!("command {}", answered.0), &*answered));
    }
    for account in &config.accounts {
        let record = accounts.get(account.id);
        let name = format!("account {}", account.id.0);
        all.push(part(&name, &record.recovered()));
    }
    all
}

fn bot_record(bot: &Bot) -> impl Serialize + '_ {
    let state = (bot.state(), bot.state_reason(), bot.since());
    (bot.config(), state, bot.throttle(), bot.recovered())
}

fn part(name: &str, content: &impl Serialize) -> RecoveredPart {
    let mut digest = Digest::default();
    rmp_serde::encode::write_named(&mut digest, content)
        .expect("a digest takes all bytes, and no part holds what the format lacks");
    RecoveredPart {
        name: name.to_owned(),
        digest: digest.value(),
    }
}

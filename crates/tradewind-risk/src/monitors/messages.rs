//! R17: orders and cancels of a bot per fill. Many are an alarm, too many take its entries off.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tradewind_model::{BotId, Timestamp};

use super::{Monitor, Observation, Verdict};
use crate::limits::Limits;
use crate::state::{CauseKind, Scope, TradingState};

/// The window is counted in so many parts.
const PARTS: u32 = 10;

/// Messages and fills by bot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MessageRates {
    bots: BTreeMap<BotId, BotRates>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct BotRates {
    /// Parts of the window, oldest first.
    parts: VecDeque<Part>,
    is_alarmed: bool,
    is_off: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    since: Timestamp,
    messages: u32,
    fills: u32,
}

impl Monitor for MessageRates {
    fn observe(
        &mut self,
        now: Timestamp,
        observed: &Observation,
        limits: &Limits,
        verdicts: &mut Vec<Verdict>,
    ) {
        let Some(window) = limits.messages_window else {
            return;
        };
        match observed {
            Observation::Message(bot) => {
                let rates = self.bots.entry(*bot).or_default();
                rates.part(now, window).messages += 1;
                rates.judge(*bot, limits, verdicts);
            }
            Observation::Fill { bot: Some(bot), .. } => {
                let rates = self.bots.entry(*bot).or_default();
                rates.part(now, window).fills += 1;
            }
            // The alarm ends by itself.
            Observation::Bot(value) => {
                if let Some(rates) = self.bots.get_mut(&value.bot) {
                    rates.forget(now, window);
                    rates.judge(value.bot, limits, verdicts);
                }
            }
            _ => {}
        }
    }

    fn clear(&mut self, scope: Scope) {
        if let Scope::Bot(bot) = scope {
            self.bots.remove(&bot);
        }
    }
}

impl BotRates {
    fn forget(&mut self, now: Timestamp, window: Duration) {
        let is_old = |part: &mut Part| now.since(part.since) >= window;
        while self.parts.pop_front_if(is_old).is_some() {}
    }

    /// The part of the window that `now` lies in.
    fn part(&mut self, now: Timestamp, window: Duration) -> &mut Part {
        self.forget(now, window);
        let length = window / PARTS;
        let last = self.parts.back();
        if last.is_none_or(|last| now.since(last.since) >= length) {
            self.parts.push_back(Part {
                since: now,
                messages: 0,
                fills: 0,
            });
        }
        self.parts.back_mut().expect("one was just added")
    }

    fn judge(&mut self, bot: BotId, limits: &Limits, verdicts: &mut Vec<Verdict>) {
        let messages: u32 = self.parts.iter().map(|part| part.messages).sum();
        let fills: u32 = self.parts.iter().map(|part| part.fills).sum();
        let is_judged = limits.messages_min.is_some_and(|min| messages >= min);
        let above = |limit: Option<u32>| {
            let limit = limit.map(|limit| limit.saturating_mul(fills.max(1)));
            is_judged && limit.is_some_and(|limit| messages > limit)
        };
        let is_alarmed = above(limits.messages_per_fill_alarm);
        let scope = Scope::Bot(bot);
        if std::mem::replace(&mut self.is_alarmed, is_alarmed) != is_alarmed {
            let (reason, state) = (CauseKind::MessagesHigh, TradingState::Active);
            verdicts.push(Verdict::passing(scope, reason, state, is_alarmed));
        }
        if above(limits.messages_per_fill_max) && !self.is_off {
            self.is_off = true;
            verdicts.push(Verdict::until_cleared(scope, CauseKind::MessagesPerFill));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::{ACCOUNT, BOT, Watch, at, bot};
    use super::*;
    use tradewind_model::Amount;

    fn run(messages: i64, fills: i64) -> Vec<(CauseKind, TradingState, bool)> {
        let mut watch = Watch::default();
        for _ in 0..fills {
            let filled = Observation::Fill {
                account: ACCOUNT,
                bot: Some(BOT),
                value: Amount::ONE,
            };
            watch.see(at(0), filled);
        }
        for message in 0..messages {
            watch.see(at(message % 500), Observation::Message(BOT));
        }
        watch.verdicts()
    }

    const ALARM: (CauseKind, TradingState, bool) =
        (CauseKind::MessagesHigh, TradingState::Active, true);
    const OFF: (CauseKind, TradingState, bool) =
        (CauseKind::MessagesPerFill, TradingState::Reducing, true);

    /// R17
    #[test]
    fn messages_per_fill_alarm_at_20_and_stop_the_bot_at_50() {
        assert_eq!(run(199, 0), [], "too few to be judged");
        assert_eq!(run(200, 10), [], "20 to 1");
        assert_eq!(run(201, 10), [ALARM]);
        assert_eq!(run(500, 10), [ALARM], "50 to 1");
        assert_eq!(run(501, 10), [ALARM, OFF]);
        assert_eq!(run(200, 0), [ALARM, OFF], "no fill counts as one");
    }

    #[test]
    fn the_alarm_ends_with_the_window_and_the_stop_with_a_person() {
        let mut watch = Watch::default();
        for _ in 0..200 {
            watch.see(at(0), Observation::Message(BOT));
        }
        assert_eq!(watch.verdicts(), [ALARM, OFF]);
        watch.see(at(599), bot(0));
        assert_eq!(watch.verdicts(), []);
        watch.see(at(600), bot(0));
        let over = (CauseKind::MessagesHigh, TradingState::Active, false);
        assert_eq!(watch.verdicts(), [over]);
        for _ in 0..200 {
            watch.see(at(700), Observation::Message(BOT));
        }
        assert_eq!(watch.verdicts(), [ALARM], "it is off already");
        watch.monitors.clear(Scope::Bot(BOT));
        for _ in 0..200 {
            watch.see(at(700), Observation::Message(BOT));
        }
        assert_eq!(watch.verdicts(), [ALARM, OFF], "a person started it again");
    }
}

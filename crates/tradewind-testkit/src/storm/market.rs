//! Inputs from the market and the machine: quotes, trades, candles, broken feeds, late storage, invalid data.

use std::time::Duration;

use tradewind_events::{
    Evaluation, EvaluationOutcome, ExternalTarget, Funding, Input, StorageHealth, Timer,
};
use tradewind_model::{
    Amount, BotId, Candle, Decimal, Depth, FeedHealth, Level, Price, Quantity, Trade, TradeId,
};

use super::Storm;
use crate::fixtures::{ACCOUNT, PERPETUAL, SPOT, quote, spot};

impl Storm {
    pub(super) fn quote(&mut self) -> Input {
        self.bid = (self.bid + self.signed(6)).clamp(5_000, 20_000);
        let spread = 1 + self.signed(2).abs();
        let mid = self.bid;
        self.candle.high = self.candle.high.max(Price(mid));
        self.candle.low = self.candle.low.min(Price(mid));
        self.candle.close = Price(mid);
        Input::Quote(quote(SPOT, mid, mid + spread, self.at))
    }

    pub(super) fn trade(&mut self) -> Input {
        self.trades += 1;
        Input::Trade(Trade {
            instrument: SPOT,
            taker: self.side(),
            id: TradeId(self.trades),
            price: Price(self.bid),
            quantity: Quantity(1 + self.signed(1_000).abs()),
            event_time: Some(self.at),
            received_at: self.at,
        })
    }

    pub(super) fn close_minute(&mut self) -> Input {
        let closed = Candle {
            open_time: self.minute,
            ..self.candle
        };
        self.minute = self.minute + Duration::from_secs(60);
        let close = closed.close;
        self.candle = Candle {
            open: close,
            high: close,
            low: close,
            ..closed
        };
        Input::Candle(closed)
    }

    pub(super) fn depth(&mut self) -> Input {
        let level = |price| Level {
            price: Price(price),
            quantity: Quantity(1_000),
        };
        Input::Depth(Box::new(Depth {
            instrument: SPOT,
            bids: vec![level(self.bid), level(self.bid - 1)],
            asks: vec![level(self.bid + 1), level(self.bid + 2)],
            received_at: self.at,
        }))
    }

    pub(super) fn funding(&mut self) -> Input {
        Input::Funding(Funding {
            account: ACCOUNT,
            instrument: PERPETUAL,
            amount: Amount(i128::from(self.signed(1_000_000))),
        })
    }

    /// What happens rarely in the life of a desk.
    pub(super) fn now_and_then(&mut self) -> Input {
        match self.below(13) {
            0 => Input::Health {
                instrument: SPOT,
                health: [
                    FeedHealth::Gap,
                    FeedHealth::Stale,
                    FeedHealth::Resync,
                    FeedHealth::Live,
                ][self.place(4)],
                received_at: None,
            },
            1 => Input::InstrumentChanged(Box::new(tradewind_model::Instrument {
                notional_min: Amount::whole(1 + self.signed(9).abs()),
                ..spot()
            })),
            2 => Input::Storage(StorageHealth::Behind),
            3 | 4 => Input::Storage(StorageHealth::Writing),
            5 => Input::TradesLost { count: 3 },
            6 => Input::QueueOverflow {
                subscriber: "sse".into(),
                dropped: 17,
            },
            7 => Input::Resync,
            8..=10 => self.target(),
            11 => Input::SourceHealth {
                source: "signals".into(),
                health: [FeedHealth::Gap, FeedHealth::Stale, FeedHealth::Live][self.place(3)],
            },
            _ => Input::Health {
                instrument: SPOT,
                health: FeedHealth::Live,
                received_at: None,
            },
        }
    }

    /// A target of an outside process, perhaps of the past, perhaps too large.
    fn target(&mut self) -> Input {
        let event_time = self.at - Duration::from_secs(self.below(30));
        Input::Target(Box::new(ExternalTarget {
            source: "signals".to_owned(),
            bot: "bot-7".to_owned(),
            instrument: spot().name,
            exposure: Decimal::new(self.signed(120), 2),
            event_time,
            expires: event_time + Duration::from_secs(1 + self.below(600)),
            sequence: None,
            received_at: self.at,
        }))
    }

    /// What no venue and no driver would send.
    pub(super) fn nonsense(&mut self) -> Input {
        let far = tradewind_model::InstrumentId(77);
        match self.below(8) {
            0 => Input::Quote(quote(far, 1, 2, self.at)),
            1 => Input::Quote(quote(SPOT, self.bid, self.bid - 5, self.at)),
            2 => Input::Quote(quote(SPOT, i64::MAX - 1, i64::MAX, self.at)),
            3 => Input::Candle(Candle {
                low: Price(-1),
                ..self.candle
            }),
            4 => Input::Timer(Timer::BotWake(BotId(99))),
            5 => self.impossible_report(),
            6 => Input::InstrumentChanged(Box::new(tradewind_model::Instrument {
                step: Quantity(0),
                tick: Price(0),
                ..spot()
            })),
            _ => Input::Evaluation(Box::new(Evaluation {
                bot: BotId(99),
                request: u64::MAX,
                outcome: EvaluationOutcome::Decided(None),
            })),
        }
    }
}

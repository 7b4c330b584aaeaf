//! Inputs from the venue: the account, and reports in any order, sometimes twice, sometimes impossible.

use tradewind_events::{AccountState, Input};
use tradewind_model::{
    Amount, Fill, Liquidity, Money, NotSentReason, OrderTerms, Price, Quantity, RejectReason,
    ReportKind, Side, TradeId,
};

use super::Storm;
use crate::desk::report;
use crate::fixtures::{ACCOUNT, BTC, PERPETUAL, USDT};

impl Storm {
    pub(super) fn account(&mut self) -> Input {
        Input::Account(Box::new(AccountState {
            account: ACCOUNT,
            balances: vec![(USDT, Amount::whole(100_000)), (BTC, Amount::whole(1))],
            open_orders: Vec::new(),
            fills: Vec::new(),
        }))
    }

    /// A report on one of the last orders, or the last report again.
    pub(super) fn report(&mut self) -> Input {
        let again = self.below(8) == 0;
        if let Some(said) = self.last_report.clone().filter(|_| again) {
            return Input::Report(Box::new(said));
        }
        if self.orders.is_empty() {
            return self.quote();
        }
        let place = self.place(self.orders.len());
        let (terms, filled) = self.orders[place];
        let kind = self.report_kind(&terms, filled);
        if let ReportKind::Filled(fill) = &kind {
            self.orders[place].1 += fill.quantity.0;
        }
        let cumulative = Some(Quantity(self.orders[place].1));
        let said = report(&terms, kind, cumulative, self.at);
        self.last_report = Some(said.clone());
        Input::Report(Box::new(said))
    }

    pub(super) fn report_kind(&mut self, terms: &OrderTerms, filled: i64) -> ReportKind {
        let rest = terms.quantity.0 - filled;
        let refusal = RejectReason {
            code: -2011,
            text: "Unknown order sent.".to_owned(),
        };
        match self.below(20) {
            0..5 => ReportKind::Accepted,
            5..9 if rest > 1 => ReportKind::Filled(self.fill(terms, rest / 2)),
            5..14 if rest > 0 => ReportKind::Filled(self.fill(terms, rest)),
            14 => ReportKind::Unknown,
            15 => ReportKind::Expired,
            16 => ReportKind::Rejected(refusal),
            17 => ReportKind::CancelRejected(refusal),
            18 => ReportKind::NotSent(NotSentReason::Expired),
            _ => ReportKind::Cancelled,
        }
    }

    pub(super) fn fill(&mut self, terms: &OrderTerms, quantity: i64) -> Fill {
        self.trades += 1;
        let fee = Money {
            asset: if terms.side == Side::Buy { BTC } else { USDT },
            amount: Amount(1_000_000_000_000),
        };
        Fill {
            account: terms.account,
            instrument: terms.instrument,
            trade_id: TradeId(self.trades),
            venue_order_id: tradewind_model::VenueOrderId(9),
            client_id: terms.client_id,
            side: terms.side,
            price: terms.kind.limit().unwrap_or(Price(self.bid)),
            quantity: Quantity(quantity),
            fee,
            liquidity: Liquidity::Taker,
            event_time: self.at,
        }
    }

    pub(super) fn impossible_report(&mut self) -> Input {
        let Some((terms, _)) = self.orders.last().copied() else {
            return self.quote();
        };
        let fill = match self.below(4) {
            0 => self.fill(&terms, -5),
            1 => self.fill(&terms, 0),
            2 => Fill {
                instrument: PERPETUAL,
                ..self.fill(&terms, 5)
            },
            _ => Fill {
                side: terms.side.opposite(),
                ..self.fill(&terms, 5)
            },
        };
        Input::Report(Box::new(report(
            &terms,
            ReportKind::Filled(fill),
            None,
            self.at,
        )))
    }
}

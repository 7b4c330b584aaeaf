//! How much a client may ask: request weight by address and minute, new orders by account, 10 seconds and day.
//!
//! The meters always count, since the headers show them; whether they refuse is an option. Their clock is the exchange's.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use tradewind_model::{AccountId, Interval, Timestamp};

use super::errors::ApiError;
use crate::options::Limits;

/// Weight an address may use in one minute.
pub(crate) const WEIGHT_PER_MINUTE: u32 = 6_000;
/// Orders an account may place in 10 seconds.
pub(crate) const ORDERS_PER_10_SECONDS: u32 = 100;
/// Orders an account may place in a UTC day.
pub(crate) const ORDERS_PER_DAY: u32 = 200_000;

/// Refusals in one minute after which an address is banned.
const REFUSALS_BEFORE_BAN: u32 = 10;
const FIRST_BAN: Duration = Duration::from_secs(120);
const LONGEST_BAN: Duration = Duration::from_secs(3 * 86_400);

/// All meters of the exchange.
#[derive(Debug)]
pub(crate) struct Meters {
    limits: Limits,
    addresses: BTreeMap<IpAddr, AddressMeter>,
    accounts: BTreeMap<AccountId, OrderMeter>,
}

#[derive(Debug, Default)]
struct AddressMeter {
    minute: Timestamp,
    used: u32,
    refused: u32,
    bans: u32,
    banned_until: Timestamp,
}

#[derive(Debug, Default)]
struct OrderMeter {
    ten_seconds: Window,
    day: Window,
}

#[derive(Debug, Default)]
struct Window {
    start: Timestamp,
    count: u32,
}

/// Orders counted against an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OrderCounts {
    pub(crate) ten_seconds: u32,
    pub(crate) day: u32,
}

impl Meters {
    pub(crate) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            addresses: BTreeMap::new(),
            accounts: BTreeMap::new(),
        }
    }

    /// Counts a request of `weight`.
    ///
    /// # Errors
    /// 429 when the minute's weight is used up, 418 once the address is banned for going on regardless.
    pub(crate) fn charge(
        &mut self,
        now: Timestamp,
        address: IpAddr,
        weight: u32,
    ) -> Result<(), ApiError> {
        let enforced = self.limits == Limits::Venue;
        let meter = self.addresses.entry(address).or_default();
        meter.roll(now);
        if enforced && now < meter.banned_until {
            return Err(ApiError::banned(meter.banned_until));
        }
        meter.used = meter.used.saturating_add(weight);
        if !enforced || meter.used <= WEIGHT_PER_MINUTE {
            return Ok(());
        }
        Err(meter.refuse(now))
    }

    /// Weight `address` has used in this minute.
    pub(crate) fn used(&self, address: IpAddr) -> u32 {
        self.addresses.get(&address).map_or(0, |meter| meter.used)
    }

    /// Counts `orders` that `account` is about to place.
    ///
    /// They are counted before they are placed, since one that fills at once is taken off again while it is.
    ///
    /// # Errors
    /// -1015 with the end of the span that is full.
    pub(crate) fn admit_orders(
        &mut self,
        now: Timestamp,
        account: AccountId,
        orders: u32,
    ) -> Result<(), ApiError> {
        let meter = self.accounts.entry(account).or_default();
        meter.roll(now);
        if self.limits == Limits::Venue {
            meter.check(orders)?;
        }
        meter.ten_seconds.count = meter.ten_seconds.count.saturating_add(orders);
        meter.day.count = meter.day.count.saturating_add(orders);
        Ok(())
    }

    /// Takes off the count what was not placed after all.
    pub(crate) fn take_back(&mut self, now: Timestamp, account: AccountId, orders: u32) {
        let meter = self.accounts.entry(account).or_default();
        meter.roll(now);
        meter.ten_seconds.count = meter.ten_seconds.count.saturating_sub(orders);
        meter.day.count = meter.day.count.saturating_sub(orders);
    }

    /// Takes an order off the count, since it filled for the first time.
    pub(crate) fn forgive_order(&mut self, now: Timestamp, account: AccountId) {
        self.take_back(now, account, 1);
    }

    /// What is counted against `account` now.
    pub(crate) fn order_counts(&mut self, now: Timestamp, account: AccountId) -> OrderCounts {
        let meter = self.accounts.entry(account).or_default();
        meter.roll(now);
        OrderCounts {
            ten_seconds: meter.ten_seconds.count,
            day: meter.day.count,
        }
    }
}

impl AddressMeter {
    fn roll(&mut self, now: Timestamp) {
        let minute = Interval::Minute1.open_time(now);
        if minute != self.minute {
            (self.minute, self.used, self.refused) = (minute, 0, 0);
        }
    }

    fn refuse(&mut self, now: Timestamp) -> ApiError {
        self.refused += 1;
        if self.refused <= REFUSALS_BEFORE_BAN {
            return ApiError::too_much_weight(
                WEIGHT_PER_MINUTE,
                self.minute + Interval::Minute1.duration(),
            );
        }
        let ban = FIRST_BAN
            .saturating_mul(1_u32.checked_shl(self.bans).unwrap_or(u32::MAX))
            .min(LONGEST_BAN);
        self.bans += 1;
        self.banned_until = now + ban;
        ApiError::banned(self.banned_until)
    }
}

const TEN_SECONDS: Duration = Duration::from_secs(10);

impl OrderMeter {
    fn check(&self, orders: u32) -> Result<(), ApiError> {
        let full = |window: &Window, limit: u32| window.count.saturating_add(orders) > limit;
        if full(&self.ten_seconds, ORDERS_PER_10_SECONDS) {
            let until = self.ten_seconds.start + TEN_SECONDS;
            return Err(ApiError::too_many_orders(
                ORDERS_PER_10_SECONDS,
                "10 SECOND",
                until,
            ));
        }
        if full(&self.day, ORDERS_PER_DAY) {
            let until = self.day.start + Interval::Day1.duration();
            return Err(ApiError::too_many_orders(ORDERS_PER_DAY, "1 DAY", until));
        }
        Ok(())
    }

    fn roll(&mut self, now: Timestamp) {
        let nanos = i64::try_from(TEN_SECONDS.as_nanos()).unwrap_or(i64::MAX);
        self.ten_seconds.roll(Timestamp::from_nanos(
            now.as_nanos().div_euclid(nanos) * nanos,
        ));
        self.day.roll(now.start_of_day());
    }
}

impl Window {
    fn roll(&mut self, start: Timestamp) {
        if start != self.start {
            *self = Self { start, count: 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const NOW: Timestamp = Timestamp::from_secs(1_700_000_040);

    #[test]
    fn weight_over_the_limit_is_429_and_going_on_is_418() {
        let mut meters = Meters::new(Limits::Venue);
        assert_eq!(meters.charge(NOW, HERE, 6_000), Ok(()));
        let statuses: Vec<u16> = (0..12)
            .map(|_| meters.charge(NOW, HERE, 1).unwrap_err().status)
            .collect();
        assert_eq!(statuses, [[429; 10].as_slice(), &[418; 2]].concat());
        let next_minute = NOW + Duration::from_secs(60);
        assert_eq!(meters.charge(next_minute, HERE, 1).unwrap_err().status, 418);
        assert_eq!(meters.charge(NOW + FIRST_BAN, HERE, 1), Ok(()));
        assert_eq!(meters.used(HERE), 1);
    }

    #[test]
    fn without_limits_the_meter_counts_and_never_refuses() {
        let mut meters = Meters::new(Limits::Off);
        assert_eq!(meters.charge(NOW, HERE, 60_000), Ok(()));
        assert_eq!(meters.used(HERE), 60_000);
    }

    #[test]
    fn orders_are_counted_by_span_and_forgiven_when_filled() {
        let mut meters = Meters::new(Limits::Venue);
        let account = AccountId(0);
        assert_eq!(meters.admit_orders(NOW, account, 98), Ok(()));
        let refusal = meters.admit_orders(NOW, account, 3).unwrap_err();
        assert_eq!((refusal.status, refusal.code), (429, -1015));
        assert_eq!(refusal.retry_at, Some(NOW + TEN_SECONDS));
        assert_eq!(meters.admit_orders(NOW, account, 2), Ok(()));
        assert!(meters.admit_orders(NOW, account, 1).is_err());
        meters.forgive_order(NOW, account);
        assert_eq!(meters.admit_orders(NOW, account, 1), Ok(()));
        meters.take_back(NOW, account, 1);
        let later = NOW + TEN_SECONDS;
        let counts = OrderCounts {
            ten_seconds: 0,
            day: 99,
        };
        assert_eq!(meters.order_counts(later, account), counts);
    }
}

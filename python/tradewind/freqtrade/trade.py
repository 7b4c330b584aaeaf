"""Trades and orders as the callbacks of a strategy see them. Amounts are base units, stakes and values are the quote asset's."""

from __future__ import annotations

import math
import sys
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List, Optional

from .errors import Unsupported
from .timeframes import timeframe_to_next_date


# Values of a strategy's own that are kept over a restart.
_KEPT = (bool, int, float, str, list, dict, type(None))


class Order:
    """A filled order of a trade."""

    def __init__(self, side: str, amount: float, price: float, moment: datetime, tag: Optional[str] = None, kind: str = "limit") -> None:
        self.ft_order_side = self.side = side
        self.amount = self.filled = self.safe_amount = self.safe_filled = self.safe_amount_after_fee = amount
        self.price = self.average = self.safe_price = self.ft_price = price
        self.order_date = self.order_date_utc = moment
        self.order_filled_date = self.order_filled_utc = moment
        self.ft_order_tag, self.order_type = tag, kind
        self.status, self.ft_is_open = "closed", False
        self.remaining = self.safe_remaining = 0.0

    @property
    def stake_amount(self) -> float:
        """What it was worth."""
        return self.amount * self.price

    stake_amount_filled = cost = safe_cost = stake_amount


class _Columns(type):
    """Names what a query of freqtrade's database would need: `Trade.pair == …`."""

    def __getattr__(cls, name: str) -> Any:
        raise AttributeError(f"Trade.{name} is a column of freqtrade's database, which does not exist here; use Trade.get_trades_proxy(pair=...)")


class Trade(metaclass=_Columns):
    """A long position from its first entry to its last exit."""

    # What the desk reckons with; a strategy sets it when it starts.
    fee = 0.001
    _open: Dict[str, "Trade"] = {}
    _closed: List["Trade"] = []
    _count = 0

    def __init__(self, pair: str, rate: float, amount: float, moment: datetime, tag: Optional[str] = None, tick: float = 0.0) -> None:
        Trade._count += 1
        self.id = Trade._count
        self.pair, self.exchange, self.strategy = pair, "", ""
        self.base_currency, self.stake_currency = pair.split("/")[:2]
        self.safe_base_currency, self.safe_quote_currency = self.base_currency, self.stake_currency
        self.open_date = self.open_date_utc = self.date_last_filled_utc = self.date_entry_fill_utc = moment
        self.enter_tag = self.buy_tag = tag
        self.fee_open = self.fee_close = Trade.fee
        self.is_open, self.is_short, self.leverage = True, False, 1.0
        self.entry_side, self.exit_side, self.trade_direction = "buy", "sell", "long"
        self.has_open_orders, self.open_orders, self.funding_fees, self.liquidation_price = False, [], 0.0, None
        self.open_rate = self.open_rate_requested = rate
        self.amount = self.amount_requested = 0.0
        self.stake_amount = self.max_stake_amount = 0.0
        self.realized_profit = 0.0
        self.close_date = self.close_date_utc = None
        self.close_rate = self.close_profit = self.close_profit_abs = None
        self.exit_reason: Optional[str] = None
        self.stop_loss = self.initial_stop_loss = 0.0
        self.stop_loss_pct = self.initial_stop_loss_pct = None
        self.is_stop_loss_trailing = False
        self.max_rate = self.min_rate = rate
        self.orders: List[Order] = []
        self.tick = tick
        # When the desk says that it was opened, in nanoseconds; 0 while that is not known.
        self.opened_at = 0
        self._custom: Dict[str, Any] = {}
        self.add(amount, rate, moment, tag)

    def __repr__(self) -> str:
        return f"Trade(id={self.id}, pair={self.pair}, amount={self.amount:.8f}, open_rate={self.open_rate:.8f}, is_open={self.is_open})"

    # Fills.

    def add(self, amount: float, rate: float, moment: datetime, tag: Optional[str] = None) -> Order:
        """Books an entry; the open rate becomes the average."""
        average = (self.open_rate * self.amount + rate * amount) / (self.amount + amount)
        self.open_rate = round(round(average / self.tick) * self.tick, 12) if self.tick and self.amount else average
        self.amount += amount
        self.stake_amount = self.amount * self.open_rate
        self.max_stake_amount = max(self.max_stake_amount, self.stake_amount)
        return self._book("buy", amount, rate, moment, tag)

    def correct(self, amount: float, rate: float) -> None:
        """Takes over what is really held: fees and steps make it differ a little from what was decided."""
        change = amount - self.amount
        last = self.orders[-1]
        if last.side == "buy":
            last.amount = last.filled = last.safe_amount = last.safe_filled = last.safe_amount_after_fee = last.amount + change
        self.amount, self.open_rate = amount, rate
        self.stake_amount = amount * rate
        self.max_stake_amount = max(self.stake_amount, self.max_stake_amount if len(self.orders) > 1 else 0.0)

    def reduce(self, amount: float, rate: float, moment: datetime, tag: Optional[str] = None) -> Order:
        """Books an exit of a part."""
        self.realized_profit += self.calc_profit(rate, amount)
        self.amount -= amount
        self.stake_amount = self.amount * self.open_rate
        return self._book("sell", amount, rate, moment, tag)

    def close(self, rate: float, moment: datetime, reason: str) -> None:
        """Books the exit of the rest."""
        entered = sum(order.stake_amount for order in self.orders if order.side == "buy")
        profit = self.realized_profit + self.calc_profit(rate)
        self._book("sell", self.amount, rate, moment, reason)
        self.is_open, self.exit_reason = False, reason
        self.close_date = self.close_date_utc = moment
        self.close_rate, self.close_profit_abs, self.realized_profit = rate, profit, profit
        self.close_profit = profit / (entered * (1 + self.fee_open))
        Trade._open.pop(self.pair, None)
        Trade._closed.append(self)

    def _book(self, side: str, amount: float, rate: float, moment: datetime, tag: Optional[str]) -> Order:
        order = Order(side, amount, rate, moment, tag)
        self.orders.append(order)
        self.date_last_filled_utc = moment
        return order

    # Profit, fees included.

    @property
    def open_trade_value(self) -> float:
        """What the open amount cost."""
        return self.amount * self.open_rate * (1 + self.fee_open)

    def calc_profit(self, rate: float, amount: Optional[float] = None, open_rate: Optional[float] = None) -> float:
        """Gain in the quote asset if closed at `rate`."""
        quantity = self.amount if amount is None else amount
        return quantity * (rate * (1 - self.fee_close) - (open_rate or self.open_rate) * (1 + self.fee_open))

    def calc_profit_ratio(self, rate: float, amount: Optional[float] = None, open_rate: Optional[float] = None) -> float:
        """Gain as a share of the cost if closed at `rate`, to eight decimals."""
        cost = (open_rate or self.open_rate) * (1 + self.fee_open)
        return round(rate * (1 - self.fee_close) / cost - 1, 8) if cost else 0.0

    def calculate_profit(self, rate: float, amount: Optional[float] = None, open_rate: Optional[float] = None) -> Any:
        """Gain with what was realised before, as an object with profit_abs, profit_ratio, total_profit, total_profit_ratio."""
        gain, ratio = self.calc_profit(rate, amount, open_rate), self.calc_profit_ratio(rate, amount, open_rate)
        total = gain + self.realized_profit
        share = total / (self.max_stake_amount * (1 + self.fee_open)) if self.max_stake_amount else 0.0
        return type("Profit", (), {"profit_abs": gain, "profit_ratio": ratio, "total_profit": total, "total_profit_ratio": share})()

    def rate_for_profit(self, share: float) -> float:
        """The rate at which closing gains `share` after fees."""
        return self.open_rate * (1 + self.fee_open) * (1 + share) / (1 - self.fee_close)

    # The stop.

    def adjust_stop_loss(self, current_price: float, stoploss: Optional[float], initial: bool = False, allow_refresh: bool = False) -> None:
        """Moves the stop to a share below a price; upwards only, unless refreshed. The price is rounded up to a tick."""
        if stoploss is None or (initial and self.stop_loss):
            return
        level = self._on_tick(current_price * (1 - abs(stoploss)))
        if self.initial_stop_loss_pct is None:
            self.initial_stop_loss, self.initial_stop_loss_pct = level, -abs(stoploss)
        elif not (allow_refresh or level > self.stop_loss):
            return
        elif not allow_refresh:
            self.is_stop_loss_trailing = True
        self.stop_loss, self.stop_loss_pct = level, -abs(stoploss)

    def _on_tick(self, price: float) -> float:
        # A price that is a tick but for the rounding of floats stays that tick.
        return round(math.ceil(round(price / self.tick, 6)) * self.tick, 12) if self.tick else price

    def adjust_min_max_rates(self, current_price: float, current_price_low: float) -> None:
        """Notes the highest and lowest rate since the entry."""
        self.max_rate, self.min_rate = max(current_price, self.max_rate), min(current_price_low, self.min_rate)

    # Orders.

    @property
    def has_open_position(self) -> bool:
        """Whether any of it is held."""
        return self.amount > 0

    @property
    def nr_of_successful_entries(self) -> int:
        """Filled entries."""
        return sum(order.side == self.entry_side for order in self.orders)

    nr_of_successful_buys = nr_of_successful_entries

    @property
    def nr_of_successful_exits(self) -> int:
        """Filled exits."""
        return sum(order.side == self.exit_side for order in self.orders)

    nr_of_successful_sells = nr_of_successful_exits

    def select_filled_orders(self, order_side: Optional[str] = None) -> List[Order]:
        """The filled orders of a side, or all."""
        return [order for order in self.orders if order_side in (None, order.side)]

    def select_filled_or_open_orders(self) -> List[Order]:
        """All orders: none stays open."""
        return list(self.orders)

    def select_order(self, order_side: Optional[str] = None, is_open: Optional[bool] = None, only_filled: bool = False) -> Optional[Order]:
        """The last order of a side; None if an open one is wanted."""
        found = [] if is_open else self.select_filled_orders(order_side)
        return found[-1] if found else None

    # Data of the strategy.

    def set_custom_data(self, key: str, value: Any) -> None:
        """Keeps a value beside the trade."""
        value = value.item() if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 else value
        if not isinstance(value, _KEPT) and key not in self._custom:
            print(f"{self.pair}: set_custom_data({key!r}) has a {type(value).__name__}, which a restart loses; keep numbers, texts, lists, dicts", file=sys.stderr)
        self._custom[key] = value

    def get_custom_data(self, key: str, default: Any = None) -> Any:
        """A value that was kept."""
        return self._custom.get(key, default)

    # Over a restart.

    def saved(self) -> Dict[str, Any]:
        """What is kept of it: numbers and texts."""
        return {
            "pair": self.pair,
            "open_rate": self.open_rate,
            "amount": self.amount,
            "open": self.open_date.timestamp(),
            "close": self.close_date.timestamp() if self.close_date else None,
            "tag": self.enter_tag,
            "tick": self.tick,
            "fields": {name: getattr(self, name) for name in _SAVED},
            "orders": [[one.side, one.amount, one.price, one.order_date.timestamp(), one.ft_order_tag] for one in self.orders],
            "custom": {key: value for key, value in self._custom.items() if isinstance(value, _KEPT)},
        }

    @classmethod
    def restored(cls, kept: Dict[str, Any]) -> "Trade":
        """The trade that was saved."""
        trade = cls(kept["pair"], kept["open_rate"], kept["amount"], _utc(kept["open"]), kept["tag"], kept["tick"])
        vars(trade).update(kept["fields"])
        trade.orders = [Order(side, amount, price, _utc(at), tag) for side, amount, price, at, tag in kept["orders"]]
        trade.date_last_filled_utc = trade.orders[-1].order_date
        trade._custom = dict(kept["custom"])
        if kept["close"] is not None:
            trade.close_date = trade.close_date_utc = _utc(kept["close"])
        return trade

    # Queries over all trades.

    @classmethod
    def get_trades_proxy(
        cls,
        *,
        pair: Optional[str] = None,
        is_open: Optional[bool] = None,
        open_date: Optional[datetime] = None,
        close_date: Optional[datetime] = None,
    ) -> List["Trade"]:
        """Trades of a pair, open or closed, opened or closed after a time."""
        trades = cls._closed + list(cls._open.values())
        return [
            trade
            for trade in trades
            if pair in (None, trade.pair)
            and is_open in (None, trade.is_open)
            and (open_date is None or trade.open_date > open_date)
            and (close_date is None or (trade.close_date is not None and trade.close_date > close_date))
        ]

    @classmethod
    def get_open_trades(cls) -> List["Trade"]:
        """The open ones."""
        return list(cls._open.values())

    @classmethod
    def get_open_trade_count(cls) -> int:
        """How many are open."""
        return len(cls._open)

    @classmethod
    def get_total_closed_profit(cls) -> float:
        """Gain of all closed ones in the quote asset."""
        return sum(trade.close_profit_abs for trade in cls._closed)

    @classmethod
    def total_open_trades_stakes(cls) -> float:
        """Stakes of the open ones."""
        return sum(trade.stake_amount for trade in cls._open.values())

    @classmethod
    def get_trades(cls, *_filters: Any, **_options: Any) -> Any:
        """Refused: there is no database of trades."""
        raise Unsupported("Trade.get_trades queries freqtrade's database, which does not exist here; use Trade.get_trades_proxy(pair=...)")

    @classmethod
    def _reset(cls) -> None:
        cls._open, cls._closed, cls._count = {}, [], 0


LocalTrade = Trade

# Fields that are saved as they are.
_SAVED = (
    "opened_at",
    "is_open",
    "stop_loss",
    "stop_loss_pct",
    "initial_stop_loss",
    "initial_stop_loss_pct",
    "is_stop_loss_trailing",
    "max_rate",
    "min_rate",
    "stake_amount",
    "max_stake_amount",
    "realized_profit",
    "close_rate",
    "close_profit",
    "close_profit_abs",
    "exit_reason",
)


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


class PairLock:
    """A time until which a pair is not entered."""

    def __init__(self, pair: str, until: datetime, reason: Optional[str], side: str) -> None:
        self.pair, self.reason, self.side, self.active = pair, reason, side, True
        self.lock_end_time = self.lock_end_time_utc = until


class PairLocks:
    """All locks. The pair "*" is every pair."""

    timeframe = "5m"
    _locks: List[PairLock] = []

    @classmethod
    def lock_pair(
        cls, pair: str, until: datetime, reason: Optional[str] = None, *, now: Optional[datetime] = None, side: str = "*"
    ) -> PairLock:
        """Locks a pair until the candle after `until` opens."""
        lock = PairLock(pair, timeframe_to_next_date(cls.timeframe, until), reason, side)
        cls._locks.append(lock)
        return lock

    @classmethod
    def get_pair_locks(cls, pair: Optional[str], now: Optional[datetime] = None, side: Optional[str] = None) -> List[PairLock]:
        """The locks that hold at `now`."""
        moment = now or datetime.now(timezone.utc)
        return [lock for lock in cls._locks if lock.active and lock.lock_end_time > moment and pair in (None, lock.pair)]

    @classmethod
    def is_pair_locked(cls, pair: str, now: Optional[datetime] = None, side: str = "*") -> bool:
        """Whether a pair, or every pair, is locked."""
        return bool(cls._locks) and bool(cls.get_pair_locks(pair, now) or cls.get_pair_locks("*", now))

    @classmethod
    def is_global_lock(cls, now: Optional[datetime] = None, side: str = "*") -> bool:
        """Whether every pair is locked."""
        return bool(cls.get_pair_locks("*", now))

    @classmethod
    def unlock_pair(cls, pair: str, now: Optional[datetime] = None, side: str = "*") -> None:
        """Ends the locks of a pair."""
        for lock in cls.get_pair_locks(pair, now):
            lock.active = False

    @classmethod
    def unlock_reason(cls, reason: str, now: Optional[datetime] = None) -> None:
        """Ends the locks of a reason."""
        for lock in cls.get_pair_locks(None, now):
            lock.active = lock.reason != reason

    @classmethod
    def drop_expired(cls, now: datetime) -> None:
        """Forgets locks that ended a day ago."""
        cls._locks[:] = [lock for lock in cls._locks if lock.lock_end_time > now - timedelta(days=1)]

    @classmethod
    def _reset(cls) -> None:
        cls._locks = []

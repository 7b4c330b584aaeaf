"""When a trade is closed: signals, stops and profit targets in freqtrade's order.

The same function serves both uses. Live, the rate is that of now. Over a closed candle, `low` and `high` are given as well: the stop is
moved by the high first and then compared with the low, as freqtrade's backtests do.
"""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any, List, Optional, Tuple

from .trade import Trade


@dataclass(frozen=True)
class Exit:
    """A way out of a trade: its reason, and the price where it is a level; None means the market."""

    kind: str
    reason: str
    price: Optional[float] = None


def roi_table(strategy: Any) -> List[Tuple[int, float]]:
    """`minimal_roi` as pairs of minutes and gain, ages ascending."""
    return sorted((int(age), float(gain)) for age, gain in (strategy.minimal_roi or {}).items())


class Rules:
    """The exits of one strategy."""

    def __init__(self, strategy: Any) -> None:
        self.strategy = strategy
        self.roi = roi_table(strategy)
        method = getattr(type(strategy), "custom_stoploss", None)
        self.notes_fills = bool(strategy.use_custom_stoploss and method and "after_fill" in inspect.signature(method).parameters)

    def exits(
        self,
        trade: Trade,
        now: datetime,
        rate: float,
        enter: bool,
        leave: bool,
        leave_tag: Optional[str] = None,
        low: Optional[float] = None,
        high: Optional[float] = None,
    ) -> List[Exit]:
        """The ways out that are open, the first one first."""
        strategy = self.strategy
        best = rate if high is None else high
        trade.adjust_min_max_rates(best, rate if low is None else low)
        self.adjust_stop(trade, now, rate, low, high)
        stopped = trade.stop_loss >= (rate if low is None else low)
        found = []
        signal = self.signal(trade, now, rate, enter, leave, leave_tag)
        if signal:
            found.append(signal)
        if stopped and not trade.is_stop_loss_trailing:
            found.append(Exit("stop_loss", "stop_loss", trade.stop_loss))
        if not (enter and strategy.ignore_roi_if_entry_signal):
            _, gain = self.roi_at(trade, now)
            if gain is not None and trade.calc_profit_ratio(best) > gain:
                found.append(Exit("roi", "roi", trade.rate_for_profit(gain)))
        if stopped and trade.is_stop_loss_trailing:
            found.append(Exit("trailing_stop_loss", "trailing_stop_loss", trade.stop_loss))
        return found

    def signal(
        self, trade: Trade, now: datetime, rate: float, enter: bool, leave: bool, tag: Optional[str] = None
    ) -> Optional[Exit]:
        """The exit by signal or by custom_exit, if there is one."""
        strategy = self.strategy
        if not strategy.use_exit_signal:
            return None
        profit = trade.calc_profit_ratio(rate)
        if leave and not enter:
            if strategy.exit_profit_only and profit <= strategy.exit_profit_offset:
                return None
            return Exit("exit_signal", tag or "exit_signal")
        answer = strategy.custom_exit(
            pair=trade.pair, trade=trade, current_time=now, current_rate=rate, current_profit=profit
        )
        if not answer:
            return None
        return Exit("custom_exit", answer[:255] if isinstance(answer, str) else "custom_exit")

    def adjust_stop(
        self, trade: Trade, now: datetime, rate: float, low: Optional[float] = None, high: Optional[float] = None, after_fill: bool = False
    ) -> None:
        """Sets the first stop of a trade, then moves it upwards. A stop that the low has reached stays where it is."""
        strategy = self.strategy
        trade.adjust_stop_loss(trade.open_rate, strategy.stoploss, initial=True)
        if trade.stop_loss >= (rate if low is None else low):
            return
        best = rate if high is None else high
        profit = trade.calc_profit_ratio(best)
        distance = strategy.stoploss
        if strategy.use_custom_stoploss:
            own = strategy.custom_stoploss(
                pair=trade.pair, trade=trade, current_time=now, current_rate=best, current_profit=profit, after_fill=after_fill
            )
            if own and math.isfinite(own):
                distance = own
                trade.adjust_stop_loss(best, own, allow_refresh=after_fill)
        if strategy.trailing_stop:
            offset = strategy.trailing_stop_positive_offset
            if strategy.trailing_only_offset_is_reached and profit < offset:
                return
            is_positive = strategy.trailing_stop_positive is not None and profit > offset
            trade.adjust_stop_loss(best, strategy.trailing_stop_positive if is_positive else distance)

    def after_fill(self, trade: Trade, now: datetime, rate: float) -> None:
        """After a fill a custom stop may move either way, if the strategy takes note of fills: its method has a parameter `after_fill`."""
        if self.notes_fills:
            self.adjust_stop(trade, now, rate, after_fill=True)

    def roi_at(self, trade: Trade, now: datetime) -> Tuple[Optional[int], Optional[float]]:
        """The age in minutes and the gain of the step of `minimal_roi` that holds at `now`."""
        age = int((now - trade.open_date_utc).total_seconds() // 60)
        found: Tuple[Optional[int], Optional[float]] = (None, None)
        for minutes, gain in self.roi:
            if minutes <= age:
                found = (minutes, gain)
        if self.strategy.use_custom_roi:
            own = self.strategy.custom_roi(
                pair=trade.pair, trade=trade, current_time=now, trade_duration=age, entry_tag=trade.enter_tag, side="long"
            )
            if own is not None and math.isfinite(own) and (found[1] is None or own < found[1]):
                return age, own
        return found


def candle_price(strategy: Any, rules: Rules, trade: Trade, way: Exit, now: datetime, opening: float, high: float, low: float) -> float:
    """The price at which freqtrade's backtests close a trade in a candle that opened at `now`."""
    if way.price is None:
        return opening
    if way.kind == "roi":
        minutes, _ = rules.roi_at(trade, now)
        age = int((now - trade.open_date_utc).total_seconds() // 60)
        is_new = age > 0 and age == minutes
        return opening if is_new and opening > way.price else min(max(way.price, low), high)
    if way.price > high:
        return opening
    if way.kind == "trailing_stop_loss" and now == trade.open_date_utc:
        # In the candle of the entry the price is taken to have risen just far enough to move the stop.
        positive, offset = strategy.trailing_stop_positive, strategy.trailing_stop_positive_offset
        armed = not strategy.use_custom_stoploss and strategy.trailing_only_offset_is_reached and positive and offset
        rise = 1 + offset - positive if armed else 1 + (trade.stop_loss_pct or 0.0)
        return max(low, opening * rise)
    return way.price

"""Protections: after a trade was closed, they may lock its pair or all pairs for a while."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Callable, Dict, List, Optional

from .errors import StrategyError, Unsupported
from .timeframes import timeframe_to_minutes
from .trade import PairLocks, Trade

_STOPS = ("stop_loss", "trailing_stop_loss", "stoploss_on_exchange", "liquidation")


class Protection:
    """One entry of a strategy's `protections`."""

    def __init__(self, settings: Dict[str, Any], timeframe: str) -> None:
        self.settings, self.method = settings, settings.get("method", "")
        check = _METHODS.get(self.method)
        if check is None:
            raise Unsupported(f"protection {self.method!r} is not known; there are {', '.join(_METHODS)}")
        self._check: Callable[[Protection, Optional[str], datetime], Optional[List[Trade]]] = check
        minutes = timeframe_to_minutes(timeframe)
        self._stop = self._minutes("stop_duration", minutes)
        self._lookback = self._minutes("lookback_period", minutes)
        self.unlock_at = settings.get("unlock_at")
        self.limit = int(settings.get("trade_limit", {"StoplossGuard": 10}.get(self.method, 1)))

    def _minutes(self, name: str, candle: int) -> float:
        in_candles = self.settings.get(f"{name}_candles")
        if in_candles is not None and name in self.settings:
            raise StrategyError(f"protection {self.method} has {name} and {name}_candles; write one of them")
        return int(in_candles) * candle if in_candles is not None else int(self.settings.get(name, 60))

    @property
    def is_global(self) -> bool:
        """Whether it may lock every pair."""
        return self.method == "MaxDrawdown" or (self.method == "StoplossGuard" and not self.settings.get("only_per_pair", False))

    @property
    def is_local(self) -> bool:
        """Whether it may lock one pair."""
        return self.method != "MaxDrawdown"

    def apply(self, pair: str, now: datetime) -> None:
        """Locks after a trade of `pair` was closed at `now`, if it has to."""
        for scope, wanted in ((pair, self.is_local), ("*", self.is_global)):
            trades = self._check(self, None if scope == "*" else scope, now) if wanted else None
            if not trades:
                continue
            until = self._until(max(trade.close_date for trade in trades))
            locked = PairLocks.is_global_lock(until) if scope == "*" else PairLocks.is_pair_locked(scope, until)
            if not locked:
                PairLocks.lock_pair(scope, until, self.method, now=now)

    def recent(self, pair: Optional[str], now: datetime) -> List[Trade]:
        """Trades that were closed within the period looked at."""
        return Trade.get_trades_proxy(pair=pair, is_open=False, close_date=now - timedelta(minutes=self._lookback))

    def _until(self, last: datetime) -> datetime:
        if not self.unlock_at:
            return last + timedelta(minutes=self._stop)
        hour, minute = (int(part) for part in self.unlock_at.split(":"))
        at = last.replace(hour=hour, minute=minute)
        return at if at >= last else at + timedelta(days=1)


def _cooldown(protection: Protection, pair: Optional[str], now: datetime) -> Optional[List[Trade]]:
    trades = protection.recent(pair, now)
    return [max(trades, key=lambda trade: trade.close_date)] if trades else None


def _stoploss_guard(protection: Protection, pair: Optional[str], now: datetime) -> Optional[List[Trade]]:
    most = protection.settings.get("required_profit", 0.0)
    stopped = [
        trade for trade in protection.recent(pair, now) if trade.exit_reason in _STOPS and trade.close_profit and trade.close_profit < most
    ]
    return stopped if len(stopped) >= protection.limit else None


def _low_profit(protection: Protection, pair: Optional[str], now: datetime) -> Optional[List[Trade]]:
    trades = protection.recent(pair, now)
    profit = sum(trade.close_profit or 0.0 for trade in trades)
    return trades if len(trades) >= protection.limit and profit < protection.settings.get("required_profit", 0.0) else None


def _max_drawdown(protection: Protection, pair: Optional[str], now: datetime) -> Optional[List[Trade]]:
    if protection.settings.get("calculation_mode", "ratios") != "ratios":
        raise Unsupported('MaxDrawdown: calculation_mode = "equity" is not supported; use the risk limits of the desk')
    trades = protection.recent(pair, now)
    if len(trades) < protection.limit:
        return None
    total = peak = drawdown = 0.0
    for trade in sorted(trades, key=lambda trade: trade.close_date):
        total += trade.close_profit or 0.0
        peak = max(peak, total)
        drawdown = max(drawdown, peak - total)
    return trades if drawdown > protection.settings.get("max_allowed_drawdown", 0.0) else None


_METHODS = {
    "CooldownPeriod": _cooldown,
    "StoplossGuard": _stoploss_guard,
    "LowProfitPairs": _low_profit,
    "MaxDrawdown": _max_drawdown,
}

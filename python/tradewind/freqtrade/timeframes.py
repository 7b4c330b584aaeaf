"""Lengths of candles, as freqtrade writes them: "5m", "1h", "1d", "1w"."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Optional

from .errors import StrategyError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# Weeks begin on Mondays, and the epoch was a Thursday.
_FIRST_MONDAY = 4 * 86400


def timeframe_to_seconds(timeframe: str) -> int:
    """The length in seconds."""
    number, unit = timeframe[:-1], timeframe[-1:]
    if not number.isdigit() or int(number) == 0 or unit not in _SECONDS:
        raise StrategyError(f'timeframe {timeframe!r} is not known; write a number and one of s, m, h, d, w, such as "5m"')
    return int(number) * _SECONDS[unit]


def timeframe_to_minutes(timeframe: str) -> int:
    """The length in whole minutes."""
    return timeframe_to_seconds(timeframe) // 60


def timeframe_to_msecs(timeframe: str) -> int:
    """The length in milliseconds."""
    return timeframe_to_seconds(timeframe) * 1000


def timeframe_to_resample_freq(timeframe: str) -> str:
    """The length as pandas writes it."""
    return "W-MON" if timeframe.endswith("w") else f"{timeframe_to_seconds(timeframe)}s"


def timeframe_to_prev_date(timeframe: str, date: Optional[datetime] = None) -> datetime:
    """When the candle opened in which `date` lies; now without one."""
    length = timeframe_to_seconds(timeframe)
    moment = (date or datetime.now(timezone.utc)).astimezone(timezone.utc)
    origin = _FIRST_MONDAY if timeframe.endswith("w") else 0
    passed = int((moment - _EPOCH).total_seconds()) - origin
    return _EPOCH + timedelta(seconds=passed - passed % length + origin)


def timeframe_to_next_date(timeframe: str, date: Optional[datetime] = None) -> datetime:
    """When the next candle opens after `date`; after now without one."""
    return timeframe_to_prev_date(timeframe, date) + timedelta(seconds=timeframe_to_seconds(timeframe))

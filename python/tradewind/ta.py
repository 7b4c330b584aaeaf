"""A few indicators without any dependency. Each takes lists of numbers and returns a list of the same length.

A value that cannot be computed yet is nan. Comparisons with nan are false, so that nothing is decided on one.
"""

from __future__ import annotations

from collections import deque
from typing import List, Sequence

NAN = float("nan")


def sma(values: Sequence[float], period: int) -> List[float]:
    """The mean of the last `period` values, computed from these alone, so that each row is the same whatever lies before it."""
    values = list(values)
    out = [NAN] * min(period - 1, len(values))
    for end in range(period, len(values) + 1):
        out.append(sum(values[end - period : end]) / period)
    return out


def ema(values: Sequence[float], period: int) -> List[float]:
    """The exponential mean with weight 2 / (period + 1), seeded by the mean of the first `period` values."""
    out: List[float] = []
    weight = 2 / (period + 1)
    total, mean, seen = 0.0, NAN, 0
    for value in values:
        if value != value:
            out.append(NAN)
            continue
        seen += 1
        if seen < period:
            total += value
        elif seen == period:
            mean = (total + value) / period
        else:
            mean += (value - mean) * weight
        out.append(mean if seen >= period else NAN)
    return out


def rsi(closes: Sequence[float], period: int = 14) -> List[float]:
    """Wilder's relative strength index, 0 to 100; 50 in a market that did not move."""
    out: List[float] = []
    gain = loss = 0.0
    for index, close in enumerate(closes):
        if index == 0:
            out.append(NAN)
            continue
        change = close - closes[index - 1]
        up, down = max(change, 0.0), max(-change, 0.0)
        if index <= period:
            gain += up / period
            loss += down / period
        else:
            gain += (up - gain) / period
            loss += (down - loss) / period
        if index < period:
            out.append(NAN)
        else:
            out.append(100 * gain / (gain + loss) if gain + loss else 50.0)
    return out


def atr(highs: Sequence[float], lows: Sequence[float], closes: Sequence[float], period: int = 14) -> List[float]:
    """Wilder's average true range, in units of the price."""
    out: List[float] = []
    mean = 0.0
    for index, (high, low) in enumerate(zip(highs, lows)):
        if index == 0:
            out.append(NAN)
            continue
        before = closes[index - 1]
        true_range = max(high, before) - min(low, before)
        mean = mean + true_range / period if index <= period else mean + (true_range - mean) / period
        out.append(mean if index >= period else NAN)
    return out


def highest(values: Sequence[float], period: int) -> List[float]:
    """The highest of the last `period` values."""
    return _extreme(values, period, lambda new, old: new >= old)


def lowest(values: Sequence[float], period: int) -> List[float]:
    """The lowest of the last `period` values."""
    return _extreme(values, period, lambda new, old: new <= old)


def _extreme(values, period, replaces) -> List[float]:
    out: List[float] = []
    window: deque = deque()
    for index, value in enumerate(values):
        while window and replaces(value, window[-1][1]):
            window.pop()
        window.append((index, value))
        if window[0][0] <= index - period:
            window.popleft()
        out.append(window[0][1] if index >= period - 1 else NAN)
    return out


def crossed_above(one: Sequence[float], other: Sequence[float]) -> List[bool]:
    """Per row: one was at or below the other in the row before and is above it now."""
    return [False] * bool(len(one)) + [
        one[i - 1] <= other[i - 1] and one[i] > other[i] for i in range(1, len(one))
    ]


def crossed_below(one: Sequence[float], other: Sequence[float]) -> List[bool]:
    """Per row: one was at or above the other in the row before and is below it now."""
    return crossed_above(other, one)

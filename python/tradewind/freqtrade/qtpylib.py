"""The indicators that strategies import as `qtpylib`, written from their definitions on pandas.

They accept Series, arrays and frames with the columns open, high, low, close and volume, and keep the index.
"""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import pandas as pd
from pandas import DataFrame, Series


def _series(values: Any) -> Series:
    return values if isinstance(values, Series) else Series(values)


def _window(series: Any, window: float, min_periods: Optional[int]) -> Any:
    least = int(window) if min_periods is None else min_periods
    return _series(series).rolling(window=int(window), min_periods=least)


# Crossings.


def crossed(series1: Any, series2: Any, direction: Optional[str] = None) -> Series:
    """Where one series crosses another, or a number: "above", "below", or either without a direction."""
    one = _series(series1)
    other = series2 if isinstance(series2, Series) else Series(series2, index=one.index)
    one_before, other_before = one.shift(1), other.shift(1)
    above = (one > other) & (one_before <= other_before)
    below = (one < other) & (one_before >= other_before)
    return above | below if direction is None else above if direction == "above" else below


def crossed_above(series1: Any, series2: Any) -> Series:
    """Where it was at or below the other and is now above it."""
    return crossed(series1, series2, "above")


def crossed_below(series1: Any, series2: Any) -> Series:
    """Where it was at or above the other and is now below it."""
    return crossed(series1, series2, "below")


# Prices.


def typical_price(bars: DataFrame) -> Series:
    """The mean of high, low and close."""
    return (bars["high"] + bars["low"] + bars["close"]) / 3.0


def mid_price(bars: DataFrame) -> Series:
    """The mean of high and low."""
    return (bars["high"] + bars["low"]) / 2.0


def heikinashi(bars: DataFrame) -> DataFrame:
    """Heikin-Ashi candles: open, high, low, close."""
    opens, close = bars["open"].to_numpy(dtype=float), ((bars["open"] + bars["high"] + bars["low"] + bars["close"]) / 4).to_numpy()
    smooth = np.empty(len(bars))
    if len(bars):
        value = (opens[0] + bars["close"].to_numpy(dtype=float)[0]) / 2
        smooth[0] = value
        for i, last in enumerate(close[:-1].tolist(), 1):
            value = (value + last) / 2
            smooth[i] = value
    high = np.maximum(np.maximum(bars["high"].to_numpy(), smooth), close)
    low = np.minimum(np.minimum(bars["low"].to_numpy(), smooth), close)
    return DataFrame({"open": smooth, "high": high, "low": low, "close": close}, index=bars.index)


def ibs(bars: DataFrame) -> Series:
    """Internal bar strength: where the close lies between low and high, to two decimals."""
    return np.round((bars["close"] - bars["low"]) / (bars["high"] - bars["low"]), 2)


def returns(series: Series) -> Series:
    """The change from the value before, as a share."""
    return (series / series.shift(1) - 1).replace([np.inf, -np.inf], np.nan)


def log_returns(series: Series) -> Series:
    """The logarithm of the ratio to the value before."""
    return np.log(series / series.shift(1)).replace([np.inf, -np.inf], np.nan)


def nans(length: int = 1) -> np.ndarray:
    """An array without values."""
    return np.full(length, np.nan)


# Averages and extremes.


def rolling_mean(series: Any, window: int = 200, min_periods: Optional[int] = None) -> Series:
    """Simple moving average."""
    return _window(series, window, min_periods).mean()


def rolling_std(series: Any, window: int = 200, min_periods: Optional[int] = None) -> Series:
    """Standard deviation of a sample."""
    return _window(series, window, min_periods).std()


def rolling_min(series: Any, window: int = 14, min_periods: Optional[int] = None) -> Series:
    """Lowest value."""
    return _window(series, window, min_periods).min()


def rolling_max(series: Any, window: int = 14, min_periods: Optional[int] = None) -> Series:
    """Highest value."""
    return _window(series, window, min_periods).max()


def rolling_weighted_mean(series: Any, window: float = 200, min_periods: Optional[float] = None) -> Series:
    """Exponential moving average of this span, with the weights of the values that there are."""
    least = window if min_periods is None else min_periods
    return _series(series).ewm(span=window, min_periods=int(least)).mean()


def hull_moving_average(series: Any, window: int = 200, min_periods: Optional[int] = None) -> Series:
    """Hull's average, on exponential ones."""
    least = window if min_periods is None else min_periods
    raw = 2 * rolling_weighted_mean(series, window / 2, least) - rolling_weighted_mean(series, window, least)
    return rolling_weighted_mean(raw, np.sqrt(window), least)


sma, wma, ema, hma = rolling_mean, rolling_weighted_mean, rolling_weighted_mean, hull_moving_average


def zlma(series: Series, window: int = 20, min_periods: Optional[int] = None, kind: str = "ema") -> Series:
    """Ehlers' average without lag: the average of twice the value less the value half a window ago."""
    least = window if min_periods is None else min_periods
    lag = (window - 1) // 2
    doubled = 2 * series - series.shift(lag)
    average = {"ema": wma, "ewm": wma, "hma": hma}.get(kind, sma)
    return average(doubled, lag, least)


def zlema(series: Series, window: int, min_periods: Optional[int] = None) -> Series:
    """`zlma` with an exponential average."""
    return zlma(series, window, min_periods, "ema")


def zlsma(series: Series, window: int, min_periods: Optional[int] = None) -> Series:
    """`zlma` with a simple average."""
    return zlma(series, window, min_periods, "sma")


def zlhma(series: Series, window: int, min_periods: Optional[int] = None) -> Series:
    """`zlma` with Hull's average."""
    return zlma(series, window, min_periods, "hma")


def rolling_vwap(bars: DataFrame, window: int = 200, min_periods: Optional[int] = None) -> Series:
    """Average typical price, weighted with the volume, over a window."""
    volume = bars["volume"]
    value = _window(typical_price(bars) * volume, window, min_periods).sum() / _window(volume, window, min_periods).sum()
    return value.replace([np.inf, -np.inf], np.nan).ffill()


def vwap(bars: DataFrame) -> Series:
    """Refused: an average over all of the history, later candles included, looks ahead."""
    raise ValueError("qtpylib.vwap looks ahead; use qtpylib.rolling_vwap")


# Bands and ranges.


def _bands(mid: Series, spread: Series) -> DataFrame:
    return DataFrame({"upper": mid + spread, "mid": mid, "lower": mid - spread}, index=mid.index)


def bollinger_bands(series: Series, window: int = 20, stds: float = 2) -> DataFrame:
    """upper, mid and lower, from the first values on."""
    series = _series(series)
    return _bands(rolling_mean(series, window, 1), rolling_std(series, window, 1) * stds)


def weighted_bollinger_bands(series: Series, window: int = 20, stds: float = 2) -> DataFrame:
    """upper, mid and lower around an exponential average."""
    return _bands(rolling_weighted_mean(series, window), rolling_std(series, window) * stds)


def true_range(bars: DataFrame) -> Series:
    """The largest of the range and the distances of high and low from the last close."""
    before = bars["close"].shift(1)
    ranges = [bars["high"] - bars["low"], (bars["high"] - before).abs(), (bars["low"] - before).abs()]
    return pd.concat(ranges, axis=1).max(axis=1)


def atr(bars: DataFrame, window: int = 14, exp: bool = False) -> Series:
    """Average true range: a simple average, or an exponential one."""
    return (rolling_weighted_mean if exp else rolling_mean)(true_range(bars), window)


def keltner_channel(bars: DataFrame, window: int = 14, atrs: float = 2) -> DataFrame:
    """upper, mid and lower around the average typical price."""
    return _bands(rolling_mean(typical_price(bars), window), atr(bars, window) * atrs)


def chopiness(bars: DataFrame, window: int = 14) -> Series:
    """Choppiness index, 0 to 100."""
    span = bars["high"].rolling(window).max() - bars["low"].rolling(window).min()
    return 100 * np.log10(true_range(bars).rolling(window).sum() / span) / np.log10(window)


# Oscillators.


def rsi(series: Any, window: int = 14) -> Series:
    """Relative strength index with Wilder's smoothing; the first `window` values repeat the seed's."""
    series = _series(series)
    deltas = np.diff(series.to_numpy(dtype=float))
    seed = deltas[: window + 1]
    up, down = seed[seed > 0].sum() / window, -seed[seed < 0].sum() / window
    out = np.empty(len(series))
    with np.errstate(divide="ignore", invalid="ignore"):
        out[:window] = 100.0 - 100.0 / (1.0 + np.float64(up) / down)
    for i, delta in enumerate(deltas[window - 1 :].tolist(), window):
        up = (up * (window - 1) + max(delta, 0.0)) / window
        down = (down * (window - 1) + max(-delta, 0.0)) / window
        out[i] = 100.0 - 100.0 / (1.0 + up / down) if down else (100.0 if up else np.nan)
    return Series(out, index=series.index)


def stoch(df: DataFrame, window: int = 14, d: int = 3, k: int = 3, fast: bool = False) -> DataFrame:
    """Stochastic oscillator: slow_k and slow_d, or fast_k and fast_d."""
    high, low = df["high"].rolling(window).max(), df["low"].rolling(window).min()
    fast_k = 100 * (df["close"] - low) / (high - low)
    if fast:
        return DataFrame({"fast_k": fast_k, "fast_d": fast_k.rolling(d).mean()})
    slow_k = fast_k.rolling(k).mean()
    return DataFrame({"slow_k": slow_k, "slow_d": slow_k.rolling(d).mean()})


def macd(series: Series, fast: int = 3, slow: int = 10, smooth: int = 16) -> DataFrame:
    """macd, signal and histogram, on exponential averages."""
    line = rolling_weighted_mean(series, fast) - rolling_weighted_mean(series, slow)
    signal = rolling_weighted_mean(line, smooth)
    return DataFrame({"macd": line, "signal": signal, "histogram": line - signal}, index=_series(series).index)


def awesome_oscillator(df: DataFrame, weighted: bool = False, fast: int = 5, slow: int = 34) -> Series:
    """Difference of two averages of the mid price; `weighted` takes exponential ones with these centres of mass."""
    middle = mid_price(df)
    if weighted:
        return middle.ewm(com=fast).mean() - middle.ewm(com=slow).mean()
    return rolling_mean(middle, fast) - rolling_mean(middle, slow)


def roc(series: Series, window: int = 14) -> Series:
    """Rate of change, as a share."""
    before = series.shift(window)
    return (series - before) / before


def cci(series: DataFrame, window: int = 14) -> Series:
    """Distance of the typical price from its average, over 0.015 of the deviation of that average over all candles."""
    price = typical_price(series)
    mean = rolling_mean(price, window)
    return (price - mean) / (0.015 * np.std(mean))


def tdi(
    series: Series, rsi_lookback: int = 13, rsi_smooth_len: int = 2, rsi_signal_len: int = 7, bb_lookback: int = 34, bb_std: float = 1.6185
) -> DataFrame:
    """Traders' dynamic index: the RSI, its averages and its bands."""
    strength = rsi(series, rsi_lookback)
    bands = bollinger_bands(strength, bb_lookback, bb_std)
    return DataFrame(
        {
            "rsi": strength,
            "rsi_signal": sma(strength, rsi_signal_len),
            "rsi_smooth": sma(strength, rsi_smooth_len),
            "rsi_bb_upper": bands["upper"],
            "rsi_bb_lower": bands["lower"],
            "rsi_bb_mid": bands["mid"],
        }
    )


def zscore(bars: DataFrame, window: int = 20, stds: float = 1, col: str = "close") -> Series:
    """Distance from the average in deviations."""
    return (bars[col] - rolling_mean(bars[col], window)) / (rolling_std(bars[col], window) * stds)


def pvt(bars: DataFrame) -> Series:
    """Price volume trend."""
    return (bars["close"].pct_change() * bars["volume"]).cumsum()


def implied_volatility(series: Series, window: int = 252) -> Series:
    """Deviation of the logarithmic returns over a window, scaled to it."""
    return rolling_std(log_returns(series), window) * np.sqrt(window)


numpy_rolling_mean, numpy_rolling_std = rolling_mean, rolling_std

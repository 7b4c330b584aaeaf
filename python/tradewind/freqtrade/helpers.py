"""Functions that strategies call: merging longer candles, and stops relative to the current price."""

from __future__ import annotations

from typing import Any, Optional

from .timeframes import timeframe_to_minutes


def merge_informative_pair(
    dataframe: Any,
    informative: Any,
    timeframe: str,
    timeframe_inf: str,
    ffill: bool = True,
    append_timeframe: bool = True,
    date_column: str = "date",
    suffix: Optional[str] = None,
) -> Any:
    """Gives each candle of `dataframe` the columns of the last candle of `informative` that had closed when it closed.

    The columns' names end with `_TIMEFRAME`, or with the suffix instead. `informative` must not have shorter candles.
    """
    import pandas

    short, long = timeframe_to_minutes(timeframe), timeframe_to_minutes(timeframe_inf)
    if long < short:
        raise ValueError(f"candles of {timeframe_inf} cannot be merged into longer ones of {timeframe}: candles would be lost")
    if suffix and append_timeframe:
        raise ValueError("append_timeframe and suffix exclude each other; write append_timeframe=False")
    ending = f"_{timeframe_inf}" if append_timeframe else f"_{suffix}" if suffix else ""
    key = f"date_merge{ending}"
    merged = informative.copy()
    # Dates are those of opening. A candle of an hour is known with the close of the last short candle in it.
    merged["date_merge"] = merged[date_column] + pandas.Timedelta(minutes=long - short)
    merged.columns = [f"{column}{ending}" for column in merged.columns]
    left, right = dataframe, merged
    if left["date"].dtype != right[key].dtype:
        right[key] = right[key].astype(left["date"].dtype)
    if not ffill:
        return pandas.merge(left, right, how="left", left_on="date", right_on=key).drop(columns=key)
    if len(left) and left["date"].is_monotonic_increasing and right[key].is_monotonic_increasing:
        # One search for all rows does what a forward filling merge of rows does, at a fraction of its cost.
        rows = right[key].searchsorted(left["date"], side="right") - 1
        taken = right.drop(columns=key).take(rows.clip(min=0)) if len(right) else right.drop(columns=key).reindex(range(len(left)))
        taken.index = left.index
        if len(right):
            unknown = rows < 0
            if unknown.any():
                taken = taken.astype({name: float for name in taken.columns if taken[name].dtype.kind in "iub"})
                taken.iloc[unknown] = None
        return pandas.concat([left, taken], axis=1)
    return pandas.merge_ordered(left, right, fill_method="ffill", left_on="date", right_on=key, how="left").drop(columns=key)


def stoploss_from_open(open_relative_stop: float, current_profit: float, is_short: bool = False, leverage: float = 1.0) -> float:
    """The distance from the current price at which a stop lies that is `open_relative_stop` away from the entry, as a share.

    0 if that stop is at or beyond the current price. `current_profit` is the gain since the entry, as a share.
    """
    entry_to_now = 1 + (-current_profit if is_short else current_profit) / leverage
    entry_to_stop = 1 + (-open_relative_stop if is_short else open_relative_stop) / leverage
    if entry_to_now == 0:
        return 1
    distance = entry_to_stop / entry_to_now - 1 if is_short else 1 - entry_to_stop / entry_to_now
    return max(distance * leverage, 0.0)


def stoploss_from_absolute(stop_rate: float, current_rate: float, is_short: bool = False, leverage: float = 1.0) -> float:
    """The distance from the current price of a stop at `stop_rate`, as a share; 0 if it is at or beyond the current price."""
    if current_rate == 0:
        return 1
    distance = stop_rate / current_rate - 1 if is_short else 1 - stop_rate / current_rate
    return max(distance, 0.0) * leverage

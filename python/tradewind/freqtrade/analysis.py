"""From candles to signals: the table of a pair with indicators, entries and exits."""

from __future__ import annotations

from typing import Any

from .errors import StrategyError, Unsupported
from .informative import decorated, merge_informative
from .timeframes import timeframe_to_seconds

CANDLE = ["date", "open", "high", "low", "close", "volume"]


def fill_holes(table: Any, timeframe: str) -> Any:
    """Candles without holes: a missing one is flat at the close before it, without volume."""
    import pandas

    length = pandas.Timedelta(seconds=timeframe_to_seconds(timeframe))
    if len(table) < 2 or (table["date"].iloc[-1] - table["date"].iloc[0]) == length * (len(table) - 1):
        return table
    dates = pandas.date_range(table["date"].iloc[0], table["date"].iloc[-1], freq=length, name="date").as_unit(table["date"].dt.unit)
    full = table.set_index("date").reindex(dates)
    full["close"] = full["close"].ffill()
    for name in ("open", "high", "low"):
        full[name] = full[name].fillna(full["close"])
    full["volume"] = full["volume"].fillna(0.0)
    return full.reset_index()


def longer_candles(table: Any, timeframe: str, longer: str) -> Any:
    """The closed candles of a longer timeframe that lie whole in a table of shorter ones."""
    import pandas

    short, long = timeframe_to_seconds(timeframe), timeframe_to_seconds(longer)
    if long % short:
        raise Unsupported(f"candles of {longer} cannot be made of candles of {timeframe}; choose a multiple")
    if long == short or table.empty:
        return table.copy()
    length = pandas.Timedelta(seconds=long)
    origin = pandas.Timestamp("1970-01-05" if long % 604800 == 0 else "1970-01-01", tz="UTC")
    opened = table["date"] - (table["date"] - origin) % length
    opened = opened.astype(table["date"].dtype)
    made = table.groupby(opened, sort=True).agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    )
    end = table["date"].iloc[-1] + pandas.Timedelta(seconds=short)
    whole = (made.index >= table["date"].iloc[0]) & (made.index + length <= end)
    return made[whole].rename_axis("date").reset_index()


def analyze(strategy: Any, candles: Any, pair: str) -> Any:
    """Adds indicators and signals to candles without holes."""
    metadata = {"pair": pair}
    table = candles
    for mark, method in decorated(strategy):
        table = merge_informative(strategy, table, pair, mark, method)
    table = _checked(strategy.populate_indicators(table, metadata), len(candles), "populate_indicators")
    table = table.copy()
    table = _checked(strategy.populate_entry_trend(table, metadata), len(candles), "populate_entry_trend")
    table = _checked(strategy.populate_exit_trend(table, metadata), len(candles), "populate_exit_trend")
    if strategy.INTERFACE_VERSION < 3 or "buy" in table.columns or "sell" in table.columns:
        names = {"buy": "enter_long", "sell": "exit_long", "buy_tag": "enter_tag"}
        table = table.rename(columns={old: new for old, new in names.items() if old in table.columns and new not in table.columns})
    return table


def _checked(table: Any, rows: int, method: str) -> Any:
    if table is None:
        raise StrategyError(f"{method} returned nothing; end it with return dataframe")
    if len(table) != rows:
        raise StrategyError(f"{method} returned {len(table)} rows of {rows}; keep every row of the dataframe")
    return table


def flags(table: Any, name: str) -> Any:
    """A column of signals as booleans: where it is 1."""
    import numpy

    if name not in table.columns:
        return numpy.zeros(len(table), dtype=bool)
    return (table[name] == 1).to_numpy()


def tags(table: Any, name: str) -> list:
    """A column of tags as texts, "" where there is none."""
    if name not in table.columns:
        return [""] * len(table)
    return [value if isinstance(value, str) else "" for value in table[name].tolist()]

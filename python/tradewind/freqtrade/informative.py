"""The decorator `@informative`: indicators on longer candles, of the same instrument or another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, List, Union

from .errors import Unsupported
from .helpers import merge_informative_pair
from .timeframes import timeframe_to_seconds


@dataclass(frozen=True)
class Informative:
    """What a decorated method computes, and how its columns are named."""

    timeframe: str
    asset: str
    fmt: Union[None, str, Callable[..., str]]
    ffill: bool


def informative(
    timeframe: str,
    asset: str = "",
    fmt: Union[None, str, Callable[..., str]] = None,
    *,
    candle_type: Any = None,
    ffill: bool = True,
    cache: bool = True,
) -> Callable[[Callable], Callable]:
    """Marks a method `(self, dataframe, metadata)` as one that computes indicators on candles of `timeframe` of `asset`."""
    if candle_type and str(candle_type) != "spot":
        raise Unsupported(f"@informative: candle_type={str(candle_type)!r} is not supported; use spot candles")
    timeframe_to_seconds(timeframe)

    def mark(method: Callable) -> Callable:
        marks = getattr(method, "_informative", [])
        marks.append(Informative(timeframe, asset, fmt, ffill))
        method._informative = marks  # type: ignore[attr-defined]
        return method

    return mark


def decorated(strategy: Any) -> List[tuple]:
    """The decorated methods of a strategy with their marks, by name."""
    found = []
    for name in dir(type(strategy)):
        method = getattr(type(strategy), name, None)
        found.extend((mark, method) for mark in getattr(method, "_informative", []))
    return found


def pair_names(pair: str) -> dict:
    """What may stand in braces in the name of a pair or a column."""
    base, quote = pair.split("/")
    quote = quote.split(":")[0]
    return {"base": base.lower(), "BASE": base.upper(), "quote": quote.lower(), "QUOTE": quote.upper()}


def informative_asset(mark: Informative, pair: str, stake: str) -> str:
    """The pair whose candles are meant, for a strategy that looks at `pair`."""
    if not mark.asset:
        return pair
    return mark.asset.format(**{**pair_names(pair), "stake": stake, "STAKE": stake}).upper()


def merge_informative(strategy: Any, dataframe: Any, pair: str, mark: Informative, method: Callable) -> Any:
    """Computes the columns of a decorated method and merges them into `dataframe`."""
    asset = informative_asset(mark, pair, strategy.config["stake_currency"])
    longer = strategy.dp.get_pair_dataframe(asset, mark.timeframe)
    longer = method(strategy, longer, {"pair": asset, "timeframe": mark.timeframe})
    fmt = mark.fmt or ("{base}_{quote}_{column}_{timeframe}" if mark.asset else "{column}_{timeframe}")
    name = fmt if callable(fmt) else fmt.format
    names = {**pair_names(asset), "asset": asset, "timeframe": mark.timeframe}
    longer = longer.rename(columns=lambda column: name(column=column, **names))
    date = name(column="date", **names)
    if date in dataframe.columns:
        raise Unsupported(f"two @informative methods write the column {date}; give one of them a fmt of its own")
    return merge_informative_pair(
        dataframe, longer, strategy.timeframe, mark.timeframe, ffill=mark.ffill, append_timeframe=False, date_column=date
    )

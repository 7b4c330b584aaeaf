"""What a strategy sees besides its candle: its position, its budget, its rows, and what it reads of others."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

from .columns import Columns, History, as_columns, has_numpy, plain
from .market import Candle, Position, Quote, Trade

NAN = float("nan")


@dataclass(frozen=True)
class ReadQuote(Quote):
    """The latest quote of an instrument that the bot only reads. `is_live` says whether its feed is."""

    is_live: bool = True


class Context:
    """The view of one evaluation. `ctx["rsi"]` is a column's value in the newest row, `ctx["rsi", 1]` the one before it."""

    def __init__(self, mode: str = "live") -> None:
        self.mode = mode
        self.instrument: str = ""
        self.timeframe: str = ""
        self.now: int = 0
        self.position: Position = Position("")
        self.positions: Dict[str, Position] = {}
        self.budget: float = 0.0
        # The exposure that is held or worked towards, and the fee that the desk reckons with, as shares.
        self.exposure: float = 0.0
        self.fee: float = 0.0
        self.quote: Optional[Quote] = None
        self.reads: Dict[str, ReadQuote] = {}
        self.numbers: Dict[str, Tuple[float, float]] = {}
        self.closed_trades: List[Trade] = []
        self.is_carried_out: bool = True
        # The instruments that are traded, those with the ones that are only read, and the tick of each.
        self.traded: List[str] = []
        self.known: List[str] = []
        self.ticks: Dict[str, float] = {}
        self._histories: Dict[str, History] = {}
        self._everything: Dict[Tuple[str, str], History] = {}
        self._frames: Dict[str, Columns] = {}
        self._plain: Dict[Tuple[str, str], List[Any]] = {}
        self._row: Dict[str, int] = {}
        self._span: Tuple[int, int] = (0, 0)
        # How many candles further timeframes have, up to the close of which row of the base; None for all of them.
        self._rows: Optional[int] = None
        self._anchor: int = 0
        # Computes the newest rows where a callback reads them and no close has done so.
        self._refresh: Optional[Callable[[], None]] = None

    @property
    def is_backtest(self) -> bool:
        """Whether the history is played."""
        return self.mode == "backtest"

    def __getitem__(self, key: Union[str, Tuple[str, int]]) -> Any:
        """The value of a column; nan before the first row, and for None."""
        name, ago = key if isinstance(key, tuple) else (key, 0)
        if ago < 0:
            raise ValueError(f"ctx[{name!r}, {ago}] is a row of the future; write how many candles ago")
        if self._frames.get(self.instrument) is None and self._refresh is not None:
            self._refresh()
        frame = self._frames.get(self.instrument)
        if frame is None:
            return NAN
        if name not in frame:
            there = ", ".join(frame)
            raise KeyError(f"no column {name!r}; there are: {there}")
        row = self._row.get(self.instrument, -1) - ago
        if row < 0:
            return NAN
        column = self._plain.get((self.instrument, name))
        if column is None:
            column = self._plain[self.instrument, name] = plain(frame[name])
        value = column[row]
        return NAN if value is None else value

    def number(self, series: str, max_age: Optional[float] = None) -> Optional[float]:
        """The latest number of a named series, such as "house:fear"; None if there is none, or it is older than so many seconds."""
        value, age = self.numbers.get(series, (None, 0.0))
        return None if max_age is not None and age > max_age else value

    def candles(self, timeframe: Optional[str] = None, count: Optional[int] = None) -> List[Candle]:
        """Closed candles up to now, oldest first: all that are kept, or the newest `count`."""
        name = timeframe or self.timeframe
        history = self._history(name)
        end = history.closed_until(self.now)
        begin = 0 if count is None else max(end - count, 0)
        fields = history.fields
        return [
            Candle(
                self.instrument,
                name,
                history.time[i],
                history.time[i] + history.length,
                fields["open"][i],
                fields["high"][i],
                fields["low"][i],
                fields["close"][i],
                fields["volume"][i],
            )
            for i in range(begin, end)
        ]

    def on(self, timeframe: str, compute: Callable[[Columns], Any]) -> Columns:
        """Within `indicators`: computes columns on another timeframe and gives each row of `df` those of its last *closed* candle.

        `hourly = ctx.on("1h", lambda df: {"sma": ta.sma(df["close"], 50)})`, then `df["sma_1h"] = hourly["sma"]`. Rows before the
        first closed candle have nan.
        """
        history, base = self._history(timeframe), self._history(self.timeframe)
        begin, end = self._span
        if begin >= end:
            return Columns()
        last = base.time[end - 1] + base.length
        until = history.closed_until(last)
        start = 0
        if self._rows is not None:
            # Later rows see more candles, and none that is older.
            anchor = base.time[self._anchor - 1] + base.length
            start = max(history.closed_until(anchor) - self._rows, 0)
        frame = history.columns(start, until)
        computed = compute(frame)
        computed = as_columns(frame if computed is None else computed, until - start)
        closes = [time + history.length for time in history.time[start:until]]
        places = [bisect_right(closes, base.time[row] + base.length) - 1 for row in range(begin, end)]
        return self._aligned(computed, places)

    def _aligned(self, computed: Columns, places: List[int]) -> Columns:
        out = Columns()
        for name, column in computed.items():
            values = plain(column)
            rows = [values[place] if place >= 0 else NAN for place in places]
            if has_numpy():
                import numpy

                out[name] = numpy.array(rows)
            else:
                out[name] = rows
        return out

    def closed_columns(self, instrument: str, timeframe: str) -> Optional[Columns]:
        """The candles of any of the bot's instruments that had closed by now; None for a timeframe that is not kept."""
        history = self._everything.get((instrument, timeframe))
        return None if history is None else history.columns(0, history.closed_until(self.now))

    def pandas(self, df: Columns) -> Any:
        """The columns as a pandas table, with `date` as its index. The interpreter must have pandas."""
        import pandas

        table = pandas.DataFrame(dict(df))
        table.index = pandas.to_datetime(table["time"], unit="ns", utc=True)
        table.index.name = "date"
        return table

    def _history(self, timeframe: str) -> History:
        history = self._histories.get(timeframe)
        if history is None:
            there = ", ".join(self._histories) or "none"
            raise KeyError(f"no candles of {timeframe!r}; name it in `timeframes`. There are: {there}")
        return history

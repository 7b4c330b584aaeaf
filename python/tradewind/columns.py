"""The candles that the process holds, and the columns that `indicators` and `signals` work on."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from typing import Any, Dict, List, Sequence

FIELDS = ("time", "open", "high", "low", "close", "volume")


class Columns(dict):
    """Columns by name: lists, or numpy arrays where the strategy's file imported numpy or pandas. Assign to add one.

    There are always `time` (nanoseconds), `open`, `high`, `low`, `close` and `volume`.
    """

    def __len__(self) -> int:
        return len(self["time"]) if "time" in self else 0

    @property
    def names(self) -> List[str]:
        """The names of all columns."""
        return list(self.keys())


def has_numpy() -> bool:
    """Whether the strategy's file imported numpy, itself or by pandas."""
    return "numpy" in sys.modules


def plain(column: Any) -> List[Any]:
    """A column as a list of Python values."""
    tolist = getattr(column, "tolist", None)
    return tolist() if tolist else list(column)


class History:
    """Closed candles of one instrument and timeframe, oldest first."""

    def __init__(self, seconds: int):
        self.length = seconds * 1_000_000_000
        self.time = array("q")
        self.fields: Dict[str, array] = {name: array("d") for name in FIELDS[1:]}

    def __len__(self) -> int:
        return len(self.time)

    def append(self, time: int, values: Sequence[float]) -> bool:
        """Adds a candle; one that is not newer than the last is left out."""
        if self.time and time <= self.time[-1]:
            return False
        self.time.append(time)
        for name, value in zip(FIELDS[1:], values):
            self.fields[name].append(value)
        return True

    def extend(self, times: array, columns: Sequence[array]) -> None:
        """Adds many candles, which are newer than those there are."""
        self.time.extend(times)
        for name, values in zip(FIELDS[1:], columns):
            self.fields[name].extend(values)

    def keep(self, most: int) -> None:
        """Drops all but the newest once there are twice as many as `most`."""
        if len(self.time) > 2 * most:
            del self.time[:-most]
            for column in self.fields.values():
                del column[:-most]

    def closed_until(self, now: int) -> int:
        """How many of them had closed at `now`."""
        return bisect_right(self.time, now - self.length)

    def columns(self, begin: int, end: int) -> Columns:
        """Rows `begin` until `end` as columns of their own."""
        if has_numpy():
            import numpy

            frame = Columns(time=numpy.frombuffer(self.time, dtype="<i8")[begin:end].copy())
            for name, column in self.fields.items():
                frame[name] = numpy.frombuffer(column, dtype="<f8")[begin:end].copy()
            return frame
        frame = Columns(time=self.time[begin:end].tolist())
        for name, column in self.fields.items():
            frame[name] = column[begin:end].tolist()
        return frame


def as_columns(frame: Any, rows: int) -> Columns:
    """What `indicators` returned, as columns: a pandas table is one, too. None means the columns it was given are meant."""
    if isinstance(frame, Columns):
        found = frame
    elif hasattr(frame, "columns") and hasattr(frame, "to_numpy"):
        found = Columns((str(name), frame[name].to_numpy()) for name in frame.columns)
    elif isinstance(frame, dict):
        found = Columns(frame)
    else:
        raise TypeError(f"indicators returned {type(frame).__name__}; return the columns: return df")
    for name, column in found.items():
        if len(column) != rows:
            raise ValueError(f"column {name!r} has {len(column)} rows, and there are {rows} candles")
    return found

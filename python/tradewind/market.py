"""What a strategy sees of the market and of its own position. Times are nanoseconds since 1970 in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Optional


def utc(nanoseconds: int) -> datetime:
    """A time as a datetime in UTC."""
    return datetime.fromtimestamp(nanoseconds / 1_000_000_000, timezone.utc)


@dataclass(frozen=True)
class Candle:
    """A closed candle. `time` is when it opened, `close_time` when it closed."""

    instrument: str
    timeframe: str
    time: int
    close_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float

    @property
    def date(self) -> datetime:
        """When it opened."""
        return utc(self.time)


@dataclass(frozen=True)
class Quote:
    """The best bid and ask, with their sizes in base units."""

    instrument: str
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    time: int

    @property
    def mid(self) -> float:
        """The middle of bid and ask."""
        return (self.bid + self.ask) / 2


@dataclass(frozen=True)
class Position:
    """The bot's position in one instrument. It is false when flat: `if ctx.position:`."""

    instrument: str
    quantity: float = 0.0
    entry_price: Optional[float] = None
    opened_at: Optional[int] = None
    price: Optional[float] = None
    now: int = 0
    bars: int = 0

    def __bool__(self) -> bool:
        return self.quantity != 0

    @property
    def is_long(self) -> bool:
        """Whether it gains when the price rises."""
        return self.quantity > 0

    @property
    def profit(self) -> float:
        """Unrealised gain as a share of the entry price, without fees; 0 when flat."""
        if not self.quantity or not self.entry_price or self.price is None:
            return 0.0
        change = self.price / self.entry_price - 1
        return change if self.quantity > 0 else -change

    @property
    def age(self) -> float:
        """Seconds since it was opened; 0 when flat."""
        return (self.now - self.opened_at) / 1e9 if self.opened_at is not None else 0.0


@dataclass(frozen=True)
class Order:
    """What became of the last decision: `filled`, or `denied` where it never reached the book."""

    instrument: str
    status: str
    quantity: float
    price: Optional[float]
    time: int


@dataclass(frozen=True)
class Trade:
    """A position that was closed, as far as the strategy saw it at its evaluations."""

    instrument: str
    quantity: float
    entry_price: float
    exit_price: float
    opened_at: int
    closed_at: int
    tag: str = ""

    @property
    def profit(self) -> float:
        """Gain as a share of the entry price, without fees."""
        change = self.exit_price / self.entry_price - 1
        return change if self.quantity > 0 else -change

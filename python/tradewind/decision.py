"""What a strategy answers. An exposure is a share of the bot's budget: 1 is all of it long, 0 is flat."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Optional, Sequence, Tuple, Union

Share = Union[float, str]
Duration = Union[float, str, timedelta]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def share(value: Share) -> float:
    """A share written as a number (0.02) or as text ("2%")."""
    if isinstance(value, str):
        text = value.strip()
        if not text.endswith("%"):
            raise ValueError(f'{value!r} is no share; write 0.02 or "2%"')
        return float(text[:-1]) / 100
    return float(value)


def seconds(value: Duration) -> float:
    """A duration written in seconds, as text ("15m") or as a timedelta."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, str):
        number = value.rstrip("smhdw")
        unit = value[len(number) :]
        if unit not in _UNITS:
            raise ValueError(f'{value!r} is no duration; write "30s", "15m", "4h" or "1d"')
        return float(number) * _UNITS[unit]
    return float(value)


@dataclass(frozen=True)
class ExitPlan:
    """How the desk guards a position; what is left out is not guarded.

    `stop`, `take_profit` and `trailing` are shares of a price; `stop_at` is a price. `roi` are pairs of an age and the gain at
    which the position is closed from that age on.
    """

    stop: Optional[Share] = None
    stop_at: Optional[float] = None
    take_profit: Optional[Share] = None
    trailing: Optional[Share] = None
    time: Optional[Duration] = None
    roi: Sequence[Tuple[Duration, Share]] = field(default_factory=tuple)

    def is_empty(self) -> bool:
        """Whether nothing is guarded."""
        return self == ExitPlan()


@dataclass(frozen=True)
class Decision:
    """An answer of a strategy. Use `Buy`, `Sell`, `Exit`, `Target` and `Hold` to make one."""

    exposure: Optional[float] = None
    tag: str = ""
    reason: str = ""
    limit: Optional[float] = None
    exit: Optional[ExitPlan] = None
    # A price to which the stop of the position is raised (of a short: lowered); nothing else changes.
    stop: Optional[float] = None

    @property
    def is_hold(self) -> bool:
        """Whether the position stays as it is."""
        return self.exposure is None

    @property
    def text(self) -> str:
        """Tag and reason in one line."""
        return ": ".join(part for part in (self.tag, self.reason) if part)


def Target(
    exposure: Share,
    tag: str = "",
    reason: str = "",
    limit: Optional[float] = None,
    stop: Optional[Share] = None,
    stop_at: Optional[float] = None,
    take_profit: Optional[Share] = None,
    trailing: Optional[Share] = None,
    time: Optional[Duration] = None,
    roi: Sequence[Tuple[Duration, Share]] = (),
) -> Decision:
    """Hold this share of the budget from now on. An exit plan given here takes the place of the bot's own."""
    plan = ExitPlan(stop, stop_at, take_profit, trailing, time, tuple(roi))
    return Decision(share(exposure), tag, reason, limit, None if plan.is_empty() else plan)


def Buy(size: Share = 1.0, tag: str = "", **rest) -> Decision:
    """A long position of this share of the budget. The other arguments are those of `Target`."""
    return Target(share(size), tag, **rest)


def Sell(size: Share = 1.0, tag: str = "", **rest) -> Decision:
    """A short position of this share of the budget. The other arguments are those of `Target`."""
    return Target(-share(size), tag, **rest)


def Exit(tag: str = "", reason: str = "", limit: Optional[float] = None) -> Decision:
    """No position."""
    return Target(0.0, tag, reason, limit)


def MoveStop(price: float, tag: str = "", reason: str = "") -> Decision:
    """The loss is taken at this price from now on. A stop only tightens, and where nothing is held this does nothing."""
    return Decision(None, tag, reason, stop=price)


def Hold(reason: str = "") -> Decision:
    """The position stays as it is, for a reason that is shown."""
    return Decision(reason=reason)

"""The class that a strategy derives from, and its parameters."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple, Union

from .context import Context
from .decision import Decision, ExitPlan
from .market import Candle, Order, Position, Quote

Value = Union[int, float, str, bool]


class Param:
    """A parameter of a strategy, as a class attribute: `fast = Param(12, min=2, max=50)`. On the strategy it reads as its value.

    The configuration sets it with `params = { fast = 20 }`. A default of type int takes whole numbers only. `choices` allows
    these values alone.
    """

    def __init__(
        self,
        default: Value,
        min: Optional[float] = None,
        max: Optional[float] = None,
        choices: Optional[List[Value]] = None,
        about: str = "",
    ):
        self.default, self.min, self.max = default, min, max
        self.choices, self.about, self.name = choices, about, ""
        problem = self.problem(default)
        if problem:
            raise ValueError(f"the default {default!r} is refused: {problem}")

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, strategy: Any, owner: Optional[type] = None) -> Any:
        if strategy is None:
            return self
        return strategy.__dict__.get("_params", {}).get(self.name, self.default)

    def __set__(self, strategy: Any, value: Value) -> None:
        raise AttributeError(f"{self.name} is a parameter; the configuration sets it")

    def problem(self, value: Any) -> str:
        """What is wrong with a value, with the cure; empty if nothing is."""
        if self.choices is not None:
            if value in self.choices:
                return ""
            return "write one of " + ", ".join(repr(choice) for choice in self.choices)
        kind = type(self.default)
        if kind is bool or kind is str:
            return "" if isinstance(value, kind) else f"write a {'text' if kind is str else 'true or false'}"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return "write a number"
        if kind is int and int(value) != value:
            return "write a whole number"
        if (self.min is not None and value < self.min) or (self.max is not None and value > self.max):
            low = "" if self.min is None else f" from {self.min}"
            high = "" if self.max is None else f" up to {self.max}"
            return f"write a number{low}{high}"
        return ""

    def convert(self, value: Any) -> Value:
        """A value that was checked, in the type of the default."""
        return int(value) if type(self.default) is int else type(self.default)(value)

    def declared(self) -> Dict[str, Any]:
        """The parameter as the desk lists it."""
        return {
            "default": self.default,
            "min": self.min,
            "max": self.max,
            "choices": self.choices,
            "about": self.about,
        }


class Strategy:
    """A strategy. Derive from it in a file of your own and override what you need; `docs/python.md` has all of it.

    `timeframe` is the length of the candles it decides on, `timeframes` are further ones, and `warm_up` is the number of closed
    candles that it has before its first decision. With `every` it is evaluated at that interval, by `on_timer`.
    """

    timeframe: str = "5m"
    timeframes: List[str] = []
    # Whether a configuration with other timeframes has to begin with `timeframe`: the strategy computes with its length.
    timeframe_is_fixed: bool = False
    warm_up: int = 0
    every: Optional[str] = None
    exit_plan: Optional[ExitPlan] = None

    def __init__(self, params: Optional[Dict[str, Value]] = None):
        self.state: Dict[str, Any] = {}
        self._params = dict(params or {})

    def setup(self, ctx: Context) -> None:
        """Called once in a process, after the saved state was put back."""

    def indicators(self, df: Any, ctx: Context) -> Any:
        """Adds columns to `df`: once over the whole history in a backtest, live at each close over the last `warm_up` candles."""
        return df

    def signals(self, df: Any, ctx: Context) -> Optional[Dict[str, Any]]:
        """Decisions by columns, for speed: see `Signals` in docs/python.md. None means that `on_candle` decides."""
        return None

    def on_candle(self, candle: Candle, ctx: Context) -> Optional[Decision]:
        """Called at each close of `timeframe`, once it has `warm_up` candles."""
        return None

    def on_quote(self, quote: Quote, ctx: Context) -> Optional[Decision]:
        """Called on each quote, if it is overridden."""
        return None

    def on_timer(self, ctx: Context) -> Optional[Decision]:
        """Called every `every`."""
        return None

    def on_position(self, position: Position, ctx: Context) -> Optional[Decision]:
        """Called before the other callbacks while there is a position. Anything but None is the decision."""
        return None

    def on_order(self, order: Order, ctx: Context) -> None:
        """Called at the evaluation that sees a changed position or a denied entry."""

    def on_entry(self, decision: Decision, ctx: Context) -> Optional[Decision]:
        """With `signals`: confirms or changes an entry. None refuses it."""
        return decision

    def on_exit(self, decision: Decision, ctx: Context) -> Optional[Decision]:
        """With `signals`: confirms or changes an exit. None refuses it."""
        return decision


def overrides(strategy: Any, name: str) -> bool:
    """Whether a strategy has a callback of its own."""
    own = getattr(type(strategy), name, None)
    return own is not None and own is not getattr(Strategy, name)


def parameters(cls: type) -> Dict[str, Param]:
    """The parameters of a class with those of its bases."""
    found: Dict[str, Param] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, Param):
                found[name] = value
            else:
                found.pop(name, None)
    return found


def check_parameters(cls: type, given: Dict[str, Any]) -> Tuple[Dict[str, Value], List[Dict[str, str]]]:
    """The given parameters in their types, and what is wrong with them."""
    known, values, problems = parameters(cls), {}, []
    for name, value in given.items():
        if name not in known:
            there = ", ".join(known) or "none"
            problems.append({"path": name, "problem": "no parameter of the strategy", "cure": f"there are: {there}"})
            continue
        cure = known[name].problem(value)
        if cure:
            problems.append({"path": name, "problem": f"{value!r} is refused", "cure": cure})
        else:
            values[name] = known[name].convert(value)
    return values, problems

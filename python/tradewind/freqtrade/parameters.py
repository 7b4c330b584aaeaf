"""Parameters that freqtrade's hyperopt searches. Here they have one value: from the file beside the strategy, or their default."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

from .errors import StrategyError

# Where a parameter belongs whose `space` is not given, by the beginning of its name.
_SPACES = ("buy", "sell", "enter", "exit", "protection")


class BaseParameter:
    """A value with a name and a space."""

    def __init__(self, *, default: Any, space: "str | None" = None, optimize: bool = True, load: bool = True, **_others: Any) -> None:
        self.default, self.space, self.optimize, self.load = default, space, optimize, load
        self.name = ""
        self.in_space = False
        self.value = default

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.value!r})"

    def can_optimize(self) -> bool:
        """Whether a search varies it: never here."""
        return False

    @property
    def range(self) -> Sequence[Any]:
        """The values that indicators are needed for: the one."""
        return [self.value]


class NumericParameter(BaseParameter):
    """A number between two bounds, given as two numbers or as one pair."""

    def __init__(self, low: Any, high: Any = None, *, default: Any, **rest: Any) -> None:
        is_pair = isinstance(low, Sequence) and not isinstance(low, str)
        if is_pair == (high is not None) or (is_pair and len(low) != 2):
            raise StrategyError(f"the bounds of a {type(self).__name__} are not clear; write low and high, or [low, high]")
        self.low, self.high = low if is_pair else (low, high)
        super().__init__(default=default, **rest)


class IntParameter(NumericParameter):
    """A whole number."""

    @property
    def range(self) -> Sequence[int]:
        """The one value, as a range."""
        return range(self.value, self.value + 1)


class RealParameter(NumericParameter):
    """A number."""


class DecimalParameter(NumericParameter):
    """A number that is rounded to some decimals."""

    def __init__(self, low: Any, high: Any = None, *, default: float, decimals: int = 3, **rest: Any) -> None:
        self.decimals = decimals
        super().__init__(low, high, default=round(default, decimals), **rest)

    @property
    def value(self) -> float:
        """The number, rounded."""
        return self._value

    @value.setter
    def value(self, number: float) -> None:
        self._value = round(number, self.decimals)


class CategoricalParameter(BaseParameter):
    """One of several values; the first is the default if none is given."""

    def __init__(self, categories: Sequence[Any], *, default: Any = None, **rest: Any) -> None:
        if len(categories) < 2:
            raise StrategyError("a CategoricalParameter needs at least two values; write [a, b]")
        self.opt_range = categories
        super().__init__(default=categories[0] if default is None else default, **rest)


class BooleanParameter(CategoricalParameter):
    """Yes or no."""

    def __init__(self, *, default: Any = None, **rest: Any) -> None:
        super().__init__([True, False], default=default, **rest)


def parameters_of(strategy: Any) -> List[BaseParameter]:
    """Every parameter of a strategy, with name and space set."""
    found = []
    for name in dir(type(strategy)):
        if name.startswith("__"):
            continue
        parameter = getattr(type(strategy), name, None)
        if not isinstance(parameter, BaseParameter):
            continue
        parameter.name = name
        if not parameter.space:
            parameter.space = next((space for space in _SPACES if name.startswith(space + "_")), None)
        if not parameter.space:
            raise StrategyError(f'the parameter {name} has no space; write space="buy" or begin its name with buy_ or sell_')
        found.append(parameter)
    return found


def apply_values(strategy: Any, saved: Dict[str, Any]) -> None:
    """Sets the parameters: first from the saved file, then from `buy_params` and its like in the class, else the default."""
    for parameter in parameters_of(strategy):
        in_class = getattr(strategy, f"{parameter.space}_params", None) or {}
        for values in (in_class, saved.get(parameter.space) or {}):
            if parameter.load and parameter.name in values:
                parameter.value = values[parameter.name]

"""Finding the strategy in a user's file, with one clear error for each mistake."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import traceback
from typing import Any, Dict, List, Optional

from .strategy import Param, Strategy, check_parameters, overrides, parameters

CALLBACKS = ("indicators", "signals", "on_candle", "on_quote", "on_timer", "on_position", "on_order", "on_entry", "on_exit")
TIMEFRAMES = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class LoadError(Exception):
    """Why a file is no strategy, and what to do about it."""

    def __init__(self, problem: str, cure: str):
        super().__init__(problem)
        self.problem, self.cure = problem, cure


def timeframe_seconds(name: str) -> int:
    """The length of a timeframe."""
    return int(name[:-1]) * _UNITS[name[-1]]


def place(error: BaseException, path: str) -> str:
    """Where in the user's file an exception came from, as text: ` (line 12, in on_candle)`."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    if isinstance(error, SyntaxError) and error.filename == path:
        return f" (line {error.lineno})"
    if not frames:
        return ""
    name = "" if frames[-1].name == "<module>" else f", in {frames[-1].name}"
    return f" (line {frames[-1].lineno}{name})"


def describe(error: BaseException, path: str) -> str:
    """An exception in one line, with its place in the user's file."""
    message = str(getattr(error, "msg", "") if isinstance(error, SyntaxError) else error)
    return f"{type(error).__name__}: {message}{place(error, path)}"


def load_class(kind: str, path: str, name: Optional[str]) -> type:
    """The strategy of a file: the class called `name`, or the only one."""
    if not os.path.isfile(path):
        raise LoadError(f"there is no file {path}", "write the path of the strategy's file, relative to the configuration")
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    adapter = None
    if kind == "freqtrade":
        from . import freqtrade as adapter  # type: ignore[no-redef]

        adapter.prepare(path)
    module_name = re.sub(r"\W", "_", os.path.splitext(os.path.basename(path))[0])
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise LoadError(f"{path} is no Python file", "name a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        cure = f"install it for {sys.executable}, or name another interpreter with python ="
        raise LoadError(describe(error, path), cure) from error
    except Exception as error:
        raise LoadError(describe(error, path), "correct the file") from error
    if adapter is not None:
        return adapter.adapt(module, name, path)
    return _choose(module, path, name)


def _choose(module: Any, path: str, name: Optional[str]) -> type:
    own = {
        cls.__name__: cls
        for cls in vars(module).values()
        if isinstance(cls, type) and issubclass(cls, Strategy) and cls.__module__ == module.__name__
    }
    there = ", ".join(own) or "none"
    if name:
        if name not in own:
            raise LoadError(f"{path} has no strategy {name!r}", f"its strategies are: {there}")
        return own[name]
    if not own:
        raise LoadError(f"{path} has no strategy", "write a class that derives from tradewind.Strategy")
    # A class that others in the file derive from is not meant.
    leaves = [cls for cls in own.values() if not any(cls in other.__mro__[1:] for other in own.values())]
    if len(leaves) > 1:
        names = ", ".join(cls.__name__ for cls in leaves)
        raise LoadError(f"{path} has {len(leaves)} strategies: {names}", f"name one: FILE.py:{leaves[0].__name__}")
    return leaves[0]


def declare(cls: type, path: str, given: Dict[str, Any], timeframes: List[str]) -> Dict[str, Any]:
    """What the desk has to know of a strategy before it runs."""
    values, problems = check_parameters(cls, given)
    strategy = cls(values)
    all_timeframes = timeframes or [strategy.timeframe, *strategy.timeframes]
    for name in all_timeframes:
        if name not in TIMEFRAMES:
            raise LoadError(f"{cls.__name__} has the timeframe {name!r}", "write one of " + ", ".join(TIMEFRAMES))
    if strategy.timeframe_is_fixed and all_timeframes[0] != strategy.timeframe:
        problem = f"{cls.__name__} decides on candles of {strategy.timeframe}, and timeframes begin with {all_timeframes[0]}"
        raise LoadError(problem, f'write timeframes = ["{strategy.timeframe}"], or leave them out')
    callbacks = [name for name in CALLBACKS if overrides(strategy, name)]
    if not {"on_candle", "signals", "on_quote", "on_timer"} & set(callbacks):
        raise LoadError(f"{cls.__name__} decides nothing", "write on_candle, signals, on_quote or on_timer")
    if not isinstance(strategy.warm_up, int) or not 0 <= strategy.warm_up <= 5000:
        raise LoadError(f"{cls.__name__} has warm_up = {strategy.warm_up!r}", "write a whole number of candles from 0 to 5000")
    if {"indicators", "signals"} & set(callbacks) and strategy.warm_up == 0:
        cure = "write warm_up = 100: how many candles its indicators need, several times their longest period"
        raise LoadError(f"{cls.__name__} has indicators and no warm_up", cure)
    if "on_timer" in callbacks and not strategy.every:
        raise LoadError(f"{cls.__name__} has on_timer and no every", 'write every = "15m"')
    for name, param in vars(cls).items():
        if isinstance(param, Param) and name.startswith("_"):
            raise LoadError(f"the parameter {name} begins with _", "choose another name")
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    return {
        "class": cls.__name__,
        "timeframes": list(dict.fromkeys(all_timeframes)),
        "warm_up": strategy.warm_up,
        "every": strategy.every,
        "callbacks": callbacks,
        "params": {name: param.declared() for name, param in parameters(cls).items()},
        "problems": problems,
        "hash": digest,
        "python": sys.version.split()[0],
    }

"""Loads a strategy file: finds its class, refuses what is not supported, sets the saved parameters."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Set

from . import hook
from .errors import StrategyError, Unsupported
from .interface import IStrategy
from .parameters import apply_values
from .timeframes import timeframe_to_seconds

# Callbacks that would be silently ignored, with what to do instead.
REFUSED = {
    "adjust_entry_price": "remove it and use custom_entry_price: an order that waits is cancelled at the next candle",
    "adjust_exit_price": "remove it: exits by signal are orders at market",
    "adjust_order_price": "remove it and use custom_entry_price: an order that waits is cancelled at the next candle",
    "check_entry_timeout": "remove it and set the timeout of the bot's order policy",
    "check_exit_timeout": "remove it and set the timeout of the bot's order policy",
    "check_buy_timeout": "remove it and set the timeout of the bot's order policy",
    "check_sell_timeout": "remove it and set the timeout of the bot's order policy",
    "custom_exit_price": "remove it: exits by signal are orders at market",
    "feature_engineering_expand_all": "FreqAI is not supported; train a model with `tradewind train`",
    "feature_engineering_expand_basic": "FreqAI is not supported; train a model with `tradewind train`",
    "feature_engineering_standard": "FreqAI is not supported; train a model with `tradewind train`",
    "set_freqai_targets": "FreqAI is not supported; train a model with `tradewind train`",
    "populate_any_indicators": "FreqAI is not supported; train a model with `tradewind train`",
    "plot_annotations": "remove it: nothing is plotted",
}
# Attributes that version 2 spelled otherwise.
RENAMED = {
    "ticker_interval": "timeframe",
    "use_sell_signal": "use_exit_signal",
    "sell_profit_only": "exit_profit_only",
    "sell_profit_offset": "exit_profit_offset",
    "ignore_roi_if_buy_signal": "ignore_roi_if_entry_signal",
}


def load(path: str, name: Optional[str] = None, config: Optional[Dict[str, Any]] = None) -> IStrategy:
    """The strategy of a file, with its saved parameters set.

    Raises `StrategyError` or `Unsupported`, with one line that names the thing and the cure.
    """
    file = Path(path)
    if not file.is_file():
        raise StrategyError(f"there is no file {file}; write the path of a strategy file, from the configuration's folder")
    hook.install()
    module_name = f"freqtrade_strategy_{file.stem}"
    spec = importlib.util.spec_from_file_location(module_name, file)
    assert spec and spec.loader, "a file that exists has a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    folder = str(file.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec.loader.exec_module(module)
    return make(choose(module, name, file), file, config)


def choose(module: Any, name: Optional[str], file: Path) -> type:
    """The strategy of a module: the class called `name`, or the only one."""
    found = {
        value.__name__: value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, IStrategy) and value is not IStrategy and value.__module__ == module.__name__
    }
    if name:
        if name not in found:
            raise StrategyError(f"{file.name} has no strategy {name}; its strategies are: {', '.join(found) or 'none'}")
        return found[name]
    # A class that others in the file derive from is not meant.
    leaves = [one for one in found.values() if not any(one in other.__mro__[1:] for other in found.values())]
    if not leaves:
        raise StrategyError(f"{file.name} has no strategy; derive a class from freqtrade.strategy.IStrategy")
    if len(leaves) > 1:
        names = ", ".join(one.__name__ for one in leaves)
        raise StrategyError(f"{file.name} has several strategies, {names}; name one: {file.name}:{leaves[-1].__name__}")
    return leaves[0]


def make(strategy_class: type, file: Path, config: Optional[Dict[str, Any]] = None) -> Any:
    """A strategy with the parameters that a search saved beside its file."""
    refuse(strategy_class)
    strategy = strategy_class({"stake_currency": "", **(config or {})})
    guard(strategy)
    _rename(strategy)
    saved = saved_parameters(file, strategy_class.__name__)
    apply_values(strategy, saved)
    _apply_saved_exits(strategy, saved)
    _check(strategy)
    return strategy


# What a callback that raises counts as, as in freqtrade: the trade goes its way without it. `Proposed` is the argument that it was called with.
class Proposed(str):
    """The name of the argument that a callback's default is."""


_DEFAULTS: Dict[str, Any] = {
    "custom_stake_amount": Proposed("proposed_stake"),
    "custom_entry_price": Proposed("proposed_rate"),
    "bot_loop_start": None,
    "order_filled": None,
    "custom_stoploss": None,
    "custom_roi": None,
    "custom_exit": None,
    "adjust_trade_position": None,
    "confirm_trade_entry": True,
    "confirm_trade_exit": True,
}


def guard(strategy: Any) -> None:
    """Prints what a callback raises, once for each, and continues with its default. What is not supported ends the strategy."""
    for name, default in _DEFAULTS.items():
        if own(type(strategy), name) or (name == "custom_exit" and own(type(strategy), "custom_sell")):
            setattr(strategy, name, _guarded(getattr(strategy, name), name, default))


def _guarded(method: Any, name: str, default: Any) -> Any:
    printed: Set[str] = set()

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except Unsupported:
            raise
        except Exception as error:
            if str(error) not in printed and len(printed) < 10:
                printed.add(str(error))
                print(f"{name} raised {type(error).__name__}: {error}; it counts as {default}", file=sys.stderr)
            return kwargs.get(default) if isinstance(default, Proposed) else default

    return call


def own(strategy_class: Any, name: str) -> bool:
    """Whether a strategy has a method of its own by this name."""
    method = getattr(strategy_class, name, None)
    return method is not None and method is not getattr(IStrategy, name, None)


def refuse(strategy_class: type) -> None:
    """Raises for a class that uses what is not supported."""
    name = strategy_class.__name__
    for callback, cure in REFUSED.items():
        if own(strategy_class, callback):
            raise Unsupported(f"{name}.{callback} is not supported; {cure}")
    if getattr(strategy_class, "can_short", False):
        raise Unsupported(f"{name}: can_short = True is not supported; set it to False: only spot is traded, and long")
    version = getattr(strategy_class, "INTERFACE_VERSION", 3)
    if version not in (2, 3):
        raise Unsupported(f"{name}: INTERFACE_VERSION = {version} is not supported; migrate it to 3")


def _rename(strategy: Any) -> None:
    for old, new in RENAMED.items():
        if hasattr(strategy, old) and getattr(strategy, new) == getattr(IStrategy, new):
            setattr(strategy, new, getattr(strategy, old))
    order_types = dict(strategy.order_types)
    for old, new in (("buy", "entry"), ("sell", "exit")):
        if old in order_types:
            order_types[new] = order_types.pop(old)
    strategy.order_types = {**IStrategy.order_types, **order_types}


def saved_parameters(file: Path, name: str) -> Dict[str, Any]:
    """What a search wrote beside the strategy, in NAME.json; nothing if there is no such file."""
    saved = file.with_suffix(".json")
    if not saved.is_file():
        return {}
    try:
        content = json.loads(saved.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StrategyError(f"{saved.name} is no JSON ({error}); mend or remove it") from error
    if content.get("strategy_name") != name:
        raise StrategyError(f"{saved.name} is of the strategy {content.get('strategy_name')!r}, not {name}; rename or remove it")
    return content.get("params") or {}


def _apply_saved_exits(strategy: Any, saved: Dict[str, Any]) -> None:
    if "roi" in saved:
        strategy.minimal_roi = saved["roi"]
    strategy.stoploss = saved.get("stoploss", {}).get("stoploss", strategy.stoploss)
    strategy.max_open_trades = saved.get("max_open_trades", {}).get("max_open_trades", strategy.max_open_trades)
    for name, value in saved.get("trailing", {}).items():
        if name in ("trailing_stop", "trailing_stop_positive", "trailing_stop_positive_offset", "trailing_only_offset_is_reached"):
            setattr(strategy, name, value)


def _check(strategy: Any) -> None:
    name = strategy.get_strategy_name()
    timeframe_to_seconds(strategy.timeframe)
    if not isinstance(strategy.stoploss, (int, float)) or not -1 <= strategy.stoploss < 0:
        raise StrategyError(f"{name} has no stoploss from -1 to 0; write stoploss = -0.10")
    _refuse_settings(strategy, name)
    if strategy.trailing_stop and strategy.trailing_only_offset_is_reached and not strategy.trailing_stop_positive_offset:
        raise StrategyError(f"{name}: trailing_only_offset_is_reached has no offset; set trailing_stop_positive_offset above 0")
    offset, positive = strategy.trailing_stop_positive_offset, strategy.trailing_stop_positive
    if strategy.trailing_stop and positive and 0 < offset <= positive:
        raise StrategyError(f"{name}: trailing_stop_positive_offset = {offset} is too low; it must be above trailing_stop_positive = {positive}")


def _refuse_settings(strategy: Any, name: str) -> None:
    """Settings that would be ignored and that change what is bought or sold."""
    policy = "set the time to live of the bot's order policy"
    if strategy.ignore_buying_expired_candle_after:
        raise Unsupported(f"{name}: ignore_buying_expired_candle_after is not supported; remove it and {policy}")
    if strategy.unfilledtimeout:
        raise Unsupported(f"{name}: unfilledtimeout is not supported; remove it and {policy}")
    for side, kind in strategy.order_time_in_force.items():
        if str(kind).upper() != "GTC":
            raise Unsupported(f"{name}: order_time_in_force[{side!r}] = {kind!r} is not supported; write GTC and {policy}")
    most = strategy.max_open_trades
    if not isinstance(most, (int, float)) or most < -1 or most == 0:
        raise StrategyError(f"{name}: max_open_trades = {most!r} is no count; write -1 for no limit, or a number from 1")


_CALLBACKS = (
    "custom_stoploss",
    "custom_exit",
    "custom_sell",
    "custom_roi",
    "custom_stake_amount",
    "custom_entry_price",
    "confirm_trade_entry",
    "confirm_trade_exit",
    "adjust_trade_position",
    "order_filled",
    "bot_loop_start",
)


def callbacks(strategy: Any) -> List[str]:
    """The callbacks that a strategy has and that are in use."""
    found = [name for name in _CALLBACKS if own(type(strategy), name)]
    unused = {
        "custom_stoploss": strategy.use_custom_stoploss,
        "custom_roi": strategy.use_custom_roi,
        "custom_exit": strategy.use_exit_signal,
        "custom_sell": strategy.use_exit_signal,
        "adjust_trade_position": strategy.position_adjustment_enable,
    }
    return [name for name in found if unused.get(name, True)]

"""A freqtrade strategy as a strategy of the desk.

Signals are columns, computed once over a backtest's history. Stop and profit targets are the desk's exit plan. Only what the desk cannot do
alone costs a request: callbacks, at each close while there is a position, and confirmations of entries and exits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Optional

from ..strategy import Param
from .desk_strategy import FreqtradeStrategy, exit_plan
from .errors import StrategyError, Unsupported
from .informative import decorated
from .loader import callbacks, choose, make
from .parameters import BaseParameter, CategoricalParameter, NumericParameter, parameters_of

# Candles that a strategy has live, as freqtrade fetches them, whatever startup_candle_count says.
LIVE_CANDLES = 500


def adapt(module: Any, name: Optional[str], path: str) -> type:
    """The strategy class of the desk for a freqtrade file that was imported as `module`."""
    from ..loading import LoadError

    file = Path(path)
    try:
        user_class = choose(module, name, file)
        user = make(user_class, file)
    except (StrategyError, Unsupported) as error:
        problem, _, cure = str(error).partition("; ")
        raise LoadError(problem, cure or "see docs/freqtrade.md") from error
    return strategy_class(user_class, user, file)


def strategy_class(user_class: type, user: Any, file: Path) -> type:
    """A class with the callbacks that this strategy needs, and no other: each costs requests."""
    used = set(callbacks(user))
    body: Dict[str, Any] = {
        "__doc__": user_class.__doc__ or f"{user_class.__name__} of {file.name}.",
        "user_class": user_class,
        "file": file,
        "timeframe": user.timeframe,
        "timeframe_is_fixed": True,
        "timeframes": further_timeframes(user),
        "warm_up": max(user.startup_candle_count, LIVE_CANDLES),
        "first_row": user.startup_candle_count,
        "exit_plan": exit_plan(user, 0.0),
        **params_of(user),
    }
    at_entry = {"confirm_trade_entry", "custom_stake_amount", "custom_entry_price", "bot_loop_start"}
    if "confirm_trade_exit" in used or user.exit_profit_only:
        body["on_exit"] = FreqtradeStrategy.confirm_exit
    managed = {"custom_stoploss", "custom_exit", "custom_sell", "custom_roi", "adjust_trade_position", "order_filled"}
    limits_trades = 0 <= user.max_open_trades < float("inf")
    asks_at_targets = "confirm_trade_exit" in used and (user.minimal_roi or user.use_custom_roi)
    if used & managed or user.trailing_stop or user.ignore_roi_if_entry_signal or limits_trades or asks_at_targets:
        body["on_position"] = FreqtradeStrategy.manage
    if used & at_entry or user.protections or "on_position" in body:
        body["on_entry"] = FreqtradeStrategy.confirm_entry
    return type(user_class.__name__, (FreqtradeStrategy,), body)


def further_timeframes(user: Any) -> List[str]:
    """The longer candles that a strategy names."""
    names = [mark.timeframe for mark, _ in decorated(user)]
    names += [entry[1] for entry in user.informative_pairs()]
    return [name for name in dict.fromkeys(names) if name != user.timeframe]


def params_of(user: Any) -> Dict[str, Param]:
    """The strategy's parameters, so that the configuration can set them."""
    found = {}
    for parameter in parameters_of(user):
        try:
            found[parameter.name] = _param(parameter)
        except ValueError:
            # A default outside of its own bounds stays the file's matter.
            continue
    return {name: param for name, param in found.items() if not hasattr(FreqtradeStrategy, name)}


def _param(parameter: BaseParameter) -> Param:
    if isinstance(parameter, NumericParameter):
        return Param(parameter.value, min=parameter.low, max=parameter.high)
    if isinstance(parameter, CategoricalParameter):
        choices = list(parameter.opt_range)
        if not all(isinstance(one, (bool, int, float, str)) for one in choices):
            raise ValueError(parameter.name)
        return Param(parameter.value, choices=choices)
    raise ValueError(parameter.name)

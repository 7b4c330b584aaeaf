"""Imports of `freqtrade` find this package's modules, whether freqtrade is installed or not.

Only the names below exist. An import of another one fails with its name. pandas, numpy, TA-Lib and `technical` are the user's own.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any, Dict, Optional, Sequence, Tuple

_HERE = __name__.rpartition(".")[0]
_TIMEFRAMES: Dict[str, str] = {
    name: "timeframes"
    for name in (
        "timeframe_to_minutes",
        "timeframe_to_msecs",
        "timeframe_to_next_date",
        "timeframe_to_prev_date",
        "timeframe_to_resample_freq",
        "timeframe_to_seconds",
    )
}
_PARAMETERS = {
    name: "parameters"
    for name in (
        "BaseParameter",
        "BooleanParameter",
        "CategoricalParameter",
        "DecimalParameter",
        "IntParameter",
        "NumericParameter",
        "RealParameter",
    )
}
_HELPERS = {name: "helpers" for name in ("merge_informative_pair", "stoploss_from_absolute", "stoploss_from_open")}
_TRADES = {name: "trade" for name in ("LocalTrade", "Order", "PairLocks", "Trade")}
_ENUMS = {name: "constants" for name in ("CandleType", "ExitType", "RunMode", "SignalType", "TradingMode")}
_ERRORS = {
    name: "constants"
    for name in (
        "ConfigurationError",
        "DependencyException",
        "ExchangeError",
        "FreqtradeException",
        "OperationalException",
        "StrategyException",
        "TemporaryError",
    )
}
_NAMES = {
    name: "constants"
    for name in (
        "BuySell",
        "Config",
        "DATETIME_PRINT_FORMAT",
        "DEFAULT_DATAFRAME_COLUMNS",
        "ListPairsWithTimeframes",
        "LongShort",
        "PairWithTimeframe",
        "UNLIMITED_STAKE_AMOUNT",
    )
}
# By module of freqtrade, where its names come from. `*` takes every public name of a module.
_MODULES: Dict[str, Dict[str, str]] = {
    "freqtrade": {},
    "freqtrade.constants": _NAMES,
    "freqtrade.data": {},
    "freqtrade.data.dataprovider": {"DataProvider": "dataprovider"},
    "freqtrade.enums": _ENUMS,
    "freqtrade.exceptions": _ERRORS,
    "freqtrade.exchange": _TIMEFRAMES,
    "freqtrade.exchange.exchange_utils_timeframe": _TIMEFRAMES,
    "freqtrade.optimize": {},
    "freqtrade.optimize.space": {name: "space" for name in ("Categorical", "Dimension", "Integer", "Real", "SKDecimal")},
    "freqtrade.persistence": _TRADES,
    "freqtrade.persistence.trade_model": _TRADES,
    "freqtrade.state": {"RunMode": "constants"},
    "freqtrade.strategy": {
        **_TIMEFRAMES,
        **_PARAMETERS,
        **_HELPERS,
        **_TRADES,
        "IStrategy": "interface",
        "informative": "informative",
        "AnnotationType": "annotations",
    },
    "freqtrade.strategy.hyper": _PARAMETERS,
    "freqtrade.strategy.informative_decorator": {"informative": "informative"},
    "freqtrade.strategy.interface": {"IStrategy": "interface", **_TRADES},
    "freqtrade.strategy.parameters": _PARAMETERS,
    "freqtrade.strategy.strategy_helper": _HELPERS,
    "freqtrade.vendor": {},
    "freqtrade.vendor.qtpylib": {},
    "freqtrade.vendor.qtpylib.indicators": {"*": "qtpylib"},
}
_PACKAGES = {name.rpartition(".")[0] for name in _MODULES} - {""}


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name: str, path: Optional[Sequence[str]], target: Optional[ModuleType] = None) -> Any:
        if name != "freqtrade" and not name.startswith("freqtrade."):
            return None
        if name not in _MODULES:
            raise ModuleNotFoundError(
                f"{name} is not supplied to strategies; supplied are {', '.join(sorted(set(_MODULES) - _PACKAGES))}", name=name
            )
        return importlib.machinery.ModuleSpec(name, self, is_package=name in _PACKAGES)

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        for name, source in _MODULES[module.__name__].items():
            if source == "annotations":
                module.__dict__[name] = Dict[str, Any]
                continue
            origin = importlib.import_module(f"{_HERE}.{source}")
            if name == "*":
                public = {key: value for key, value in vars(origin).items() if not key.startswith("_") and key != "annotations"}
                module.__dict__.update(public)
            else:
                module.__dict__[name] = getattr(origin, name)


_FINDER = _Finder()


def install() -> None:
    """Puts the modules in the way of any installed freqtrade. Calling it twice changes nothing."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    for name in [name for name in sys.modules if name == "freqtrade" or name.startswith("freqtrade.")]:
        if not _is_ours(sys.modules[name]):
            del sys.modules[name]


def _is_ours(module: Any) -> bool:
    return getattr(getattr(module, "__spec__", None), "loader", None) is _FINDER


def remove() -> Tuple[str, ...]:
    """Takes them away again; returns the names of the modules that were imported."""
    if _FINDER in sys.meta_path:
        sys.meta_path.remove(_FINDER)
    names = tuple(name for name, module in sys.modules.items() if _is_ours(module))
    for name in names:
        del sys.modules[name]
    return names

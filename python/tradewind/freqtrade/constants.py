"""Enumerations and names that strategy files import. The values are those that freqtrade writes into configurations and reports."""

from __future__ import annotations

from enum import Enum
from typing import Any, Dict, List, Literal, Tuple


class _Text(str, Enum):
    def __str__(self) -> str:
        return str(self.value)


class RunMode(_Text):
    """How the strategy is run."""

    LIVE = "live"
    DRY_RUN = "dry_run"
    BACKTEST = "backtest"
    HYPEROPT = "hyperopt"
    UTIL_EXCHANGE = "util_exchange"
    UTIL_NO_EXCHANGE = "util_no_exchange"
    PLOT = "plot"
    WEBSERVER = "webserver"
    OTHER = "other"


class CandleType(_Text):
    """What candles are made of; only spot is supported."""

    SPOT = "spot"
    FUTURES = "futures"
    MARK = "mark"
    INDEX = "index"
    FUNDING_RATE = "funding_rate"


class TradingMode(_Text):
    """Spot or not; only spot is supported."""

    SPOT = "spot"
    MARGIN = "margin"
    FUTURES = "futures"


class ExitType(_Text):
    """Why a trade was closed."""

    ROI = "roi"
    STOP_LOSS = "stop_loss"
    STOPLOSS_ON_EXCHANGE = "stoploss_on_exchange"
    TRAILING_STOP_LOSS = "trailing_stop_loss"
    LIQUIDATION = "liquidation"
    EXIT_SIGNAL = "exit_signal"
    FORCE_EXIT = "force_exit"
    EMERGENCY_EXIT = "emergency_exit"
    CUSTOM_EXIT = "custom_exit"
    PARTIAL_EXIT = "partial_exit"
    NONE = ""


class SignalType(Enum):
    """Names of the columns that signal."""

    ENTER_LONG = "enter_long"
    EXIT_LONG = "exit_long"
    ENTER_SHORT = "enter_short"
    EXIT_SHORT = "exit_short"


Config = Dict[str, Any]
ListPairsWithTimeframes = List[Tuple[str, str]]
PairWithTimeframe = Tuple[str, str, Any]
LongShort = Literal["long", "short"]
BuySell = Literal["buy", "sell"]
DATETIME_PRINT_FORMAT = "%Y-%m-%d %H:%M:%S"
DEFAULT_DATAFRAME_COLUMNS = ["date", "open", "high", "low", "close", "volume"]
UNLIMITED_STAKE_AMOUNT = "unlimited"


class FreqtradeException(Exception):
    """Any error of a strategy."""


class OperationalException(FreqtradeException):
    """One that a person must solve."""


class ConfigurationError(OperationalException):
    """One in the configuration."""


class DependencyException(FreqtradeException):
    """Something that is needed is not there."""


class ExchangeError(DependencyException):
    """One of the venue."""


class TemporaryError(ExchangeError):
    """One that passes."""


class StrategyException(FreqtradeException):
    """One in the strategy's own code."""

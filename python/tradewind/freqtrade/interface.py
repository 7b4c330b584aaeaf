"""The class that a strategy file derives from."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, List, Optional, Tuple

from .trade import PairLocks


class Wallets:
    """The balances that a strategy may look at, in the quote asset."""

    def __init__(self, budget: float, stake: str) -> None:
        self.budget, self.stake = budget, stake

    def get_total_stake_amount(self) -> float:
        """The budget."""
        return self.budget

    def get_available_stake_amount(self) -> float:
        """The budget less what is in open trades."""
        from .trade import Trade

        return max(self.budget - Trade.total_open_trades_stakes(), 0.0)

    def get_total(self, currency: str) -> float:
        """The budget for the quote asset; open amounts else."""
        from .trade import Trade

        if currency == self.stake:
            return self.budget
        return sum(trade.amount for trade in Trade.get_open_trades() if trade.base_currency == currency)

    def get_free(self, currency: str) -> float:
        """What is not in trades."""
        return self.get_available_stake_amount() if currency == self.stake else self.get_total(currency)

    def get_used(self, currency: str) -> float:
        """What is in trades."""
        return self.get_total(currency) - self.get_free(currency)


class IStrategy:
    """Attributes and callbacks that strategy files override. What is not supported is refused when the file is loaded."""

    INTERFACE_VERSION: int = 3
    timeframe: str = "5m"
    minimal_roi: Dict[Any, float] = {}
    stoploss: Optional[float] = None
    max_open_trades: float = -1
    trailing_stop: bool = False
    trailing_stop_positive: Optional[float] = None
    trailing_stop_positive_offset: float = 0.0
    trailing_only_offset_is_reached: bool = False
    use_custom_stoploss: bool = False
    use_custom_roi: bool = False
    use_exit_signal: bool = True
    exit_profit_only: bool = False
    exit_profit_offset: float = 0.0
    ignore_roi_if_entry_signal: bool = False
    ignore_buying_expired_candle_after: int = 0
    position_adjustment_enable: bool = False
    max_entry_position_adjustment: int = -1
    process_only_new_candles: bool = True
    disable_dataframe_checks: bool = False
    startup_candle_count: int = 0
    can_short: bool = False
    order_types: Dict[str, Any] = {"entry": "limit", "exit": "limit", "stoploss": "limit", "stoploss_on_exchange": False}
    order_time_in_force: Dict[str, str] = {"entry": "GTC", "exit": "GTC"}
    unfilledtimeout: Dict[str, Any] = {}
    protections: List[Dict[str, Any]] = []
    plot_config: Dict[str, Any] = {}
    dp: Any = None
    wallets: Any = None

    def __init__(self, config: Optional[Dict[str, Any]] = None) -> None:
        self.config: Dict[str, Any] = config or {}

    # Signals.

    def populate_indicators(self, dataframe: Any, metadata: Dict[str, Any]) -> Any:
        """Adds columns to the candles."""
        return dataframe

    def populate_entry_trend(self, dataframe: Any, metadata: Dict[str, Any]) -> Any:
        """Sets enter_long and enter_tag."""
        return self.populate_buy_trend(dataframe, metadata)

    def populate_exit_trend(self, dataframe: Any, metadata: Dict[str, Any]) -> Any:
        """Sets exit_long and exit_tag."""
        return self.populate_sell_trend(dataframe, metadata)

    def populate_buy_trend(self, dataframe: Any, metadata: Dict[str, Any]) -> Any:
        """The name of `populate_entry_trend` in version 2."""
        return dataframe

    def populate_sell_trend(self, dataframe: Any, metadata: Dict[str, Any]) -> Any:
        """The name of `populate_exit_trend` in version 2."""
        return dataframe

    def informative_pairs(self) -> List[Tuple[str, str]]:
        """Further pairs and timeframes."""
        return []

    def version(self) -> Optional[str]:
        """The version that the author gave it."""
        return None

    # Callbacks.

    def bot_start(self, **kwargs: Any) -> None:
        """Called once."""

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Called before the candles of a time are looked at."""

    def confirm_trade_entry(self, pair: str, order_type: str, amount: float, rate: float, *args: Any, **kwargs: Any) -> bool:
        """Whether to enter."""
        return True

    def confirm_trade_exit(self, pair: str, trade: Any, order_type: str, amount: float, rate: float, *args: Any, **kwargs: Any) -> bool:
        """Whether to exit."""
        return True

    def order_filled(self, pair: str, trade: Any, order: Any, current_time: datetime, **kwargs: Any) -> None:
        """Called after a fill."""

    def custom_stoploss(
        self, pair: str, trade: Any, current_time: datetime, current_rate: float, current_profit: float, **kwargs: Any
    ) -> Optional[float]:
        """The distance of the stop from the current rate, as a share."""
        return self.stoploss

    def custom_roi(
        self, pair: str, trade: Any, current_time: datetime, trade_duration: int, entry_tag: Optional[str], side: str, **kwargs: Any
    ) -> Optional[float]:
        """The gain at which the trade is closed, where it is lower than that of minimal_roi."""
        return None

    def custom_exit(
        self, pair: str, trade: Any, current_time: datetime, current_rate: float, current_profit: float, **kwargs: Any
    ) -> Any:
        """A reason to exit, or True."""
        return self.custom_sell(pair, trade, current_time, current_rate, current_profit, **kwargs)

    def custom_sell(
        self, pair: str, trade: Any, current_time: datetime, current_rate: float, current_profit: float, **kwargs: Any
    ) -> Any:
        """The name of `custom_exit` in version 2."""
        return None

    def custom_entry_price(
        self, pair: str, trade: Any, current_time: datetime, proposed_rate: float, entry_tag: Optional[str], side: str, **kwargs: Any
    ) -> float:
        """The limit of an entry."""
        return proposed_rate

    def custom_exit_price(
        self,
        pair: str,
        trade: Any,
        current_time: datetime,
        proposed_rate: float,
        current_profit: float,
        exit_tag: Optional[str],
        **kwargs: Any,
    ) -> float:
        """The limit of an exit by signal."""
        return proposed_rate

    def custom_stake_amount(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_stake: float,
        min_stake: Optional[float],
        max_stake: float,
        leverage: float,
        entry_tag: Optional[str],
        side: str,
        **kwargs: Any,
    ) -> float:
        """The stake of an entry in the quote asset."""
        return proposed_stake

    def adjust_trade_position(
        self,
        trade: Any,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        min_stake: Optional[float],
        max_stake: float,
        current_entry_rate: float,
        current_exit_rate: float,
        current_entry_profit: float,
        current_exit_profit: float,
        **kwargs: Any,
    ) -> Any:
        """The stake to add, or the negative stake to take out, with a tag if it is a pair."""
        return None

    # Locks.

    def lock_pair(self, pair: str, until: datetime, reason: Optional[str] = None, side: str = "*") -> None:
        """Enters a pair no more until a time."""
        PairLocks.lock_pair(pair, until, reason, side=side)

    def unlock_pair(self, pair: str) -> None:
        """Ends the locks of a pair."""
        PairLocks.unlock_pair(pair, self.dp.now)

    def unlock_reason(self, reason: str) -> None:
        """Ends the locks of a reason."""
        PairLocks.unlock_reason(reason, self.dp.now)

    def is_pair_locked(self, pair: str, *, candle_date: Optional[datetime] = None, side: str = "*") -> bool:
        """Whether a pair is locked."""
        return PairLocks.is_pair_locked(pair, candle_date or self.dp.now)

    def get_strategy_name(self) -> str:
        """The name of the class."""
        return type(self).__name__

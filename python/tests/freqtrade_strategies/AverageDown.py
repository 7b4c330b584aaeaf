"""Buys more below the entry, sells a part in profit: custom_stake_amount and adjust_trade_position."""

from datetime import datetime

import talib.abstract as ta
from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy
from pandas import DataFrame


class AverageDown(IStrategy):
    INTERFACE_VERSION = 3
    minimal_roi = {"0": 0.04, "240": 0.01}
    stoploss = -0.15
    timeframe = "5m"
    position_adjustment_enable = True
    max_entry_position_adjustment = 2

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["rsi"] = ta.RSI(dataframe)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["rsi"] < 27, "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["rsi"] > 78, "exit_long"] = 1
        return dataframe

    def custom_stake_amount(
        self, pair, current_time: datetime, current_rate, proposed_stake, min_stake, max_stake, leverage, entry_tag, side, **kwargs
    ) -> float:
        return proposed_stake / 4

    def adjust_trade_position(
        self, trade: Trade, current_time: datetime, current_rate: float, current_profit: float, min_stake, max_stake: float, **kwargs
    ):
        if current_profit > 0.02 and trade.nr_of_successful_exits == 0:
            return -(trade.stake_amount / 2), "half in profit"
        if current_profit < -0.02 * trade.nr_of_successful_entries and trade.nr_of_successful_exits == 0:
            return trade.select_filled_orders(trade.entry_side)[0].stake_amount, "averaged down"
        return None

"""A plain trailing stop that follows from the entry on, tighter in profit."""

import talib.abstract as ta
from freqtrade.strategy import IStrategy
from pandas import DataFrame


class TrailingBreakout(IStrategy):
    INTERFACE_VERSION = 3
    minimal_roi = {"0": 0.12}
    stoploss = -0.03
    timeframe = "5m"
    trailing_stop = True
    trailing_stop_positive = 0.015
    trailing_stop_positive_offset = 0.02
    trailing_only_offset_is_reached = False
    ignore_roi_if_entry_signal = True
    use_exit_signal = False

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["highest"] = ta.MAX(dataframe, timeperiod=48, price="high")
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["close"] > dataframe["highest"].shift(1), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        return dataframe

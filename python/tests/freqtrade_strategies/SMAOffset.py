"""Offsets from an average, with a trailing stop from a gain on. After the published description of SMAOffset; the text is our own."""

import talib.abstract as ta
from freqtrade.strategy import CategoricalParameter, DecimalParameter, IntParameter, IStrategy
from pandas import DataFrame

averages = {"SMA": ta.SMA, "EMA": ta.EMA}


class SMAOffset(IStrategy):
    INTERFACE_VERSION = 3
    minimal_roi = {"0": 1}
    stoploss = -0.5
    timeframe = "5m"
    trailing_stop = True
    trailing_stop_positive = 0.005
    trailing_stop_positive_offset = 0.015
    trailing_only_offset_is_reached = True
    startup_candle_count = 30
    base_nb_candles_buy = IntParameter(5, 80, default=30, space="buy")
    base_nb_candles_sell = IntParameter(5, 80, default=30, space="sell")
    low_offset = DecimalParameter(0.9, 0.99, default=0.975, space="buy")
    high_offset = DecimalParameter(0.99, 1.1, default=1.012, space="sell")
    buy_trigger = CategoricalParameter(list(averages), default="SMA", space="buy")
    sell_trigger = CategoricalParameter(list(averages), default="EMA", space="sell")

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        for length in self.base_nb_candles_buy.range:
            dataframe[f"ma_buy_{length}"] = averages[self.buy_trigger.value](dataframe, timeperiod=length)
        dataframe["ma_sell"] = averages[self.sell_trigger.value](dataframe, timeperiod=self.base_nb_candles_sell.value)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        offset = dataframe[f"ma_buy_{self.base_nb_candles_buy.value}"] * self.low_offset.value
        dataframe.loc[(dataframe["close"] < offset) & (dataframe["volume"] > 0), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        offset = dataframe["ma_sell"] * self.high_offset.value
        dataframe.loc[(dataframe["close"] > offset) & (dataframe["volume"] > 0), "exit_long"] = 1
        return dataframe

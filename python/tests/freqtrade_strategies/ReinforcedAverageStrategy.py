"""Average cross inside a longer trend. After the published description of ReinforcedAverageStrategy; the text is our own."""

import freqtrade.vendor.qtpylib.indicators as qtpylib
import talib.abstract as ta
from freqtrade.strategy import IStrategy, timeframe_to_minutes
from pandas import DataFrame
from technical.util import resample_to_interval, resampled_merge


class ReinforcedAverageStrategy(IStrategy):
    INTERFACE_VERSION = 3
    minimal_roi = {"0": 0.5}
    stoploss = -0.2
    timeframe = "5m"
    trailing_stop = False
    trailing_stop_positive = 0.01
    trailing_stop_positive_offset = 0.02
    trailing_only_offset_is_reached = False
    process_only_new_candles = False
    exit_profit_only = False

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["maShort"] = ta.EMA(dataframe, timeperiod=8)
        dataframe["maMedium"] = ta.EMA(dataframe, timeperiod=21)
        self.resample_interval = timeframe_to_minutes(self.timeframe) * 12
        longer = resample_to_interval(dataframe, self.resample_interval)
        longer["sma"] = ta.SMA(longer, timeperiod=50, price="close")
        dataframe = resampled_merge(dataframe, longer, fill_na=True)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[
            qtpylib.crossed_above(dataframe["maShort"], dataframe["maMedium"])
            & (dataframe["close"] > dataframe[f"resample_{self.resample_interval}_sma"])
            & (dataframe["volume"] > 0),
            "enter_long",
        ] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[qtpylib.crossed_above(dataframe["maMedium"], dataframe["maShort"]) & (dataframe["volume"] > 0), "exit_long"] = 1
        return dataframe

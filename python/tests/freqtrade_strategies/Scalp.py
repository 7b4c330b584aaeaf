"""Many short trades with a one percent target. After the published description of Scalp; the text is our own."""

import freqtrade.vendor.qtpylib.indicators as qtpylib
import talib.abstract as ta
from freqtrade.strategy import IStrategy
from pandas import DataFrame


class Scalp(IStrategy):
    INTERFACE_VERSION = 3
    minimal_roi = {"0": 0.01}
    stoploss = -0.04
    timeframe = "5m"

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["ema_high"] = ta.EMA(dataframe, timeperiod=5, price="high")
        dataframe["ema_low"] = ta.EMA(dataframe, timeperiod=5, price="low")
        fast = ta.STOCHF(dataframe, 5, 3, 0, 3, 0)
        dataframe["fastd"], dataframe["fastk"] = fast["fastd"], fast["fastk"]
        dataframe["adx"] = ta.ADX(dataframe)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[
            (dataframe["open"] < dataframe["ema_low"])
            & (dataframe["adx"] > 30)
            & (dataframe["fastk"] < 30)
            & (dataframe["fastd"] < 30)
            & qtpylib.crossed_above(dataframe["fastk"], dataframe["fastd"]),
            "enter_long",
        ] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[
            (dataframe["open"] >= dataframe["ema_high"])
            | qtpylib.crossed_above(dataframe["fastk"], 70)
            | qtpylib.crossed_above(dataframe["fastd"], 70),
            "exit_long",
        ] = 1
        return dataframe

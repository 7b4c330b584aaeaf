"""Two entries with tags of their own. After the published description of CombinedBinHAndCluc; the text is our own."""

import freqtrade.vendor.qtpylib.indicators as qtpylib
import numpy as np
import talib.abstract as ta
from freqtrade.strategy import IStrategy
from pandas import DataFrame, Series


def bollinger(close: Series, window: int, deviations: float):
    mean = close.rolling(window=window).mean()
    spread = close.rolling(window=window).std()
    return np.nan_to_num(mean), np.nan_to_num(mean - deviations * spread)


class CombinedBinHAndCluc(IStrategy):
    INTERFACE_VERSION = 3
    minimal_roi = {"0": 0.05}
    stoploss = -0.05
    timeframe = "5m"
    use_exit_signal = True
    exit_profit_only = True
    ignore_roi_if_entry_signal = False

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        mid, lower = bollinger(dataframe["close"], 40, 2)
        dataframe["lower"] = lower
        dataframe["bbdelta"] = (mid - dataframe["lower"]).abs()
        dataframe["closedelta"] = (dataframe["close"] - dataframe["close"].shift()).abs()
        dataframe["tail"] = (dataframe["close"] - dataframe["low"]).abs()
        bands = qtpylib.bollinger_bands(qtpylib.typical_price(dataframe), window=20, stds=2)
        dataframe["bb_lowerband"] = bands["lower"]
        dataframe["bb_middleband"] = bands["mid"]
        dataframe["ema_slow"] = ta.EMA(dataframe, timeperiod=50)
        dataframe["volume_mean_slow"] = dataframe["volume"].rolling(window=30).mean()
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        binh = (
            dataframe["lower"].shift().gt(0)
            & dataframe["bbdelta"].gt(dataframe["close"] * 0.008)
            & dataframe["closedelta"].gt(dataframe["close"] * 0.0175)
            & dataframe["tail"].lt(dataframe["bbdelta"] * 0.25)
            & dataframe["close"].lt(dataframe["lower"].shift())
            & dataframe["close"].le(dataframe["close"].shift())
        )
        cluc = (
            (dataframe["close"] < dataframe["ema_slow"])
            & (dataframe["close"] < 0.985 * dataframe["bb_lowerband"])
            & (dataframe["volume"] < (dataframe["volume_mean_slow"].shift(1) * 20))
        )
        dataframe.loc[binh, ["enter_long", "enter_tag"]] = (1, "binh")
        dataframe.loc[cluc, ["enter_long", "enter_tag"]] = (1, "cluc")
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["close"] > dataframe["bb_middleband"], ["exit_long", "exit_tag"]] = (1, "above the middle band")
        return dataframe

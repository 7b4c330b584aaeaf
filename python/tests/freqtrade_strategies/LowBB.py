"""Far below the lower Bollinger band, left by profit or stop only. After the published description of Low_BB; the text is our own."""

import freqtrade.vendor.qtpylib.indicators as qtpylib
from freqtrade.strategy import IStrategy
from pandas import DataFrame


class LowBB(IStrategy):
    INTERFACE_VERSION = 3
    minimal_roi = {"0": 0.9, "1": 0.05, "10": 0.04, "15": 0.5}
    stoploss = -0.015
    timeframe = "5m"

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        bands = qtpylib.bollinger_bands(qtpylib.typical_price(dataframe), window=20, stds=2)
        dataframe["bb_lowerband"] = bands["lower"]
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["close"] <= 0.995 * dataframe["bb_lowerband"], "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[:, "exit_long"] = 0
        return dataframe

"""Close under a weakened lower band with quiet volume. After the published description of ClucMay72018; the text is our own."""

import freqtrade.vendor.qtpylib.indicators as qtpylib
import talib.abstract as ta
from freqtrade.strategy import IStrategy
from pandas import DataFrame


class ClucMay(IStrategy):
    INTERFACE_VERSION = 3
    minimal_roi = {"0": 0.01}
    stoploss = -0.05
    timeframe = "5m"
    startup_candle_count = 50

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["rsi"] = ta.RSI(dataframe, timeperiod=5)
        bands = qtpylib.bollinger_bands(qtpylib.typical_price(dataframe), window=20, stds=2)
        dataframe["bb_lowerband"] = bands["lower"]
        dataframe["bb_middleband"] = bands["mid"]
        dataframe["ema100"] = ta.EMA(dataframe, timeperiod=50)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[
            (dataframe["close"] < dataframe["ema100"])
            & (dataframe["close"] < 0.995 * dataframe["bb_lowerband"])
            & (dataframe["volume"] < (dataframe["volume"].rolling(window=30).mean().shift(1) * 20)),
            "enter_long",
        ] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[(dataframe["close"] > dataframe["bb_middleband"]), "exit_long"] = 1
        return dataframe

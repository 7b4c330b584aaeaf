"""A stop in steps, an exit by age, and an entry that may be refused: custom_stoploss, custom_exit, confirm_trade_entry and _exit."""

from datetime import datetime, timedelta

import freqtrade.vendor.qtpylib.indicators as qtpylib
import talib.abstract as ta
from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy, stoploss_from_absolute, stoploss_from_open
from pandas import DataFrame


class SteppedStop(IStrategy):
    INTERFACE_VERSION = 3
    minimal_roi = {"0": 0.08}
    stoploss = -0.06
    timeframe = "5m"
    use_custom_stoploss = True
    startup_candle_count = 30

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe["rsi"] = ta.RSI(dataframe)
        dataframe["atr"] = ta.ATR(dataframe, timeperiod=14)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[qtpylib.crossed_above(dataframe["rsi"], 32), ["enter_long", "enter_tag"]] = (1, "rsi")
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        dataframe.loc[dataframe["rsi"] > 82, "exit_long"] = 1
        return dataframe

    def custom_stoploss(
        self, pair: str, trade: Trade, current_time: datetime, current_rate: float, current_profit: float, after_fill: bool, **kwargs
    ) -> float | None:
        if current_profit > 0.04:
            return stoploss_from_open(0.03, current_profit, is_short=trade.is_short, leverage=trade.leverage)
        if current_profit > 0.02:
            return stoploss_from_open(0.008, current_profit)
        if current_time - trade.open_date_utc > timedelta(hours=6):
            dataframe, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
            last = dataframe.iloc[-1].squeeze()
            return stoploss_from_absolute(current_rate - 6 * last["atr"], current_rate, is_short=trade.is_short)
        return None

    def custom_exit(self, pair: str, trade: Trade, current_time: datetime, current_rate: float, current_profit: float, **kwargs):
        if current_profit < -0.005 and (current_time - trade.open_date_utc).total_seconds() > 12 * 3600:
            return "unclog"
        return None

    def confirm_trade_entry(self, pair, order_type, amount, rate, time_in_force, current_time, entry_tag, side, **kwargs) -> bool:
        return current_time.hour != 13 and entry_tag == "rsi"

    def confirm_trade_exit(self, pair, trade, order_type, amount, rate, time_in_force, exit_reason, current_time, **kwargs) -> bool:
        return not (exit_reason == "roi" and current_time.hour == 3)

"""`self.dp`: the candles and analysed columns that a strategy may read, up to the last closed candle."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Optional, Tuple

from .constants import RunMode
from .errors import Unsupported

# The rows of an analysed table that callbacks see at most, as in freqtrade.
ROWS_MAX = 1000


class DataProvider:
    """Reads candles by pair and timeframe from `source(pair, timeframe)`, which returns a table of its own."""

    def __init__(self, source: Callable[[str, str], Any], pairs: List[str], timeframe: str, runmode: RunMode) -> None:
        self._source, self._pairs, self._timeframe = source, pairs, timeframe
        self.runmode = runmode
        self.now = datetime.now(timezone.utc)
        self._analyzed: Dict[str, Any] = {}
        # By pair, how many rows of its analysed table had closed by now.
        self._rows: Dict[str, int] = {}

    def set_analyzed(self, pair: str, table: Any) -> None:
        """Keeps the analysed table of a pair."""
        self._analyzed[pair] = table
        self._rows[pair] = 0 if table is None else len(table)

    def set_closed(self, pair: str, rows: int, now: datetime) -> None:
        """So many rows had closed at `now`."""
        self._rows[pair] = rows
        self.now = now

    def get_pair_dataframe(self, pair: str, timeframe: Optional[str] = None, candle_type: Any = "") -> Any:
        """The candles of a pair."""
        if candle_type and str(candle_type) != "spot":
            raise Unsupported(f"dp.get_pair_dataframe: candle_type={str(candle_type)!r} is not supported; use spot candles")
        return self._source(pair, timeframe or self._timeframe)

    historic_ohlcv = ohlcv = get_pair_dataframe

    def get_analyzed_dataframe(self, pair: str, timeframe: Optional[str] = None) -> Tuple[Any, datetime]:
        """The table of a pair with its indicators and signals, newest candle last, and when it was made."""
        import pandas

        if timeframe not in (None, "", self._timeframe):
            raise Unsupported(f"dp.get_analyzed_dataframe: timeframe={timeframe!r} is not supported; only {self._timeframe} is analysed: use dp.get_pair_dataframe")
        table = self._analyzed.get(pair)
        if table is None:
            return pandas.DataFrame(), datetime.fromtimestamp(0, timezone.utc)
        end = self._rows[pair]
        return table.iloc[max(end - ROWS_MAX, 0) : end], self.now

    def current_whitelist(self) -> List[str]:
        """The pairs that are traded."""
        return list(self._pairs)

    @property
    def available_pairs(self) -> List[Tuple[str, str]]:
        """The pairs with the strategy's timeframe."""
        return [(pair, self._timeframe) for pair in self._pairs]

    def market(self, pair: str) -> Dict[str, Any]:
        """Names of a pair's assets."""
        base, quote = pair.split("/")
        return {"symbol": pair, "base": base, "quote": quote, "active": True, "spot": True}

    def send_msg(self, message: str, *, always_send: bool = False) -> None:
        """Writes a line to the desk's log."""
        print(message)

    def orderbook(self, pair: str, maximum: int) -> Any:
        """Refused."""
        raise Unsupported("dp.orderbook is not supported; write the strategy for tradewind.Strategy, whose on_quote has bid and ask")

    def ticker(self, pair: str) -> Any:
        """Refused."""
        raise Unsupported("dp.ticker is not supported; use the close of dp.get_pair_dataframe")

    def trades(self, *_args: Any, **_options: Any) -> Any:
        """Refused."""
        raise Unsupported("dp.trades is not supported; use candles")

    def funding_rate(self, pair: str) -> Any:
        """Refused."""
        raise Unsupported("dp.funding_rate is not supported: only spot is traded")

    def get_producer_df(self, *_args: Any, **_options: Any) -> Any:
        """Refused."""
        raise Unsupported("dp.get_producer_df is not supported; read a source with [sources.NAME] in the configuration")

    get_producer_pairs = get_producer_df

"""A desk for tests: it packs requests as the real one does and reads the answers."""

from __future__ import annotations

import json
import os
import struct
import tempfile
from array import array
from typing import Any, Dict, List, Optional

from tradewind import protocol as wire
from tradewind.process import Host

NANOS = 1_000_000_000


class Desk:
    """One bot with one instrument of two decimals and candles of 300 s."""

    def __init__(self, source: str, mode: str = "live", params: Optional[Dict[str, Any]] = None, state: bytes = b"") -> None:
        folder = tempfile.mkdtemp()
        self.path = os.path.join(folder, "strategy_under_test.py")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(source)
        self.sent: List[wire.Frame] = []
        self.host = Host(self._receive)
        self.requests = 0
        # When the position that is shown was opened, and at what price.
        self.held: Optional[Any] = None
        self.declared = json.loads(self.ask(wire.LOAD, json.dumps(self._wanted(params or {})).encode()).body)
        self.state: Optional[bytes] = None
        if "error" not in self.declared and not self.declared["problems"]:
            instruments = [{"name": "x:BTC/USDT", "price_decimals": 2, "quantity_decimals": 3, "traded": True}]
            start = json.dumps({"bot": "b", "mode": mode, "instruments": instruments}).encode()
            self.started = self.ask(wire.START, struct.pack("<I", len(start)) + start + state)

    def _wanted(self, params: Dict[str, Any]) -> Dict[str, Any]:
        return {"kind": "python", "path": self.path, "class": None, "params": params, "timeframes": []}

    def _receive(self, data: bytes) -> None:
        length, version, kind, bot, request = struct.unpack_from("<IBBHI", data)
        assert (length, version) == (len(data) - 4, wire.VERSION)
        self.sent.append(wire.Frame(kind, bot, request, data[12:]))

    def ask(self, kind: int, body: bytes) -> wire.Frame:
        self.requests += 1
        self.host.handle(wire.Frame(kind, 0, self.requests, body))
        answer = self.sent[-1]
        assert answer.request == self.requests
        return answer

    def feed(self, index: int, close: float) -> None:
        self.host.handle(wire.Frame(wire.FEED, 0, 0, self.body(index, close)))

    def candle(self, index: int, close: float, **rest: Any) -> Dict[str, Any]:
        """What is decided on the candle of this index."""
        return self.decision(self.ask(wire.EVALUATE, self.body(index, close, **rest)))

    def timer(self, index: int) -> Dict[str, Any]:
        """What is decided by a timer at the close of the candle of this index."""
        budget = (1000 * 10**18).to_bytes(16, "little", signed=True)
        at = (index + 1) * 300 * NANOS
        body = struct.pack("<BBBBHHqqqq16s", 2, 0, 0, 0, 0, 0xFFFF, at, 0, wire.NONE, wire.NONE, budget)
        return self.decision(self.ask(wire.EVALUATE, body + struct.pack("<HHq", 0, 0, 0)))

    def body(self, index: int, close: float, quantity: float = 0.0, flags: int = 0, proposal: Optional[int] = None, denied: int = 0) -> bytes:
        price = round(close * 100)
        open_time = index * 300 * NANOS
        at = open_time + 300 * NANOS
        # What is held at a close was opened just after the one before.
        self.held = (self.held or (open_time, price)) if quantity else None
        opened, entry = self.held or (wire.NONE, wire.NONE)
        flags |= wire.HAS_CANDLE | (wire.IS_PROPOSED if proposal is not None else 0)
        budget = (1000 * 10**18).to_bytes(16, "little", signed=True)
        body = struct.pack("<BBBBHHqqqq16s", 1, 0, denied, flags, 0, 0xFFFF, at, round(quantity * 1000), entry, opened, budget)
        body += struct.pack("<Iq4qdB", 300, open_time, price, price, price, price, 1.0, 1)
        body += b"" if proposal is None else bytes([proposal])
        return body + struct.pack("<HHq", 0, 0, 1_000_000 if quantity else 0)

    def history(self, closes: List[float]) -> wire.Frame:
        times = array("q", [index * 300 * NANOS for index in range(len(closes))])
        prices = array("q", [round(close * 100) for close in closes])
        body = struct.pack("<HHII", 0, 0, 300, len(closes)) + times.tobytes() + prices.tobytes() * 4 + array("d", [1.0] * len(closes)).tobytes()
        self.host.handle(wire.Frame(wire.HISTORY, 0, 0, body))
        return self.ask(wire.COMPUTE, struct.pack("<H", 0))

    def decision(self, answer: wire.Frame) -> Dict[str, Any]:
        if answer.kind == wire.FAULT:
            return {"fault": answer.body.decode()}
        assert answer.kind == wire.DECISION, answer
        body, kind, out = answer.body, answer.body[0], {}
        place = 1
        if kind == 3:
            out = {"stop": struct.unpack_from("<q", body, place)[0]}
            place += 8
        if kind == 2:
            exposure, limit = struct.unpack_from("<qq", body, place)
            place += 16
            out = {"exposure": exposure, "limit": None if limit == wire.NONE else limit}
            if body[place]:
                stop_kind, stop, take, trailing, time, steps = struct.unpack_from("<BqqqqH", body, place + 1)
                out.update(stop=(stop_kind, stop), take_profit=take, trailing=trailing, time=time)
                place += 36
                out["roi"] = [struct.unpack_from("<qq", body, place + 16 * step) for step in range(steps)]
                place += 16 * steps
            else:
                place += 1
        (length,) = struct.unpack_from("<H", body, place)
        out["reason"] = body[place + 2 : place + 2 + length].decode()
        place += 2 + length
        (length,) = struct.unpack_from("<I", body, place)
        if length != 0xFFFFFFFF:
            self.state = body[place + 4 : place + 4 + length]
            assert len(self.state) == length
        out["kind"] = kind
        return out

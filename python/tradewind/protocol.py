"""Frames between the desk and this process; docs/strategy_protocol.md describes them. All numbers are little-endian."""

from __future__ import annotations

import math
import struct
import sys
from array import array
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Dict, List, Optional, Sequence, Tuple

from .columns import plain
from .decision import Decision, ExitPlan, seconds, share

VERSION = 1
FRAME_MAX = 64 * 1024 * 1024

LOAD, START, HISTORY, COMPUTE, FEED, EVALUATE, PREDICT = 1, 2, 3, 4, 5, 6, 7
LOADED, READY, TABLE, DONE, DECISION, FAULT, PREDICTION = 65, 66, 67, 68, 69, 70, 71

NONE = -(2**63)
PPM = 1_000_000
NO_SLOT = 0xFFFF

WAKES = ("quote", "candle", "timer", "read_quote", "read_candle", "target")
HAS_QUOTE, HAS_CANDLE, IS_PROPOSED, WANTS_ROW = 1, 2, 4, 8
CALLS_POSITION, CALLS_ENTRY, CALLS_EXIT = 1, 2, 4
ENTER, EXIT, ENTER_TAG, EXIT_TAG, STOP, TARGET = 1, 2, 4, 8, 16, 32

_HEAD = struct.Struct("<IBBHI")
_EVALUATE = struct.Struct("<BBBBHHqqqq16s")
_QUOTE = struct.Struct("<5q")
_CANDLE = struct.Struct("<Iq4qdB")
_READ = struct.Struct("<HB5q")


class ProtocolError(Exception):
    """Bytes that are no frame of this protocol."""


@dataclass
class Frame:
    """One message."""

    kind: int
    bot: int
    request: int
    body: bytes


def read_frame(stream: BinaryIO) -> Optional[Frame]:
    """The next frame; None at the end of the stream."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    length, version, kind, bot, request = _HEAD.unpack(head)
    if version != VERSION:
        raise ProtocolError(f"version {version}, and this package speaks {VERSION}")
    if not 8 <= length <= FRAME_MAX:
        raise ProtocolError(f"a frame of {length} bytes")
    body = stream.read(length - 8)
    if len(body) < length - 8:
        return None
    return Frame(kind, bot, request, body)


def frame(kind: int, bot: int, request: int, body: bytes = b"") -> bytes:
    """The bytes of a frame."""
    if len(body) + 8 > FRAME_MAX:
        cure = "play a part of the history, or fewer columns of signals"
        raise ProtocolError(f"an answer of {len(body)} bytes; at most {FRAME_MAX - 8} fit into a frame: {cure}")
    return _HEAD.pack(len(body) + 8, VERSION, kind, bot, request) + body


@dataclass
class Evaluation:
    """A request to decide, or a candle to keep."""

    wake: str
    carried_out: int
    last_entry: int
    flags: int
    slot: int
    read_slot: int
    at: int
    quantity: int
    entry_price: Optional[int]
    opened_at: Optional[int]
    budget: float
    quote: Optional[Tuple[int, ...]] = None
    candle: Optional[Tuple[Any, ...]] = None
    proposal: int = 0
    reads: List[Tuple[int, ...]] = field(default_factory=list)
    numbers: Dict[str, Tuple[float, float]] = field(default_factory=dict)
    exposure: int = 0


def read_evaluation(body: bytes) -> Evaluation:
    """The body of FEED and EVALUATE."""
    values = _EVALUATE.unpack_from(body)
    wake, carried_out, last_entry, flags, slot, read_slot, at, quantity, entry, opened, budget = values
    out = Evaluation(
        WAKES[wake],
        carried_out,
        last_entry,
        flags,
        slot,
        read_slot,
        at,
        quantity,
        None if entry == NONE else entry,
        None if opened == NONE else opened,
        int.from_bytes(budget, "little", signed=True) / 1e18,
    )
    place = _EVALUATE.size
    if flags & HAS_QUOTE:
        out.quote = _QUOTE.unpack_from(body, place)
        place += _QUOTE.size
    if flags & HAS_CANDLE:
        out.candle = _CANDLE.unpack_from(body, place)
        place += _CANDLE.size
    if flags & IS_PROPOSED:
        out.proposal = body[place]
        place += 1
    (count,) = struct.unpack_from("<H", body, place)
    place += 2
    for _ in range(count):
        out.reads.append(_READ.unpack_from(body, place))
        place += _READ.size
    (count,) = struct.unpack_from("<H", body, place)
    place += 2
    for _ in range(count):
        (length,) = struct.unpack_from("<H", body, place)
        name = body[place + 2 : place + 2 + length].decode()
        value, age = struct.unpack_from("<dq", body, place + 2 + length)
        out.numbers[name] = (value, age / 1e9)
        place += 2 + length + 16
    (out.exposure,) = struct.unpack_from("<q", body, place)
    return out


def read_history(body: bytes) -> Tuple[int, int, array, List[array]]:
    """The body of HISTORY: slot, seconds, opening times, and open, high, low, close as counts with the volumes."""
    slot, _, length, count = struct.unpack_from("<HHII", body)
    place = 12
    columns = []
    for code in "qqqqqd":
        column = array(code)
        column.frombytes(body[place : place + 8 * count])
        if sys.byteorder == "big":
            column.byteswap()
        place += 8 * count
        columns.append(column)
    return slot, length, columns[0], columns[1:]


def ppm(value: float) -> int:
    """Millionths, towards zero. What is within a billionth of a whole number of them is that number: 0.29 is 290,000."""
    scaled = value * PPM
    nearest = round(scaled)
    return nearest if abs(scaled - nearest) < 1e-3 else math.trunc(scaled)


def mantissa(price: float, decimals: int) -> int:
    """A price as the count that the desk keeps."""
    if not price > 0 or math.isinf(price):
        raise ValueError(f"{price!r} is no price; it must be above 0")
    return round(price * 10**decimals)


def text(value: str, most: int = 1000) -> bytes:
    """A short text: its length in bytes, and UTF-8."""
    raw = value.encode("utf-8", "replace")[:most].decode("utf-8", "ignore").encode()
    return struct.pack("<H", len(raw)) + raw


def plan_bytes(plan: Optional[ExitPlan], decimals: int) -> bytes:
    """An exit plan, or that there is none."""
    if plan is None:
        return b"\0"
    kind, stop = 0, 0
    if plan.stop_at is not None:
        kind, stop = 2, mantissa(plan.stop_at, decimals)
    elif plan.stop is not None:
        kind, stop = 1, _distance("stop", share(plan.stop))
    take_profit = NONE if plan.take_profit is None else _positive("take_profit", share(plan.take_profit))
    trailing = NONE if plan.trailing is None else _distance("trailing", share(plan.trailing))
    time = NONE if plan.time is None else int(seconds(plan.time) * 1e9)
    out = struct.pack("<BBqqqqH", 1, kind, stop, take_profit, trailing, time, len(plan.roi))
    steps = sorted((seconds(age), share(gain)) for age, gain in plan.roi)
    for (age, _), (later, _) in zip(steps, steps[1:]):
        if int(age * 1e9) == int(later * 1e9):
            raise ValueError(f"roi has two gains for the age of {age:g} s; write one for each age")
    for age, gain in steps:
        out += struct.pack("<qq", int(age * 1e9), ppm(gain))
    return out


def _positive(name: str, value: float) -> int:
    if not 0 < value:
        raise ValueError(f'{name} = {value!r} is no distance; write 0.02 or "2%"')
    return ppm(value)


def _distance(name: str, value: float) -> int:
    if ppm(value) >= PPM:
        raise ValueError(f'{name} = {value!r} is {value:.0%} of the price; a distance is below 1: write 0.03 or "3%"')
    return _positive(name, value)


def state_bytes(state: Optional[bytes]) -> bytes:
    """State to be kept, or that it did not change."""
    if state is None:
        return struct.pack("<I", 0xFFFFFFFF)
    return struct.pack("<I", len(state)) + state


def decision_bytes(decision: Optional[Decision], decimals: int, state: Optional[bytes]) -> bytes:
    """The body of DECISION."""
    if decision is None:
        return b"\0" + text("") + state_bytes(state)
    if not isinstance(decision, Decision):
        raise TypeError(f"{type(decision).__name__} is no decision; return Buy(), Exit(), Target(0.5), Hold() or None")
    if decision.stop is not None:
        return b"\3" + struct.pack("<q", mantissa(decision.stop, decimals)) + text(decision.text) + state_bytes(state)
    if decision.exposure is None:
        return b"\1" + text(decision.text) + state_bytes(state)
    if not math.isfinite(decision.exposure) or abs(ppm(decision.exposure)) > PPM:
        raise ValueError(f"an exposure of {decision.exposure!r}; it is a share of the budget, from -1 to 1")
    limit = NONE if decision.limit is None else mantissa(decision.limit, decimals)
    body = struct.pack("<Bqq", 2, ppm(decision.exposure), limit)
    return body + plan_bytes(decision.exit, decimals) + text(decision.text) + state_bytes(state)


def warnings_bytes(warnings: Sequence[str]) -> bytes:
    """At most a hundred warnings."""
    warnings = list(warnings)[:100]
    return struct.pack("<H", len(warnings)) + b"".join(text(line) for line in warnings)


def table_bytes(
    signals: Dict[str, Any],
    rows: int,
    first: int,
    decimals: int,
    calls: int,
    plan: Optional[ExitPlan],
    warnings: Sequence[str] = (),
    state: Optional[bytes] = None,
) -> bytes:
    """The body of TABLE. Rows before `first` decide nothing."""
    unknown = set(signals) - {"enter", "exit", "enter_tag", "exit_tag", "stop", "target"}
    if unknown:
        raise ValueError(f"signals has no column {sorted(unknown)[0]!r}; there are enter, exit, enter_tag, exit_tag, stop, target")
    for name, column in signals.items():
        if not isinstance(column, str) and len(column) != rows:
            raise ValueError(f"column {name!r} of signals has {len(column)} rows, and there are {rows} candles")
    mask, parts, tags = 0, [], [""]
    index = {"": 0}
    if "enter" in signals:
        mask |= ENTER
        parts.append(_exposures(signals["enter"], rows, first, 0))
    if "exit" in signals:
        mask |= EXIT
        parts.append(_flags(signals["exit"], rows, first))
    for name, bit in (("enter_tag", ENTER_TAG), ("exit_tag", EXIT_TAG)):
        if name in signals:
            mask |= bit
            parts.append(_tags(signals[name], rows, tags, index))
    if "stop" in signals:
        mask |= STOP
        scale = 10**decimals
        stops = [round(p * scale) if p is not None and p == p and p > 0 else NONE for p in plain(signals["stop"])]
        parts.append(_little(array("q", stops)))
    if "target" in signals:
        mask |= TARGET
        parts.append(_exposures(signals["target"], rows, first, NONE))
    head = struct.pack("<IBB", rows, mask, calls) + plan_bytes(plan, decimals)
    names = struct.pack("<H", len(tags)) + b"".join(text(tag, 200) for tag in tags)
    return head + names + b"".join(parts) + warnings_bytes(warnings) + state_bytes(state)


def _little(column: array) -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()


def _exposures(column: Any, rows: int, first: int, nothing: int) -> bytes:
    values = [PPM if v is True else nothing if v is False or v is None or v != v else ppm(v) for v in plain(column)]
    if any(abs(v) > PPM for v in values if v != NONE):
        raise ValueError("an exposure beyond 1; it is a share of the budget, from -1 to 1")
    values[: min(first, rows)] = [nothing] * min(first, rows)
    return _little(array("q", values))


def _flags(column: Any, rows: int, first: int) -> bytes:
    values = bytearray(1 if v is not None and v == v and v else 0 for v in plain(column))
    values[: min(first, rows)] = bytes(min(first, rows))
    return bytes(values)


def _tags(column: Any, rows: int, tags: List[str], index: Dict[str, int]) -> bytes:
    values = [column] * rows if isinstance(column, str) else plain(column)
    out = array("H")
    for value in values:
        name = value if isinstance(value, str) else ""
        place = index.get(name)
        if place is None:
            if len(tags) == 0xFFFF:
                raise ValueError("more than 65,534 different tags")
            place = index[name] = len(tags)
            tags.append(name)
        out.append(place)
    return _little(out)

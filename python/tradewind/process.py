"""The process: it reads requests of the desk from a socket and answers them in order. `python -m tradewind.process` is one."""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import threading
import traceback
from typing import Any, Dict

from . import protocol as wire
from .loading import LoadError, declare, describe, load_class, place
from .model import Model
from .runner import Runner
from .strategy import check_parameters


class Host:
    """The bots of this process."""

    def __init__(self, send: Any) -> None:
        self.send = send
        self.classes: Dict[int, Any] = {}
        self.runners: Dict[int, Runner] = {}
        self.models: Dict[int, Model] = {}

    def handle(self, frame: wire.Frame) -> None:
        """Answers one request; an exception of the strategy is an answer, too."""
        try:
            answer = self.answer(frame)
            if answer is not None:
                answer = wire.frame(answer[0], frame.bot, frame.request, answer[1])
        except MemoryError as error:
            self.fault(frame, f"MemoryError: it needs more memory than it may have{place(error, self.path(frame.bot))}")
        except Exception as error:
            traceback.print_exc()
            self.fault(frame, describe(error, self.path(frame.bot)))
        else:
            if answer is not None:
                self.send(answer)

    def fault(self, frame: wire.Frame, text: str) -> None:
        """Reports an exception."""
        self.send(wire.frame(wire.FAULT, frame.bot, frame.request, text.encode("utf-8", "replace")[:4000]))

    def path(self, bot: int) -> str:
        """The file of a bot's strategy."""
        known = self.classes.get(bot)
        return known["path"] if known else ""

    def answer(self, frame: wire.Frame) -> Any:
        """What a request is answered with; None for one without an answer."""
        if frame.kind == wire.LOAD:
            return wire.LOADED, json.dumps(self.load(frame)).encode()
        if frame.kind == wire.START:
            return wire.READY, self.start(frame)
        if frame.kind == wire.PREDICT:
            return wire.PREDICTION, self.models[frame.bot].predict(frame.body)
        runner = self.runners.get(frame.bot)
        if runner is None:
            raise wire.ProtocolError(f"bot {frame.bot} was not started")
        if frame.kind == wire.EVALUATE:
            return runner.evaluate(wire.read_evaluation(frame.body))
        if frame.kind == wire.FEED:
            return runner.feed(wire.read_evaluation(frame.body))
        if frame.kind == wire.HISTORY:
            return runner.history(frame.body)
        if frame.kind == wire.COMPUTE:
            return runner.compute(struct.unpack("<H", frame.body)[0])
        raise wire.ProtocolError(f"unknown kind {frame.kind}")

    def load(self, frame: wire.Frame) -> Dict[str, Any]:
        """Loads the strategy's file and declares what is in it."""
        wanted = json.loads(frame.body)
        path = wanted["path"]
        self.classes[frame.bot] = {"path": path}
        if wanted["kind"] == "model":
            return self.load_model(frame.bot, wanted)
        try:
            cls = load_class(wanted["kind"], path, wanted.get("class"))
            declared = declare(cls, path, wanted["params"], wanted["timeframes"])
        except LoadError as error:
            return {"error": {"problem": error.problem, "cure": error.cure}}
        self.classes[frame.bot] = {
            "path": path,
            "class": cls,
            "params": wanted["params"],
            "timeframes": declared["timeframes"],
        }
        return declared

    def load_model(self, bot: int, wanted: Dict[str, Any]) -> Dict[str, Any]:
        """Loads a version of a model from its folder."""
        try:
            model = Model(wanted["path"], wanted["features"])
        except LoadError as error:
            return {"error": {"problem": error.problem, "cure": error.cure}}
        self.models[bot] = model
        self.classes[bot] = {"path": model.path}
        return model.declared()

    def start(self, frame: wire.Frame) -> bytes:
        """Makes the strategy, and puts its state back."""
        (length,) = struct.unpack_from("<I", frame.body)
        start = json.loads(frame.body[4 : 4 + length])
        known = self.classes[frame.bot]
        values, _ = check_parameters(known["class"], known["params"])
        strategy = known["class"](values)
        self.runners[frame.bot] = Runner(strategy, known["timeframes"], start, frame.body[4 + length :])
        return b""


def leave_with_the_desk() -> None:
    """Ends this process when the desk is gone, also while a strategy does not return."""
    parent = os.getppid()
    wait = threading.Event()

    def watch() -> None:
        while os.getppid() == parent:
            wait.wait(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Serves the desk on descriptor 0 until it closes."""
    connection = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    leave_with_the_desk()
    stream = connection.makefile("rb", buffering=1 << 16)
    host = Host(connection.sendall)
    while True:
        frame = wire.read_frame(stream)
        if frame is None:
            return
        host.handle(frame)


if __name__ == "__main__":
    sys.modules.setdefault("tradewind.process", sys.modules["__main__"])
    main()

"""Trains a model for the desk: reads rows of features, calls `train` of the user's script, and keeps what it returns.

It runs in a process of its own with the job's file as its only argument, and uses the standard library alone.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and sys.path[:1] == [""]:
    # Modules in the working directory are not there for the desk.
    del sys.path[0]

import csv
import hashlib
import inspect
import json
import math
import os
import pickle
import threading
import time
import traceback
import types
from typing import Any, Dict, List, Optional, Tuple


class TrainError(Exception):
    """Why there is no model, and what to do about it."""

    def __init__(self, problem: str, cure: str):
        super().__init__(problem)
        self.problem, self.cure = problem, cure


def script_module(path: str, source: bytes) -> Any:
    """The script as a module. Its name follows from its text, so that a model of its classes is found again by the same text."""
    name = "tradewind_model_" + hashlib.sha256(source).hexdigest()[:16]
    if name in sys.modules:
        return sys.modules[name]
    module = types.ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    try:
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
    except ImportError as error:
        sys.modules.pop(name)
        raise TrainError(describe(error, path), f"install it for {sys.executable}, or name another interpreter with python =") from error
    except (Exception, SystemExit) as error:
        sys.modules.pop(name)
        raise TrainError(describe(error, path), "correct the script") from error
    return module


def describe(error: BaseException, path: str) -> str:
    """An exception in one line, with its place in the script."""
    message = str(getattr(error, "msg", "") if isinstance(error, SyntaxError) else error)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    line: Optional[int] = frames[-1].lineno if frames else None
    if isinstance(error, SyntaxError) and error.filename == path:
        line = error.lineno
    where = f" (line {line})" if line else ""
    return f"{type(error).__name__}: {message}{where}"


def read_rows(path: str, features: List[str]) -> Tuple[Dict[str, List[float]], Dict[str, List[Any]], List[float]]:
    """The columns of the features, those of the candles, and the labels; none of the latter if the script makes them."""
    with open(path, newline="") as file:
        reader = csv.reader(file)
        head = next(reader)
        rows = list(reader)
    place = {name: index for index, name in enumerate(head)}
    columns = {name: [float(row[place["feature:" + name]]) for row in rows] for name in features}
    candles: Dict[str, List[Any]] = {name: [float(row[place[name]]) for row in rows] for name in ("open", "high", "low", "close", "volume")}
    candles["time"] = [int(row[place["time"]]) for row in rows]
    candles["instrument"] = [row[place["instrument"]] for row in rows]
    labels = [float(row[place["label"]]) for row in rows] if "label" in place else []
    return columns, candles, labels


def labelled(script: Any, job: Dict[str, Any]) -> Tuple[Dict[str, List[float]], List[float], Dict[str, List[Any]]]:
    """The features, labels and candles of the rows that have a label and every feature."""
    columns, candles, labels = read_rows(job["rows"], job["features"])
    if job["has_label"]:
        return columns, labels, candles
    if not hasattr(script, "labels"):
        raise TrainError("the script has no function labels", 'write def labels(features, candles), or label = "change(close, -12)" in the configuration')
    made: List[Any] = [None] * len(candles["time"])
    places: Dict[str, List[int]] = {}
    for index, name in enumerate(candles["instrument"]):
        places.setdefault(name, []).append(index)
    for own in places.values():
        for index, label in zip(own, labels_of(script, job, take(columns, own), take(candles, own))):
            made[index] = label
    is_known = [all(math.isfinite(column[index]) for column in columns.values()) for index in range(len(made))]
    keep = [index for index, label in enumerate(made) if label is not None and is_known[index]]
    return take(columns, keep), [made[index] for index in keep], take(candles, keep)


def take(columns: Dict[str, List[Any]], places: List[int]) -> Dict[str, List[Any]]:
    """Some rows of columns."""
    return {name: [column[index] for index in places] for name, column in columns.items()}


def labels_of(script: Any, job: Dict[str, Any], columns: Dict[str, List[float]], candles: Dict[str, List[Any]]) -> List[Optional[float]]:
    """What the script's `labels` makes of one instrument; None where it is no number."""
    count = len(candles["time"])
    try:
        made = list(script.labels(columns, candles))
        numbers = [None if label is None or not math.isfinite(float(label)) else float(label) for label in made]
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        raise TrainError(f"labels raised {describe(error, job['script'])}", "return a list of numbers, None where there is none") from error
    if len(made) != count:
        raise TrainError(f"labels returned {len(made)} labels for {count} rows", "return one for each row, None where there is none")
    return numbers


def run(job: Dict[str, Any]) -> Dict[str, Any]:
    """Trains, writes `model.pkl`, and returns what is to be known of it."""
    try:
        with open(job["script"], "rb") as file:
            source = file.read()
    except OSError as error:
        raise TrainError(f"cannot read the script: {error}", "name the script with script = \"train.py\"") from error
    script = script_module(job["script"], source)
    if not hasattr(script, "train"):
        raise TrainError("the script has no function train", "write def train(features, labels, params) that returns a model")
    features, labels, candles = labelled(script, job)
    if not labels:
        raise TrainError("no row has a label", "take a longer range of data, or a shorter label")
    began = time.monotonic()
    try:
        more = (candles,) if takes_candles(script.train) else ()
        answer = script.train(features, labels, job["params"], *more)
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        raise TrainError(f"train raised {describe(error, job['script'])}", "correct the script") from error
    model, metrics = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, {})
    if model is None:
        raise TrainError("train returned no model", "return the model, or the model and a dict of metrics")
    classes = getattr(model, "classes_", None)
    if classes is not None and len(classes) < 2:
        raise TrainError(f"the model knows the class {classes[0]} alone, so its probability is always 1", "train it on labels of both")
    try:
        metrics = json.loads(json.dumps(metrics))
    except (TypeError, ValueError) as error:
        raise TrainError(f"the metrics are no JSON: {error}", "return numbers, texts, lists and dicts") from error
    try:
        with open(os.path.join(job["out"], "model.pkl"), "wb") as file:
            pickle.dump(model, file)
    except Exception as error:
        raise TrainError(f"the model cannot be pickled: {error}", "return an object of a class at the top of the script") from error
    return {"metrics": metrics, "labels": len(labels), "seconds": round(time.monotonic() - began, 3), "python": sys.version.split()[0]}


def takes_candles(train: Any) -> bool:
    """Whether `train` has a fourth parameter."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in kinds for parameter in inspect.signature(train).parameters.values()) > 3


def leave_with_the_desk() -> None:
    """Ends this process when the one that started it is gone."""
    parent = os.getppid()
    wait = threading.Event()

    def watch() -> None:
        while os.getppid() == parent:
            wait.wait(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Runs the job of the file that is named, and writes its result beside the model."""
    leave_with_the_desk()
    # A desk on the same computer goes first.
    os.nice(10)
    with open(sys.argv[1]) as file:
        job = json.load(file)
    code = 0
    try:
        result = run(job)
    except TrainError as error:
        result, code = {"problem": error.problem, "cure": error.cure}, 1
    except KeyboardInterrupt:
        result, code = {"problem": "it was interrupted", "cure": "run it again"}, 1
    except MemoryError:
        result, code = {"problem": "it needs more memory than there is", "cure": "take fewer rows or features"}, 1
    with open(os.path.join(job["out"], "result.json"), "w") as file:
        json.dump(result, file)
    sys.exit(code)


if __name__ == "__main__":
    main()

"""Trains a model for the desk: reads rows of features, calls `train` of the user's script, and keeps what it returns.

It runs in a process of its own with the job's file as its only argument, and uses the standard library alone.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import json
import math
import os
import pickle
import sys
import threading
import time
import traceback
from typing import Any, Dict, List, Optional, Tuple


class TrainError(Exception):
    """Why there is no model, and what to do about it."""

    def __init__(self, problem: str, cure: str):
        super().__init__(problem)
        self.problem, self.cure = problem, cure


def script_module(path: str) -> Any:
    """The script as a module. Its name follows from its text, so that a model of its classes is found again by the same text."""
    try:
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
    except OSError as error:
        raise TrainError(f"cannot read {path}: {error}", "name the script with script = \"train.py\"") from error
    name = "tradewind_model_" + digest[:16]
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TrainError(f"{path} is no Python file", "name a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        sys.modules.pop(name)
        raise TrainError(describe(error, path), f"install it for {sys.executable}, or name another interpreter with python =") from error
    except BaseException as error:
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


def labelled(script: Any, job: Dict[str, Any]) -> Tuple[Dict[str, List[float]], List[float]]:
    """The features and labels of the rows that have a label."""
    columns, candles, labels = read_rows(job["rows"], job["features"])
    count = len(candles["time"])
    if job["has_label"]:
        return columns, labels
    if not hasattr(script, "labels"):
        raise TrainError(f"{job['script']} has no function labels", 'write def labels(features, candles), or label = "change(close, -12)" in the configuration')
    made = list(script.labels(columns, candles))
    if len(made) != count:
        raise TrainError(f"labels returned {len(made)} labels for {count} rows", "return one for each row, None where there is none")
    keep = [index for index, label in enumerate(made) if label is not None and not math.isnan(float(label))]
    return {name: [column[index] for index in keep] for name, column in columns.items()}, [float(made[index]) for index in keep]


def run(job: Dict[str, Any]) -> Dict[str, Any]:
    """Trains, writes `model.pkl`, and returns what is to be known of it."""
    script = script_module(job["script"])
    if not hasattr(script, "train"):
        raise TrainError(f"{job['script']} has no function train", "write def train(features, labels, params) that returns a model")
    features, labels = labelled(script, job)
    if not labels:
        raise TrainError("no row has a label", "take a longer range of data, or a shorter label")
    began = time.monotonic()
    try:
        answer = script.train(features, labels, job["params"])
    except Exception as error:
        traceback.print_exc()
        raise TrainError(f"train raised {describe(error, job['script'])}", "correct the script") from error
    model, metrics = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, {})
    if model is None:
        raise TrainError("train returned no model", "return the model, or the model and a dict of metrics")
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
    with open(sys.argv[1]) as file:
        job = json.load(file)
    code = 0
    try:
        result = run(job)
    except TrainError as error:
        result, code = {"problem": error.problem, "cure": error.cure}, 1
    except MemoryError:
        result, code = {"problem": "it needs more memory than there is", "cure": "take fewer rows or features"}, 1
    with open(os.path.join(job["out"], "result.json"), "w") as file:
        json.dump(result, file)
    sys.exit(code)


if __name__ == "__main__":
    main()

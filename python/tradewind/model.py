"""A trained model in this process: it answers a row of features with a prediction."""

from __future__ import annotations

import hashlib
import os
import pickle
import struct
import sys
from typing import Any, Dict

from .loading import LoadError, describe
from .training import TrainError, script_module


def read(path: str) -> bytes:
    """The content of a file."""
    with open(path, "rb") as file:
        return file.read()


def version_hash(script: bytes, model: bytes) -> str:
    """The hash of a version: of the hexadecimal digits of its script's SHA-256 and of its model's."""
    digits = hashlib.sha256(script).hexdigest() + hashlib.sha256(model).hexdigest()
    return hashlib.sha256(digits.encode()).hexdigest()


class Model:
    """A version of a model, in its folder."""

    def __init__(self, folder: str, names: Any, wanted: str = ""):
        script, model = os.path.join(folder, "train.py"), os.path.join(folder, "model.pkl")
        self.path = script
        try:
            source, content = read(script), read(model)
        except OSError as error:
            raise LoadError(f"cannot read the model: {error}", "train it again: tradewind train") from error
        self.hash = version_hash(source, content)
        # Before anything of it runs: a pickle may do whatever it likes.
        if wanted and wanted != self.hash:
            raise LoadError(f"{script} or {model} has changed since it was trained", "train a version of its own, and start the desk again")
        try:
            self.script = script_module(script, source)
        except TrainError as error:
            raise LoadError(error.problem, error.cure) from error
        try:
            self.model = pickle.loads(content)
        except Exception as error:
            raise LoadError(f"cannot load {model}: {describe(error, script)}", "train it again: tradewind train") from error
        self.names = list(names)

    def declared(self) -> Dict[str, Any]:
        """What the desk has to know of it."""
        return {
            "class": "model",
            "timeframes": [],
            "warm_up": 0,
            "every": None,
            "callbacks": [],
            "params": {},
            "problems": [],
            "hash": self.hash,
            "python": sys.version.split()[0],
        }

    def predict(self, body: bytes) -> bytes:
        """The prediction of a row: that of the script's `predict`, else the model's probability of its last class, else its value."""
        (count,) = struct.unpack_from("<I", body)
        row = list(struct.unpack_from(f"<{count}d", body, 4))
        if hasattr(self.script, "predict"):
            value = self.script.predict(self.model, dict(zip(self.names, row)))
        elif hasattr(self.model, "predict_proba"):
            shares = self.model.predict_proba([row])[0]
            if len(shares) < 2:
                raise ValueError("the model knows one class alone, so its probability is always 1; train it on labels of both")
            value = shares[-1]
        else:
            value = self.model.predict([row])[0]
        return struct.pack("<d", float("nan") if value is None else float(value))

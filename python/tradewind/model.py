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


class Model:
    """A version of a model, in its folder."""

    def __init__(self, folder: str, names: Any):
        script, model = os.path.join(folder, "train.py"), os.path.join(folder, "model.pkl")
        self.path = script
        try:
            self.script = script_module(script)
        except TrainError as error:
            raise LoadError(error.problem, error.cure) from error
        try:
            with open(model, "rb") as file:
                content = file.read()
            self.model = pickle.loads(content)
        except Exception as error:
            raise LoadError(f"cannot load {model}: {describe(error, script)}", "train it again: tradewind train") from error
        self.hash = hashlib.sha256(content).hexdigest()
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
            value = self.model.predict_proba([row])[0][-1]
        else:
            value = self.model.predict([row])[0]
        return struct.pack("<d", float("nan") if value is None else float(value))

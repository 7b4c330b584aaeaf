"""Dimensions of a search, which strategy files name in a nested class `HyperOpt`. Nothing is searched here."""

from __future__ import annotations

from typing import Any


class Dimension:
    """One of them, as it was written."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.args, self.options = args, options


class Categorical(Dimension):
    """Some values."""


class Integer(Dimension):
    """Whole numbers."""


class Real(Dimension):
    """Numbers."""


class SKDecimal(Dimension):
    """Numbers with some decimals."""

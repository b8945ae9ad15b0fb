"""What evaluation, recommendation and the registry see of a model: histories in, scores out.

Each module of `sequoia.models` is a model: its settings, how it is fitted where that is not the training
loop, and how it scores. It names its class MODEL; its values stand in conf/models/<module>.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from sequoia.settings import Settings

if TYPE_CHECKING:
    import scipy.sparse as sp


class Model(Protocol):
    """A fitted model of any kind.

    fitted_on: the table whose rows it learns from, `training` or `cooccurrences` (counted pairs).
    max_length: how many of the newest events of a history it looks at.
    """

    settings_type: ClassVar[type[Settings]]
    fitted_on: ClassVar[str]
    max_length: int

    @property
    def num_rows(self) -> int:
        """Return the number of vocabulary rows, padding (0) and unknown (1) included."""
        ...

    def scores(self, histories_BL: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score all items for a batch of histories.

        histories_BL: (B, L) int64 vocabulary rows, oldest first, padded with 0 on the left; row 1 is an
        unknown item. Returns (B, num_rows) float32; rows 0 and 1 are -inf.
        """
        ...

    def save(self, folder: Path, *, extra: dict[str, Any]) -> None:
        """Write model.json (with `extra` plain values) and weights.safetensors beside the item index."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load a folder written by `save`."""
        ...


@dataclass(frozen=True, kw_only=True)
class FitData:
    """What a model that fits itself gets; it has `fit(data, settings)`, which returns it and its metrics.

    events_V: training events of each row. histories, targets: rows of the validation users. pairs: of each
    distance the (V, V) number of ordered training pairs.
    """

    events_V: NDArray[np.int64]
    histories: list[NDArray[np.int64]]
    targets: NDArray[np.int64]
    pairs: Mapping[int, sp.csr_array]


def pad_left(histories: list[NDArray[np.int64]], length: int) -> NDArray[np.int64]:
    """Stack the last `length` events of each history into (B, length) int64, padded with 0 on the left."""
    padded = np.zeros((len(histories), length), dtype=np.int64)
    for row, history in enumerate(histories):
        tail = history[-length:]
        padded[row, length - len(tail) :] = tail
    return padded

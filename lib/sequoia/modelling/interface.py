"""What evaluation, recommendation and the registry see of a model: histories in, preferences out.

Each module of `sequoia.models` is a model: its settings, how it is fitted where that is not the training
loop, and what it prefers. It names its class MODEL; its values stand in conf/models/<module>.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from sequoia.modelling.histories import Histories
from sequoia.modelling.item_index import ItemIndex
from sequoia.modelling.preferences import Preferences
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
    def event_columns(self) -> list[str]:
        """Return which columns of histories it looks at beside the items."""
        ...

    @property
    def num_rows(self) -> int:
        """Return the number of vocabulary rows, padding (0) and unknown (1) included."""
        ...

    def preferences(self, histories: Histories) -> Preferences:
        """Return what it makes of histories of known items, none of them empty, the newest max_length."""
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

    index: its items. histories, targets: of the validation users, in rows of the index. pairs: of each
    distance the (V, V) number of ordered training pairs. hide_seen: whether validation hides what a user has
    had.
    """

    index: ItemIndex
    histories: Histories
    targets: NDArray[np.int64]
    pairs: Mapping[int, sp.csr_array]
    hide_seen: bool = True

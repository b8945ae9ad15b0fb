"""One vector per item, shared by input and output: all that a model and a loss ask of the items."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sequoia.errors import UserError
from sequoia.modelling.histories import FIRST_ITEM_ROW, PADDING_ROW
from sequoia.neural.features import INITIAL_DEVIATION, ItemFeatures


class ItemTable(nn.Module):
    """Vectors of vocabulary rows; row 0 (padding) is zero, rows 0 and 1 (unknown) are never recommended.

    sparse: whether the gradient of `rows` has only the rows that were asked for; `all_rows` has none then.
    features: vectors that are added to the items' own, where there are any.
    """

    features: ItemFeatures | None

    def __init__(self, num_rows: int, width: int) -> None:
        """Make num_rows = number of items + 2 vectors."""
        super().__init__()
        if num_rows <= FIRST_ITEM_ROW:
            raise UserError(f"num_rows {num_rows} leaves no item: it must be the number of items + 2")
        self.sparse, self.features = False, None
        self._fixed: tuple[tuple[int, ...], Tensor] | None = None
        self.weight = nn.Parameter(torch.empty(num_rows, width))
        nn.init.normal_(self.weight, std=INITIAL_DEVIATION)
        with torch.no_grad():
            self.weight[PADDING_ROW].zero_()

    def fixed_rows(self) -> Tensor:
        """Return all vectors (V, D) without gradient; made once as long as nothing is learned."""
        if self.features is None:
            return self.weight.detach()
        version = tuple(parameter._version for parameter in self.parameters())
        if self._fixed is None or self._fixed[0] != version:
            self._fixed = version, self.all_rows().detach()
        return self._fixed[1]

    @property
    def num_rows(self) -> int:
        """Return the number of rows."""
        return len(self.weight)

    @property
    def width(self) -> int:
        """Return the length of a vector."""
        return self.weight.shape[1]

    @property
    def device(self) -> torch.device:
        """Return where the vectors are."""
        return self.weight.device

    def rows(self, ids: Tensor) -> Tensor:
        """Return the vectors (..., D) of int64 rows."""
        own: Tensor = F.embedding(ids, self.weight, padding_idx=PADDING_ROW, sparse=self.sparse)
        if self.features is not None:
            own = own + self.features(ids)
        return own

    def all_rows(self) -> Tensor:
        """Return all vectors (V, D)."""
        if self.features is None:
            return self.weight
        added: Tensor = self.features(torch.arange(self.num_rows, device=self.device))
        return self.weight + added

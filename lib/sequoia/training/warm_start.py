"""Begin a training where an earlier model ended, on a vocabulary that may have grown: by item id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from sequoia.distributed.collective import Collective
from sequoia.distributed.values import from_main
from sequoia.errors import UserError
from sequoia.local_files import local_copy
from sequoia.modelling.folder import WEIGHTS, read_about
from sequoia.modelling.histories import FIRST_ITEM_ROW, UNKNOWN_ROW
from sequoia.modelling.item_index import ItemIndex
from sequoia.neural.model import NeuralModel
from sequoia.storage import Location

TABLE = "table.weight"
KINDS = "table.features.tables."


def start_warm(model: NeuralModel, kind: str, earlier: Location, own: ItemIndex, group: Collective) -> str:
    """Give rank 0's model the weights of an earlier one; return what was taken, in words.

    earlier: a model folder; own: the items of the training itself. The vector of an item
    goes with its raw id; an item that the earlier model does not know keeps its random one. The optimizer
    begins anew. Raises UserError on every rank when the earlier model does not fit.
    """
    told = {}
    if group.is_main:
        try:
            told["taken"] = _take(model, kind, local_copy(earlier), own)
        except UserError as error:
            told["refused"] = str(error)
    told = from_main(told, group)
    if "refused" in told:
        raise UserError(told["refused"])
    return str(told["taken"])


def _take(model: NeuralModel, kind: str, earlier: Path, now: ItemIndex) -> str:
    found = read_about(earlier)["kind"]
    if found != kind:
        raise _unfit(earlier, f"it is a {found}, this one is a {kind}")
    weights = load_file(earlier / WEIGHTS)
    for name, tensor in model.state_dict().items():
        shapes = [_shape(name, weights.get(name)), _shape(name, tensor)]
        if shapes[0] != shapes[1]:
            raise _unfit(earlier, f"its {name} is {shapes[0]}, this one's is {shapes[1]}")
    before = ItemIndex.read(earlier)
    rows = before.rows_of(now.items)
    known = (rows >= FIRST_ITEM_ROW).nonzero()[0]
    taken = dict(weights)
    taken[TABLE] = model.table.weight.detach().clone()
    taken[TABLE][UNKNOWN_ROW] = weights[TABLE][UNKNOWN_ROW]
    to, of = torch.from_numpy(known) + FIRST_ITEM_ROW, torch.from_numpy(rows[known])
    taken[TABLE][to] = weights[TABLE][of].to(taken[TABLE].device)
    for name, tensor in model.state_dict().items():
        if name.startswith(KINDS):
            column = name.removeprefix(KINDS).partition(".")[0]
            old = before.column(column)[rows[known] - FIRST_ITEM_ROW]
            taken[name] = _same_kinds(tensor, weights[name], old, now.column(column)[known])
    model.load_state_dict(taken)
    return f"{len(known):,} items from {earlier.name}, {len(rows) - len(known):,} new ones at random"


def _same_kinds(own: Tensor, earlier: Tensor, old: NDArray[Any], new: NDArray[Any]) -> Tensor:
    """Return a table of kinds with the earlier vectors; a kind is the one that most of its items had.

    old, new: the kind of each item that both know. The numbers of kinds may be another workspace's.
    """
    pairs, counts = np.unique(np.stack([new, old]), axis=1, return_counts=True)
    ascending = pairs[:, np.argsort(counts, kind="stable")]  # of several the last assignment stays
    most = dict(zip(*ascending.tolist(), strict=True))
    taken = own.detach().clone()
    taken[list(most)] = earlier[list(most.values())].to(taken.device)
    return taken


def _shape(name: str, tensor: Tensor | None) -> str:
    """Return a shape in words; of tables only their width counts."""
    if tensor is None:
        return "missing"
    is_table = name == TABLE or name.startswith(KINDS)
    return " x ".join(str(size) for size in (tensor.shape[1:] if is_table else tensor.shape))


def _unfit(earlier: Path, why: str) -> UserError:
    return UserError(
        f"training.warm_start: {earlier} does not fit: {why}; train with its settings, or set "
        "training.warm_start=null"
    )

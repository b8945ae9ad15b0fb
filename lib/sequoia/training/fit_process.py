"""Fit a model that fits itself, from counted pairs: `python -m sequoia.training.fit_process SPEC`."""

from __future__ import annotations

import sys
import time

import numpy as np
import pyarrow.parquet as pq
import scipy.sparse as sp

from sequoia.local_files import local_copy
from sequoia.modelling.interface import FitData
from sequoia.modelling.item_index import ItemIndex
from sequoia.modelling.registry import find_model
from sequoia.storage import locate
from sequoia.tables.snapshot_file import Snapshot
from sequoia.training.spec import TrainingSpec
from sequoia.training.validation_users import read_validation


def fit(spec: TrainingSpec) -> None:
    """Fit on the spec's data and write the model folder."""
    started = time.perf_counter()
    inputs = local_copy(spec.inputs)
    index = ItemIndex.read(inputs)
    users = read_validation(inputs, index)
    data = FitData(
        index=index,
        histories=users.histories,
        targets=users.targets,
        pairs=read_pairs(spec.snapshot, index.num_rows),
        hide_seen=spec.hide_seen,
    )
    model, valid = find_model(spec.kind).fit(data, spec.model)  # type: ignore[attr-defined]
    seconds = time.perf_counter() - started
    note = {"epoch": 0, "loss": 0.0, "valid": valid, "seconds": seconds, "targets": 0}
    spec.save(model, history=[note], best_epoch=0)
    values = ", ".join(f"{name} {value:.4f}" for name, value in valid.items())
    print(f"    {spec.kind}: valid {values} with {model.parameters}, {seconds:.1f} s", flush=True)


def read_pairs(snapshot: Snapshot, num_rows: int) -> dict[int, sp.csr_array]:
    """Read the cooccurrences table's files into one (V, V) matrix per distance."""
    tables = [pq.read_table(local_copy(locate(file.path))) for file in snapshot.files]
    if not tables:
        return {}
    item, following, distance, pairs = (
        np.concatenate([table[name].to_numpy() for table in tables])
        for name in ("item", "next_item", "distance", "pairs")
    )
    shape = (num_rows, num_rows)
    return {
        int(steps): sp.csr_array(
            (
                pairs[distance == steps].astype(np.float64),
                (item[distance == steps], following[distance == steps]),
            ),
            shape=shape,
        )
        for steps in np.unique(distance)
    }


if __name__ == "__main__":
    fit(TrainingSpec.read(locate(sys.argv[1])))

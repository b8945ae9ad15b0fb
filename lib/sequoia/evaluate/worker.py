"""What a Spark worker does with a batch of held-out users: score, rank, and hand the ranks back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sequoia.errors import UserError
from sequoia.evaluate.metrics import LAST_CUTOFF
from sequoia.evaluate.ranking import FIRST_ITEM_ROW, rank_among, rank_targets
from sequoia.evaluate.vocabulary import Translation, Vocabulary, open_vocabulary, translate
from sequoia.recommend.lists import cut, kept_lists
from sequoia.recommend.served_model import ServedModel, open_served_model

SAMPLERS = ("uniform", "popularity")
RANKED = pa.schema(
    [
        ("model", pa.string()),
        ("split", pa.string()),
        ("user_id", pa.int64()),
        ("target", pa.int32()),
        ("rank", pa.int64()),
        ("uniform_rank", pa.int64()),
        ("popularity_rank", pa.int64()),
        ("recommended", pa.list_(pa.int32())),
    ]
)
RANKED_SPARK = (
    "model STRING, split STRING, user_id BIGINT, target INT, rank BIGINT, uniform_rank BIGINT, "
    "popularity_rank BIGINT, recommended ARRAY<INT>"
)
Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Users:
    """A batch of held-out users in vocabulary rows."""

    batch: pa.RecordBatch
    histories: list[Rows]
    targets: Rows
    candidates: dict[str, list[Rows]]


def ranking_function(
    folders: Mapping[str, Path], vocabulary_files: tuple[str, ...]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return the mapInArrow function: held-out users in, one row per user and model out (RANKED_SPARK)."""

    def rank(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        vocabulary = open_vocabulary(vocabulary_files)
        for batch in batches:
            users = read_users(batch, vocabulary)
            for name, folder in folders.items():
                yield rank_users(name, open_served_model(folder), vocabulary, users)

    return rank


def read_users(batch: pa.RecordBatch, vocabulary: Vocabulary) -> Users:
    """Translate item ids to vocabulary rows.

    Raises UserError when the candidates were drawn for other targets than the split has now.
    """
    history = batch["history"]
    targets = vocabulary.rows_of(batch["target"].to_numpy())
    candidates = {}
    for sampler in SAMPLERS:
        expected = pc.fill_null(batch[f"{sampler}_target"], pa.scalar(-1, pa.int32())).to_numpy(
            zero_copy_only=False
        )
        if ((expected >= 0) & (expected != targets)).any():
            raise UserError(
                "the stored negatives belong to another split or vocabulary: run `sequoia negatives` again"
            )
        drawn = batch[sampler]
        candidates[sampler] = cut(drawn.flatten().to_numpy(zero_copy_only=False).astype(np.int64), drawn)
    histories = cut(vocabulary.rows_of(history.flatten().to_numpy()), history)
    return Users(batch=batch, histories=histories, targets=targets, candidates=candidates)


def rank_users(name: str, model: ServedModel, vocabulary: Vocabulary, users: Users) -> pa.RecordBatch:
    """Rank the targets of a batch with one model."""
    translation = translate(vocabulary, model)
    num_users = len(users.targets)
    ranks = {kind: np.zeros(num_users, dtype=np.int64) for kind in ("full", *SAMPLERS)}
    top_BK = np.zeros((num_users, LAST_CUTOFF), dtype=np.int64)
    for part in model.batches(users.histories):
        histories = [translation.to_model(users.histories[user]) for user in part]
        targets = translation.to_model(users.targets[part])
        scores_BV, _ = model.scores(histories)
        ranks["full"][part], top_BK[part] = rank_targets(scores_BV, targets, histories, LAST_CUTOFF)
        for sampler in SAMPLERS:
            drawn = [translation.to_model(users.candidates[sampler][user]) for user in part]
            ranks[sampler][part] = rank_among(scores_BV, targets, drawn)
    return _rows(name, users, ranks, _recommended(top_BK, translation))


def _recommended(top_BK: Rows, translation: Translation) -> pa.ListArray:
    rows_BK = translation.to_vocabulary(top_BK)
    kept_BK = rows_BK >= FIRST_ITEM_ROW
    return kept_lists(pa.array(rows_BK[kept_BK], pa.int32()), kept_BK)


def _rows(name: str, users: Users, ranks: dict[str, Rows], recommended: pa.ListArray) -> pa.RecordBatch:
    batch = users.batch
    sampled = [
        pc.if_else(pc.is_null(batch[sampler]), pa.scalar(None, pa.int64()), pa.array(ranks[sampler]))
        for sampler in SAMPLERS
    ]
    columns = [
        pa.array([name] * batch.num_rows, pa.string()),
        batch["split"],
        batch["user_id"],
        pa.array(users.targets, pa.int32()),
        pa.array(ranks["full"]),
        *sampled,
        recommended,
    ]
    return pa.RecordBatch.from_arrays(columns, schema=RANKED)

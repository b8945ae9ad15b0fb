"""From Arrow batches of sequences to rows of the negatives table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from sequoia.index.stable_ids import FIRST_ID
from sequoia.negatives.candidates import Histories, Sampler, draw_candidates
from sequoia.sequences.vocabulary_arrays import load_vocabulary

# What a stream of draws is for: (split, sampler). The place in this list is part of the hash.
PURPOSES = (("valid", "uniform"), ("valid", "popularity"), ("test", "uniform"), ("test", "popularity"))

SCHEMA = pa.schema(
    [
        ("user_id", pa.int64()),
        ("split", pa.string()),
        ("sampler", pa.string()),
        ("seed", pa.int64()),
        ("target", pa.int32()),
        ("candidates", pa.list_(pa.int32())),
    ]
)
SPARK_SCHEMA = "user_id BIGINT, split STRING, sampler STRING, seed BIGINT, target INT, candidates ARRAY<INT>"


@dataclass(frozen=True, kw_only=True)
class DrawSettings:
    """What the candidates depend on besides the histories; `files` are the vocabulary's."""

    files: tuple[str, ...]
    candidates: int
    alpha: float
    seed: int


def arrow_candidates(
    settings: DrawSettings,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return a mapInArrow function from (user_id, items, valid_place, test_place) to candidate sets.

    A place is the position of the held-out event in items, from 0; null where the user has none.
    """

    def candidates_of(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for purpose in range(len(PURPOSES)):
                yield candidate_rows(batch, settings, purpose)

    return candidates_of


def candidate_rows(batch: pa.RecordBatch, settings: DrawSettings, purpose: int) -> pa.RecordBatch:
    """Draw for the users of one batch that have a held-out event in the split."""
    split, sampler_name = PURPOSES[purpose]
    held = batch.filter(batch[f"{split}_place"].is_valid())
    items = held["items"]
    offsets = items.offsets.to_numpy().astype(np.int64) - (items.offsets[0].as_py() if len(items) else 0)
    rows = load_vocabulary(settings.files).rows(items.flatten().to_numpy())
    users = held["user_id"].to_numpy()
    histories = Histories(users=users, items=rows - FIRST_ID, offsets=offsets)
    found, bounds = draw_candidates(
        histories,
        load_sampler(settings.files, settings.alpha if sampler_name == "popularity" else 0.0),
        count=settings.candidates,
        seed=settings.seed,
        purpose=purpose,
    )
    targets = rows[offsets[:-1] + held[f"{split}_place"].to_numpy()]
    size = len(users)
    columns = [
        held["user_id"],
        pa.array([split] * size, pa.string()),
        pa.array([sampler_name] * size, pa.string()),
        pa.array([settings.seed] * size, pa.int64()),
        pa.array(targets, pa.int32()),
        pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), pa.array(found + FIRST_ID, pa.int32())),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


@lru_cache(maxsize=2)
def load_sampler(files: tuple[str, ...], alpha: float) -> Sampler:
    """Build the sampler of a vocabulary once per process."""
    return Sampler.from_counts(load_vocabulary(files).events, alpha)

"""What a task does with a share of the held-out users: score, rank, and write the ranks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from safetensors import SafetensorError

from sequoia.buckets.shuffle import Report
from sequoia.errors import UserError
from sequoia.evaluate.leaks import Leaks
from sequoia.evaluate.metrics import LAST_CUTOFF
from sequoia.evaluate.ranking import FIRST_ITEM_ROW, miss_rank, rank_among, rank_targets, score_problems
from sequoia.evaluate.users import SAMPLERS, Share, read_batches
from sequoia.evaluate.vocabulary import Vocabulary, open_vocabulary, translate
from sequoia.local_files import local_copy
from sequoia.negatives.draw import PURPOSES, Drawing, draw_sets
from sequoia.recommend.lists import cut, kept_lists
from sequoia.recommend.served_model import ServedModel, open_served_model
from sequoia.storage import Location
from sequoia.tables.parts import Target, write_groups

SHOWN = 10
# What a damaged or foreign model folder raises. A file system that fails is none of it: the task is retried.
UNREADABLE = (UserError, AssertionError, ValueError, KeyError, RuntimeError, SafetensorError)
Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Users:
    """A batch of held-out users in vocabulary rows."""

    batch: pa.RecordBatch
    histories: list[Rows]
    targets: Rows
    candidates: dict[str, list[Rows]]


@dataclass(kw_only=True)
class Ranked:
    """What a model makes of a batch: ranks by kind, top items (vocabulary rows), what is wrong with it."""

    ranks: dict[str, Rows]
    top_BK: Rows
    problems: list[str | None]


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """What ranking takes besides the users.

    folders: of the models, by name. own_index: those that must have been trained on this very vocabulary, the
    drawing's. drawing: of the candidates. leaks: of each model, the targets it was trained on.
    """

    folders: dict[str, Location]
    own_index: frozenset[str]
    drawing: Drawing
    leaks: dict[str, Leaks]


def write_ranks(share: Share, ranking: Ranking, target: Target) -> list[Report]:
    """Rank the targets of a share's users with every model; return the files for the table `ranks`."""
    found: dict[tuple[str, str], list[pa.Table]] = {}
    vocabulary = open_vocabulary(ranking.drawing.files)
    for batch in read_batches(share):
        users, split = read_users(batch, vocabulary, ranking.drawing), batch["split"][0].as_py()
        for name, folder in ranking.folders.items():
            ranked = rank_with(local_copy(folder), vocabulary, users, own_index=name in ranking.own_index)
            marks = ranking.leaks[name].column(split, batch["user_id"].to_numpy())
            rows = rank_rows(users, ranked, vocabulary).append_column("leaked", marks)
            found.setdefault((name, split), []).append(rows)
    return [
        write_groups(tables, target, partition={"model": name, "split": split}).to_json()
        for (name, split), tables in found.items()
    ]


def rank_with(folder: Path, vocabulary: Vocabulary, users: Users, *, own_index: bool) -> Ranked:
    """Rank with the model of a folder; one that is not sound misses every target and says why."""
    try:
        model = open_served_model(folder)
    except UNREADABLE as error:
        return _missed(users, " ".join(str(error).split()) or type(error).__name__)
    if own_index and not translate(vocabulary, model).is_identity:
        return _missed(users, "index")
    return rank_users(model, vocabulary, users)


def _missed(users: Users, problem: str) -> Ranked:
    num_users = len(users.targets)
    ranks = {kind: np.full(num_users, miss_rank(0)) for kind in ("full", *SAMPLERS)}
    nothing = np.zeros((num_users, LAST_CUTOFF), dtype=np.int64)
    return Ranked(ranks=ranks, top_BK=nothing, problems=[problem] * num_users)


def read_users(batch: pa.RecordBatch, vocabulary: Vocabulary, drawing: Drawing) -> Users:
    """Translate item ids to vocabulary rows, and draw the candidates that are not stored.

    Raises UserError when the stored ones are not what would be drawn: of other targets or another seed.
    """
    items = cut(vocabulary.rows_of(batch["items"].flatten().to_numpy()), batch["items"])
    positions = batch["position"].to_numpy()
    targets = np.array([rows[at] for rows, at in zip(items, positions, strict=True)], dtype=np.int64)
    candidates = {}
    for sampler in SAMPLERS:
        for name, now in (("target", targets), ("seed", drawing.seed)):
            then = batch[f"{sampler}_{name}"]
            if (then.fill_null(-1).to_numpy() != np.where(then.is_null(), -1, now)).any():
                raise UserError(
                    f"the stored negatives are of another split, vocabulary or seed ({name} differs): "
                    "run `sequoia negatives` again"
                )
        stored = batch[sampler]
        found = cut(stored.flatten().to_numpy(zero_copy_only=False).astype(np.int64), stored)
        candidates[sampler] = _completed(found, stored, sampler, batch, items, drawing)
    histories = [rows[:at] for rows, at in zip(items, positions, strict=True)]
    return Users(batch=batch, histories=histories, targets=targets, candidates=candidates)


def _completed(
    found: list[Rows],
    stored: pa.ListArray,
    sampler: str,
    batch: pa.RecordBatch,
    items: list[Rows],
    drawing: Drawing,
) -> list[Rows]:
    """Draw the candidates of the users of whom none are stored."""
    splits, user_ids = batch["split"].to_pylist(), batch["user_id"].to_numpy()
    missing = np.flatnonzero(stored.is_null())
    for purpose, (split, of) in enumerate(PURPOSES):
        users = [user for user in missing.tolist() if of == sampler and splits[user] == split]
        if users:
            offsets = np.cumsum([0, *(len(items[user]) for user in users)])
            flat = np.concatenate([items[user] for user in users])
            rows, bounds = draw_sets(drawing, purpose, user_ids[users], flat, offsets)
            for place, user in enumerate(users):
                found[user] = rows[bounds[place] : bounds[place + 1]]
    return found


def rank_users(model: ServedModel, vocabulary: Vocabulary, users: Users) -> Ranked:
    """Rank the targets of a batch with one model; a user whose scores are NaN is a miss."""
    translation = translate(vocabulary, model)
    num_users = len(users.targets)
    ranks = {kind: np.zeros(num_users, dtype=np.int64) for kind in ("full", *SAMPLERS)}
    top_BK = np.zeros((num_users, LAST_CUTOFF), dtype=np.int64)
    problems: list[str | None] = [None] * num_users
    for part in model.batches(users.histories):
        histories = [translation.to_model(users.histories[user]) for user in part]
        targets = translation.to_model(users.targets[part])
        scores_BV, _ = model.scores(histories)
        found = score_problems(scores_BV)
        for user, problem in zip(part, found, strict=True):
            problems[user] = problem
        scores_BV[[problem == "nan" for problem in found]] = -np.inf
        ranks["full"][part], top_BK[part] = rank_targets(scores_BV, targets, histories, LAST_CUTOFF)
        for sampler in SAMPLERS:
            drawn = [translation.to_model(users.candidates[sampler][user]) for user in part]
            ranks[sampler][part] = rank_among(scores_BV, targets, drawn)
    return Ranked(ranks=ranks, top_BK=translation.to_vocabulary(top_BK), problems=problems)


def rank_rows(users: Users, ranked: Ranked, vocabulary: Vocabulary) -> pa.Table:
    """Return a batch's rows of `ranks`, without what all of a file share and `leaked`."""
    kept_BK = ranked.top_BK >= FIRST_ITEM_ROW
    columns = {
        "user_id": users.batch["user_id"],
        "target": pa.array(users.targets, pa.int32()),
        "rank": pa.array(ranked.ranks["full"]),
        **{f"{sampler}_rank": pa.array(ranked.ranks[sampler]) for sampler in SAMPLERS},
        "recommended": kept_lists(pa.array(ranked.top_BK[kept_BK], pa.int32()), kept_BK),
        "history_events": pa.array([len(history) for history in users.histories], pa.int32()),
        "target_events": pa.array(vocabulary.events_V[users.targets]),
        "shown_popularity": _shown_popularity(ranked.top_BK[:, :SHOWN], kept_BK[:, :SHOWN], vocabulary),
        "problem": pa.array(ranked.problems, pa.string()),
    }
    return pa.table(columns)


def _shown_popularity(top_BK: Rows, kept_BK: NDArray[np.bool_], vocabulary: Vocabulary) -> pa.Array:
    shown_B = kept_BK.sum(axis=1)
    summed_B = (vocabulary.popularity_V[top_BK] * kept_BK).sum(axis=1)
    return pa.array(summed_B / np.maximum(shown_B, 1), mask=shown_B == 0)

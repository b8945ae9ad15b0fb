"""What a task does with a share of the held-out users: score, rank, and write the ranks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from safetensors import SafetensorError

from sequoia.buckets.shuffle import Report
from sequoia.errors import UserError
from sequoia.evaluate.leaks import Leaks
from sequoia.evaluate.metrics import LAST_CUTOFF
from sequoia.evaluate.protocol import RankingProtocol
from sequoia.evaluate.ranking import full_ranks, miss_rank, sampled_ranks, score_problems
from sequoia.evaluate.users import SAMPLERS, Share, read_batches
from sequoia.local_files import local_copy
from sequoia.modelling.histories import EVENT_FEATURES, FIRST_ITEM_ROW, PADDING_ROW, Histories, Rows
from sequoia.modelling.item_index import ItemIndex, translate
from sequoia.modelling.recommender import Recommender, open_recommender
from sequoia.negatives.draw import PURPOSES, Drawing, draw_sets
from sequoia.recommend.device import device_of_task
from sequoia.recommend.lists import kept_lists
from sequoia.sequences.read_vocabulary import read_vocabulary
from sequoia.settings import Device
from sequoia.storage import Location
from sequoia.tables.parts import Target, write_groups

SHOWN = 10
# What a damaged or foreign model folder raises. A file system that fails is none of it: the task is retried.
UNREADABLE = (UserError, AssertionError, ValueError, KeyError, RuntimeError, SafetensorError)


@dataclass(frozen=True, kw_only=True)
class Users:
    """A batch of held-out users in vocabulary rows; candidates: (B, C) of each sampler, 0 where fewer."""

    batch: pa.RecordBatch
    histories: Histories
    targets: Rows
    candidates: dict[str, Rows]


@dataclass(kw_only=True)
class Outcome:
    """What a model makes of a batch: ranks by kind, top items (vocabulary rows), what is wrong with it."""

    ranks: dict[str, Rows]
    top_BK: Rows
    problems: list[str | None]


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """What ranking takes besides the users.

    folders: of the models, by name. own_index: those that must have been trained on this very vocabulary, the
    drawing's. drawing: of the candidates. leaks: of each model, the targets it was trained on. columns: what
    a model looks at of histories beside the items.
    """

    folders: dict[str, Location]
    own_index: frozenset[str]
    drawing: Drawing
    leaks: dict[str, Leaks]
    protocol: RankingProtocol
    device: Device = "cpu"
    columns: tuple[str, ...] = ()


def write_ranks(share: Share, ranking: Ranking, target: Target) -> list[Report]:
    """Rank the targets of a share's users with every model; return the files for the table `ranks`."""
    found: dict[tuple[str, str], list[pa.Table]] = {}
    vocabulary, device = read_vocabulary(ranking.drawing.files), device_of_task(ranking.device)
    for batch in read_batches(share, ranking.columns):
        users, split = read_users(batch, vocabulary, ranking.drawing), batch["split"][0].as_py()
        for name in ranking.folders:
            outcome = rank_with(name, ranking, vocabulary, users, device)
            marks = ranking.leaks[name].column(split, batch["user_id"].to_numpy())
            rows = rank_rows(users, outcome, vocabulary).append_column("leaked", marks)
            found.setdefault((name, split), []).append(rows)
    return [
        write_groups(tables, target, partition={"model": name, "split": split}).to_json()
        for (name, split), tables in found.items()
    ]


def rank_with(
    name: str, ranking: Ranking, vocabulary: ItemIndex, users: Users, device: str = "cpu"
) -> Outcome:
    """Rank with a model; one that is not sound misses every target and says why."""
    try:
        folder = local_copy(ranking.folders[name])
        open_recommender(folder)
    except UNREADABLE as error:
        return _missed(users, " ".join(str(error).split()) or type(error).__name__)
    recommender = open_recommender(folder, device)  # a GPU that fails says nothing of the model
    if name in ranking.own_index and not translate(vocabulary, recommender.index).is_identity:
        return _missed(users, "index")
    return rank_users(recommender, vocabulary, users, ranking.protocol)


def _missed(users: Users, problem: str) -> Outcome:
    num_users = len(users.targets)
    ranks = {kind: np.full(num_users, miss_rank(0)) for kind in ("full", *SAMPLERS)}
    nothing = np.zeros((num_users, LAST_CUTOFF), dtype=np.int64)
    return Outcome(ranks=ranks, top_BK=nothing, problems=[problem] * num_users)


def read_users(batch: pa.RecordBatch, vocabulary: ItemIndex, drawing: Drawing) -> Users:
    """Translate item ids to vocabulary rows, and draw the candidates that are not stored.

    Raises UserError when the stored ones are not what would be drawn: of other targets or another seed.
    """
    items = batch["items"]
    lengths_B = pc.list_value_length(items).to_numpy().astype(np.int64)
    taken = Histories(
        items_T=vocabulary.rows_of_ids(items.flatten().to_numpy()),
        bounds_B1=np.concatenate([[0], np.cumsum(lengths_B)]),
        features={
            name: batch[name].flatten().to_numpy() for name in EVENT_FEATURES if name in batch.schema.names
        },
    )
    places_B = batch["place"].to_numpy()
    targets = taken.items_T[taken.bounds_B1[:-1] + places_B]
    for sampler in SAMPLERS:
        _check_stored(batch, sampler, targets, drawing)
    return Users(
        batch=batch,
        histories=taken.where(taken.back >= (lengths_B - places_B)[taken.users]),
        targets=targets,
        candidates={sampler: _candidates(batch, sampler, taken, drawing) for sampler in SAMPLERS},
    )


def _check_stored(batch: pa.RecordBatch, sampler: str, targets: Rows, drawing: Drawing) -> None:
    firsts = pc.equal(batch["number"], 1)  # candidates are of all targets of a user, stored with the first
    batch, targets = batch.filter(firsts), targets[firsts.to_numpy(zero_copy_only=False)]
    for name, now in (("target", targets), ("seed", drawing.seed)):
        then = batch[f"{sampler}_{name}"]
        if (then.fill_null(-1).to_numpy() != np.where(then.is_null(), -1, now)).any():
            raise UserError(
                f"the stored negatives are of another split, vocabulary or seed ({name} differs): "
                "run `sequoia negatives` again"
            )


def _candidates(batch: pa.RecordBatch, sampler: str, taken: Histories, drawing: Drawing) -> Rows:
    """Return stored candidates, and those drawn for the users of whom none are stored, (B, C)."""
    stored, split = batch[sampler], batch["split"][0].as_py()
    missing = np.flatnonzero(stored.is_null())
    mine = taken.take(missing)
    users = batch["user_id"].to_numpy()[missing]
    purpose = PURPOSES.index((split, sampler))
    drawn, bounds = draw_sets(drawing, purpose, users, mine.items_T, mine.bounds_B1)
    lengths_B = pc.fill_null(pc.list_value_length(stored), 0).to_numpy().astype(np.int64)
    counts = lengths_B.copy()
    counts[missing] = np.diff(bounds)
    found_BC = np.zeros((len(batch), int(counts.max(initial=0))), np.int64)
    place_C = np.arange(found_BC.shape[1])
    found_BC[place_C < lengths_B[:, None]] = stored.flatten().to_numpy()
    chosen_MC = np.zeros((len(missing), len(place_C)), np.int64)
    chosen_MC[place_C < np.diff(bounds)[:, None]] = drawn
    found_BC[missing] = chosen_MC
    return found_BC


def rank_users(
    recommender: Recommender, vocabulary: ItemIndex, users: Users, protocol: RankingProtocol
) -> Outcome:
    """Rank the targets of a batch with one model; a user whose scores are NaN is a miss."""
    translation, items = translate(vocabulary, recommender.index), len(recommender.index)
    asked = [users.targets[:, None], *(users.candidates[sampler] for sampler in SAMPLERS)]
    wanted_BC = np.concatenate(asked, axis=1)
    histories = users.histories.with_items(translation.there(users.histories.items_T))
    ranked = recommender.rank(histories, translation.there(wanted_BC), LAST_CUTOFF, hide=protocol.hide_seen)
    draws_B = protocol.draws(users.batch)
    ranks, first = {"full": full_ranks(ranked, items, draws_B)}, 1
    for sampler, candidates_BC in users.candidates.items():
        of_sampler_BC = np.zeros(wanted_BC.shape, dtype=bool)
        of_sampler_BC[:, first : first + candidates_BC.shape[1]] = candidates_BC > PADDING_ROW
        ranks[sampler] = sampled_ranks(ranked, of_sampler_BC, draws_B)
        first += candidates_BC.shape[1]
    problems = score_problems(ranked, items)
    top_BK = np.zeros((len(users.targets), LAST_CUTOFF), np.int64)
    top_BK[:, : ranked.best.rows_BK.shape[1]] = translation.back(ranked.best.rows_BK)
    top_BK[[problem == "nan" for problem in problems]] = PADDING_ROW
    return Outcome(ranks=ranks, top_BK=top_BK, problems=problems)


def rank_rows(users: Users, outcome: Outcome, vocabulary: ItemIndex) -> pa.Table:
    """Return a batch's rows of `ranks`, without what all of a file share and `leaked`."""
    kept_BK = outcome.top_BK >= FIRST_ITEM_ROW
    columns = {
        "user_id": users.batch["user_id"],
        "number": users.batch["number"],
        "target": pa.array(users.targets, pa.int32()),
        "rank": pa.array(outcome.ranks["full"]),
        **{f"{sampler}_rank": pa.array(outcome.ranks[sampler]) for sampler in SAMPLERS},
        "recommended": kept_lists(pa.array(outcome.top_BK[kept_BK], pa.int32()), kept_BK),
        "history_events": pa.array(users.histories.lengths, pa.int32()),
        "target_events": pa.array(vocabulary.events[users.targets]),
        "shown_popularity": _shown_popularity(outcome.top_BK[:, :SHOWN], kept_BK[:, :SHOWN], vocabulary),
        "problem": pa.array(outcome.problems, pa.string()),
    }
    return pa.table(columns)


def _shown_popularity(top_BK: Rows, kept_BK: NDArray[np.bool_], vocabulary: ItemIndex) -> pa.Array:
    shown_B = kept_BK.sum(axis=1)
    summed_B = (vocabulary.popularity[top_BK] * kept_BK).sum(axis=1)
    return pa.array(summed_B / np.maximum(shown_B, 1), mask=shown_B == 0)

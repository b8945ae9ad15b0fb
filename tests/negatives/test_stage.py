"""The negatives stage gives the candidates of the slow sampler, whatever the partitioning."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from negatives import slow_sampler
from sequences.log import Event, contents, write_log

from sequoia.evaluate.users import SAMPLERS, held_out_shares, read_batches
from sequoia.evaluate.worker import read_users
from sequoia.negatives.draw import PURPOSES, drawing
from sequoia.negatives.stage import run
from sequoia.road.stage import Context
from sequoia.sequences.read_vocabulary import read_vocabulary
from sequoia.sequences.stage import run as make_sequences

pytestmark = [pytest.mark.spark, pytest.mark.delta]

SETTINGS = ("sequences.k=2", "negatives.candidates=4", "negatives.alpha=0.5", "seed=77")
# User n has n + 2 of the ten items; the last users leave fewer than four.
LOG: list[Event] = [
    (f"u{user}", f"i{(user + step) % 10}", step, None) for user in range(9) for step in range(user + 2)
]


def test_candidates_are_the_slow_samplers_for_both_splits(make_context: Callable[..., Context]) -> None:
    context = make_context(*SETTINGS)
    write_log(context, LOG)
    make_sequences(context)
    result = run(context)
    vocabulary = sorted(context.tables.read("vocabulary").collect(), key=lambda row: row["row"])
    row_of = {row["item_id"]: row["row"] for row in vocabulary}
    weights = {
        "uniform": [2**38] * len(vocabulary),
        "popularity": slow_sampler.weigh([row["events"] for row in vocabulary], 0.5),
    }
    expected = []
    for row in context.tables.read("sequences").collect():
        rows = [row_of[item] for item in row["items"]]
        history = {one - 2 for one in rows}
        for purpose, (split, sampler) in enumerate(PURPOSES):
            if row["length"] >= 3:
                key = slow_sampler.stream_key(77, row["user_id"], purpose)
                found = slow_sampler.candidates(key, weights[sampler], history, 4)
                target = rows[-2] if split == "valid" else rows[-1]
                expected.append((row["user_id"], split, sampler, 77, target, [one + 2 for one in found]))
    first = contents(context, "negatives")
    assert first["negatives"] == sorted(expected, key=repr)
    assert {len(row[-1]) for row in first["negatives"]} == {0, 1, 2, 3, 4}
    assert result.rows_out == len(expected)
    assert [one["users"] for one in result.details["sets"]] == [8] * 4

    # The same sequences in other partitions, files and rows.
    moved = context.tables.read("sequences").repartition(5, "length")
    context.tables.overwrite("sequences", moved)
    run(context)
    assert contents(context, "negatives") == first


def test_what_is_not_stored_is_drawn_by_evaluate_to_the_bit(make_context: Callable[..., Context]) -> None:
    context = make_context(*SETTINGS, "negatives.stored=null")
    write_log(context, LOG)
    make_sequences(context)
    run(context)
    whole = contents(context, "negatives")["negatives"]
    fewer = make_context(*SETTINGS, "negatives.stored=4", "run_id=fewer")
    result = run(fewer)
    stored = contents(fewer, "negatives")["negatives"]
    users = {row[0] for row in stored}
    assert stored == [row for row in whole if row[0] in users]
    assert 0 < len(users) < 8
    assert result.details["share"] == 4 / 9

    files = [part.path for part in fewer.tables.files("vocabulary")]
    shares, _ = held_out_shares(fewer)
    drawn, missing = [], 0
    for batch in (batch for share in shares for batch in read_batches(share)):
        found = read_users(batch, read_vocabulary(tuple(files)), drawing(fewer.config, files))
        missing += batch["uniform"].null_count
        for place, row in enumerate(batch.select(["user_id", "split"]).to_pylist()):
            for sampler in SAMPLERS:
                candidates = [row for row in found.candidates[sampler][place].tolist() if row]
                target = int(found.targets[place])
                drawn.append((row["user_id"], row["split"], sampler, 77, target, candidates))
    assert missing == 16 - 2 * len(users)
    assert sorted(drawn, key=repr) == whole


def test_time_split_holds_out_what_lies_between_the_cuts(make_context: Callable[..., Context]) -> None:
    context = make_context(*SETTINGS, "sequences.split=time", "sequences.valid_share=0.2")
    write_log(context, LOG)
    make_sequences(context)
    run(context)
    sequences = {row["user_id"]: row for row in context.tables.read("sequences").collect()}
    row_of = {row["item_id"]: row["row"] for row in context.tables.read("vocabulary").collect()}
    negatives = context.tables.read("negatives").collect()
    assert {row["split"] for row in negatives} == {"valid", "test"}
    for row in negatives:
        sequence = sequences[row["user_id"]]
        place = sequence["time_train"] if row["split"] == "valid" else sequence["time_valid"]
        assert row["target"] == row_of[sequence["items"][place]]
        assert not {row_of[item] for item in sequence["items"]} & set(row["candidates"])

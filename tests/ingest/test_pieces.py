"""The interactions in pieces: the files of ingest, and what takes their place when they are others'."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from sequoia.buckets import sizes
from sequoia.buckets.pieces import Range, as_pieces, cover
from sequoia.buckets.strings import hash_strings
from sequoia.ingest.pieces import interaction_pieces, read_piece
from sequoia.ingest.stage import run
from sequoia.road.stage import Context
from sequoia.tables.parts import Part

Make = Callable[..., Context]
DAY = 86_400


def part(name: str) -> Part:
    return Part(path=f"/somewhere/{name}.zstd.parquet", rows=1, bytes=1)


def test_pieces_are_told_by_their_names_and_do_not_overlap() -> None:
    first, second = Range(first=0, last=9), Range(first=10, last=2**64 - 1)
    ours = [part(f"{second.name}-ab"), part(f"{first.name}-cd")]
    assert as_pieces(ours) == {first: ours[1], second: ours[0]}
    assert as_pieces([]) == {}
    assert as_pieces([*ours, part("part-00000-c000")]) is None
    assert as_pieces([*ours, part(f"{Range(first=5, last=7).name}-ef")]) is None
    assert as_pieces([*ours, part(f"{first.name}-ef")]) is None


def test_ranges_are_made_wider_until_every_hash_lies_in_one() -> None:
    found = cover([Range(first=5, last=7), Range(first=20, last=30)])
    assert found == [Range(first=0, last=19), Range(first=20, last=2**64 - 1)]


def rows(pieces: dict[Range, Part]) -> list[tuple[str | None, int, str]]:
    tables = [read_piece(part, ["user", "time", "item"]) for part in pieces.values()]
    return [tuple(row.values()) for table in tables for row in table.to_pylist()]


@pytest.mark.spark
@pytest.mark.delta
def test_users_lie_in_ranges_in_the_order_of_time_and_again_after_delta_has_joined_files(
    tmp_path: Path, make_context: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "ROWS", 100)
    chance = random.Random(3)
    events = {(f"u{chance.randrange(50)}", chance.randrange(20), chance.randrange(9)) for _ in range(600)}
    text = "".join(f"i{item},{user},5.0,{1_400_000_000 + day * DAY}\n" for user, item, day in events)
    (tmp_path / "log.csv").write_text(text)
    context = make_context(f"ingest.raw={tmp_path / 'log.csv'}")
    run(context)
    pieces = interaction_pieces(context, str(tmp_path / "unused"))
    assert len(pieces) > 3
    assert not (tmp_path / "unused").exists()
    for span, file in pieces.items():
        hashes = hash_strings(read_piece(file, ["user"]).column("user").combine_chunks().dictionary).first
        assert span.first <= int(hashes.min()) <= int(hashes.max()) <= span.last
    found = rows(pieces)
    assert len(found) == len(events)
    users = pa.array([user for user, _, _ in found])
    order = [*zip(hash_strings(users).first.tolist(), [time for _, time, _ in found], strict=True)]
    assert order == sorted(order)

    table = context.tables.identifier("interactions")
    assert context.spark.sql(f"OPTIMIZE {table}").count() == 1
    joined = interaction_pieces(context, str(tmp_path / "again"))
    assert all(str(tmp_path / "again") in file.path for file in joined.values())
    assert rows(joined) == found

"""Bytes depend on the settings alone; a failed run leaves no file that looks complete."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest
from synthetic.slow_reader import read_lines

from sequoia.errors import UserError
from sequoia.synthetic.corpus import write_corpus

TINY = {"users": 600, "block_users": 200, "themes": 4}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_same_settings_give_the_same_bytes(small_settings, tmp_path):
    tiny = small_settings.model_copy(update=TINY)
    first = write_corpus(tmp_path / "first", tiny)
    second = write_corpus(tmp_path / "second", tiny)
    write_corpus(tmp_path / "other", tiny.model_copy(update={"seed": 12}))
    assert first == second
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    other = contents(tmp_path / "other")
    assert all(other[name] != content for name, content in contents(tmp_path / "first").items())


def test_any_number_of_processes_writes_the_same_bytes(small_settings, tmp_path):
    tiny = small_settings.model_copy(update=TINY)
    summaries = [
        write_corpus(tmp_path / str(count), tiny.model_copy(update={"processes": count})) for count in (1, 3)
    ]
    assert contents(tmp_path / "1") == contents(tmp_path / "3")
    assert summaries[0] == summaries[1]


def test_plain_files_hold_what_the_compressed_ones_do(small_settings, tmp_path):
    tiny = small_settings.model_copy(update=TINY)
    only = {"compress": False, "formats": ["ratings", "metadata"]}
    write_corpus(tmp_path / "packed", tiny)
    write_corpus(tmp_path / "plain", tiny.model_copy(update=only))
    plain, packed = contents(tmp_path / "plain"), contents(tmp_path / "packed")
    assert set(plain) == {"Garden_Tools.csv", "meta_Garden_Tools.json", "meta_Board_Games.json"}
    assert plain == {name: gzip.decompress(packed[f"{name}.gz"]) for name in plain}


def test_a_user_depends_on_seed_and_number_alone(small_settings, tmp_path):
    few = small_settings.model_copy(update=TINY | {"malformed_per_kind": 0})
    write_corpus(tmp_path / "few", few)
    write_corpus(tmp_path / "blocks", few.model_copy(update={"block_users": 77}))
    write_corpus(tmp_path / "more", few.model_copy(update={"users": 1000}))
    lines, blocks, more = (
        sorted(read_lines(tmp_path / name / "Garden_Tools.csv.gz")) for name in ("few", "blocks", "more")
    )
    assert lines == blocks
    assert set(lines) < set(more)


def test_memory_does_not_grow_with_rows(small_settings, tmp_path):
    peaks = []
    for users in (1_000, 4_000):
        tracemalloc.start()
        write_corpus(tmp_path, small_settings.model_copy(update={"users": users, "block_users": 500}))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_progress_ends_at_the_total(small_settings, tmp_path):
    seen = []
    write_corpus(tmp_path, small_settings.model_copy(update=TINY), progress=lambda *step: seen.append(step))
    assert [done for done, _ in seen] == list(range(1, 9))
    assert {total for _, total in seen} == {8}


def test_a_failed_run_leaves_nothing_half_written(small_settings, tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_corpus(tmp_path, small_settings.model_copy(update=TINY), progress=stop)
    assert contents(tmp_path) == {}


def test_a_file_in_the_way_is_named(small_settings, tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(UserError, match="taken is a file"):
        write_corpus(tmp_path / "taken", small_settings)


def test_one_user_and_one_category_are_enough(small_settings, tmp_path):
    smallest = small_settings.model_copy(update={"users": 1, "categories": {"Pens": 2018}})
    summary = write_corpus(tmp_path, smallest)
    assert summary.users == 1
    assert summary.interactions >= 1

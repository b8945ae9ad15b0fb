"""The corpus has the shape of the real one within sampling error, and the planted order in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import pytest
from synthetic.slow_reader import good_events

from sequoia.synthetic.corpus import write_corpus


@pytest.fixture(scope="module")
def garden(corpus):
    return good_events(corpus.folder / "Garden_Tools.csv.gz")


@pytest.fixture(scope="module")
def games(corpus):
    return good_events(corpus.folder / "reviews_Board_Games.json.gz")


@pytest.fixture(scope="module")
def histories(garden):
    """(time, item) of the users with five distinct events and more, in this order."""
    by_user = defaultdict(dict)
    for user, item, _, time in garden:
        by_user[user][(time, item)] = None
    return {user: sorted(events) for user, events in by_user.items() if len(events) >= 5}


def test_most_users_have_one_row_and_some_have_many(garden):
    rows = Counter(Counter(user for user, *_ in garden).values())
    users = sum(rows.values())
    assert rows[1] / users == pytest.approx(0.84 * (1 - 0.013), abs=0.02)
    assert sum(count for size, count in rows.items() if size >= 5) / users == pytest.approx(0.06, abs=0.01)


def test_a_best_seller_takes_about_a_fiftieth_and_rare_items_next_to_nothing(garden):
    counts = Counter(item for _, item, *_ in garden).most_common()
    assert 0.015 < counts[0][1] / len(garden) < 0.05
    assert counts[len(counts) // 2][1] < counts[0][1] / 8
    assert counts[-1][1] <= 5


def test_stars_follow_the_real_shares(garden):
    shares = Counter(rating for _, _, rating, _ in garden)
    for stars, share in ((5, 0.60), (4, 0.14), (3, 0.08), (2, 0.06), (1, 0.12)):
        assert shares[stars] / len(garden) == pytest.approx(share, abs=0.02)


def test_repeated_rows_are_as_frequent_as_in_a_whole_category(garden, games):
    for events in (garden, games):
        distinct = {(user, item, time) for user, item, _, time in events}
        assert 1 - len(distinct) / len(events) == pytest.approx(0.014, abs=0.006)
        assert len(set(events)) > len(distinct)  # some copies differ in their rating


def test_a_third_of_the_copies_is_altered(corpus):
    for file in corpus.summary.files:
        if file.format != "metadata":
            assert file.dirt["altered_copy"] / file.duplicates == pytest.approx(0.3, abs=0.1)


def test_some_users_write_in_both_categories(garden, games):
    both = {user for user, *_ in garden} & {user for user, *_ in games}
    everyone = {user for user, *_ in garden} | {user for user, *_ in games}
    assert len(both) / len(everyone) == pytest.approx(0.1, abs=0.02)


def test_most_neighbours_lie_on_different_days_and_last_days_are_often_shared(histories):
    gaps = [later[0] - sooner[0] for events in histories.values() for sooner, later in pairwise(events)]
    assert 0.18 < gaps.count(0) / len(gaps) < 0.32
    shared = [events[-1][0] == events[-2][0] for events in histories.values()]
    assert sum(shared) / len(shared) == pytest.approx(0.4, abs=0.08)


def hit_rates(histories):
    """Return HR@10 of popularity and of first-order transitions on everybody's last item."""
    items = {user: [item for _, item in events] for user, events in histories.items()}
    popular = Counter(item for events in items.values() for item in events[:-1])
    followers = defaultdict(Counter)
    for events in items.values():
        for sooner, later in pairwise(events[:-1]):
            followers[sooner][later] += 1
    hits = Counter()
    for events in items.values():
        *seen, target = events
        for name, counts in (("popular", popular), ("markov", followers[seen[-1]])):
            ranked = sorted((item for item in counts if item not in seen), key=lambda item: -counts[item])
            hits[name] += target in ranked[:10]
    return hits["popular"] / len(items), hits["markov"] / len(items)


def test_what_came_last_says_more_than_popularity(histories):
    popular, markov = hit_rates(histories)
    assert len(histories) > 300
    assert markov > 1.4 * popular


def test_what_came_before_an_interruption_still_counts(histories):
    """Two steps after an item, its successors come far more often than their popularity says."""
    popular = Counter(item for events in histories.values() for _, item in events)
    total = sum(popular.values())
    second, firsts = Counter(), Counter()
    for events in histories.values():
        items = [item for _, item in events]
        for position in range(len(items) - 2):
            second[items[position], items[position + 2]] += 1
            firsts[items[position]] += 1
    frequent = [pair for pair, count in second.most_common(200) if pair[0] != pair[1]]
    lifts = [second[pair] / firsts[pair[0]] / (popular[pair[1]] / total) for pair in frequent]
    assert sum(lift > 2 for lift in lifts) / len(lifts) > 0.6


def test_users_go_on_to_as_many_categories_as_asked(small_settings, tmp_path):
    """Five categories: of half the users the home alone, of a quarter two, of an eighth three and so on."""
    asked = {
        "categories": dict.fromkeys("abcde", 2014),
        "further_category_share": 0.5,
        "malformed_per_kind": 0,
    }
    write_corpus(tmp_path, small_settings.model_copy(update=asked | {"formats": ["reviews"]}))
    counts = Counter()
    for name in "abcde":
        counts.update({event[0] for event in good_events(tmp_path / f"reviews_{name}.json.gz")})
    shares = Counter(counts.values())
    for number, share in {1: 0.5, 2: 0.25, 3: 0.125, 4: 0.0625, 5: 0.0625}.items():
        assert shares[number] / len(counts) == pytest.approx(share, abs=0.02)


def test_categories_are_as_uneven_as_asked(small_settings, tmp_path):
    asked = {"categories": dict.fromkeys("abc", 2018), "further_category_share": 0.0, "category_skew": 1.0}
    summary = write_corpus(tmp_path, small_settings.model_copy(update=asked | {"formats": ["ratings"]}))
    users = [file.users for file in summary.files]
    assert [count / sum(users) for count in users] == pytest.approx([6 / 11, 3 / 11, 2 / 11], abs=0.02)

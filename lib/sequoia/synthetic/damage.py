"""Lines that cannot be used, by kind, for each file format; bytes that are no UTF-8 as surrogate escapes."""

from __future__ import annotations

from collections.abc import Callable

NOT_UTF8 = "\udcff\udcc3"
FAR_FUTURE = "7258118400"  # the year 2200
OVERFLOW = "99999999999999999999"
NORMAL_TIME = "1393372800"

Kinds = dict[str, str]


def damaged_ratings(user: str, item: str) -> Kinds:
    """Return one unusable line of a ratings file per kind, made of an unseen user and a known item."""
    return {
        "bad_utf8": f"{item},{NOT_UTF8}{user},5.0,{NORMAL_TIME}",
        "blank": "",
        "nan_rating": f"{item},{user},NaN,{NORMAL_TIME}",
        "no_user": f"{item},,4.0,{NORMAL_TIME}",
        "rating_above_range": f"{item},{user},6.0,{NORMAL_TIME}",
        "rating_below_range": f"{item},{user},0.0,{NORMAL_TIME}",
        "rating_no_number": f"{item},{user},five,{NORMAL_TIME}",
        "rating_overflow": f"{item},{user},1e999,{NORMAL_TIME}",
        "time_future": f"{item},{user},5.0,{FAR_FUTURE}",
        "time_overflow": f"{item},{user},5.0,{OVERFLOW}",
        "time_zero": f"{item},{user},5.0,0",
        "too_few_columns": f"{item},{user},5.0",
        "too_many_columns": f"{item},{user},5.0,{NORMAL_TIME},1",
    }


def damaged_reviews(user: str, item: str) -> Kinds:
    """Return one unusable line of a review file per kind, made of an unseen user and a known item."""

    def line(
        reviewer: str | None = user, asin: str | None = item, stars: str = "5.0", time: str = NORMAL_TIME
    ) -> str:
        parts = [f'"reviewerID": "{reviewer}"'] if reviewer is not None else []
        parts += [f'"asin": "{asin}"'] if asin is not None else []
        parts += [f'"overall": {stars}', '"reviewText": "Would buy again."', f'"unixReviewTime": {time}']
        return "{" + ", ".join(parts) + "}"

    return {
        "bad_utf8": line(reviewer=NOT_UTF8 + user),
        "blank": "",
        "cut": line()[:-30],
        "nan_rating": line(stars="NaN"),
        "no_item": line(asin=None),
        "no_object": f'["{user}", "{item}", 5.0]',
        "no_user": line(reviewer=None),
        "rating_above_range": line(stars="6.0"),
        "rating_below_range": line(stars="0.0"),
        "rating_overflow": line(stars="1e999"),
        "time_future": line(time=FAR_FUTURE),
        "time_overflow": line(time=OVERFLOW),
        "time_zero": line(time="0"),
    }


def damaged_metadata(user: str, item: str) -> Kinds:
    """Return one unusable line of a metadata file per kind; quotes suit both JSON and Python literals."""
    return {
        "bad_utf8": f'{{"title": "Lost", "asin": "{NOT_UTF8}{item}"}}',
        "blank": "",
        "cut": f'{{"title": "Bought by {user}", "asin": "{item}", "pri',
        "expression": f'{{"asin": "{item}".lower(), "title": str(1 + 1)}}',
        "no_item": '{"title": "Nobody knows", "price": "$1.00"}',
        "no_object": f'["{item}"]',
    }


def repeat_kinds(
    make: Callable[[str, str], Kinds], users: list[str], items: list[str]
) -> list[tuple[str, str]]:
    """Return (kind, line) for each user and item in turn, kind after kind."""
    return [pair for user, item in zip(users, items, strict=True) for pair in make(user, item).items()]

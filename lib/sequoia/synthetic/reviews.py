"""Review lines as JSON objects in the shape of the real files, optional keys left out where unknown."""

from __future__ import annotations

from collections import Counter
from string import Formatter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sequoia.synthetic.columns import Columns
from sequoia.synthetic.draws import Draws
from sequoia.synthetic.events import EventBlock
from sequoia.synthetic.review_orders import IMAGE, ORDERS, STYLES, VERIFIED
from sequoia.synthetic.texts import NAMES, texts

MISSING_SHARE = 0.002  # of each of reviewText, summary and reviewerName
OTHER_ORDER_SHARE = 0.07
REPEATED_KEY_SHARE = 0.001
STYLE_SHARE = 0.6
VERIFIED_SHARE = 0.85
VOTE_SHARE = 0.15
POPULAR_SHARE = 0.02  # of votes, in the thousands
IMAGE_SHARE = 0.02
LONG_LINE_CHARACTERS = 300_000
MOST_VOTES = 42 * 50 + 1000
MOST_ASKED = 8

Chosen = NDArray[np.bool_]
Fields = dict[str, pa.StringArray]


class ReviewLines:
    """Makes the review lines of a block of events and counts their dirt."""

    def __init__(self, draws: Draws, block: EventBlock, dirt: Counter[str]) -> None:
        self._draws, self._dirt = draws, dirt
        self._users: NDArray[np.uint64] = block.number()
        self._moments: NDArray[np.int64] = block.moment()

    def lines(
        self, shared: Columns, dates: pa.StringArray, year: int, *, one_is_long: bool
    ) -> pa.BinaryArray:
        """Return one line per event; exact copies of an event give the same line."""
        fields: Fields = {name: getattr(shared, name) for name in Columns.__dataclass_fields__}
        # The 2014 files hold other letters as they are, the 2018 files as escapes.
        fields |= {"review_time": dates} | self._written(ascii_only=year == 2018)
        fields |= self._of_2018() if year == 2018 else self._of_2014()
        if one_is_long:
            fields["text"] = self._one_lengthened(fields["text"])
        other = pa.array(self._chosen("other_key_order", OTHER_ORDER_SHARE))
        usual_order, other_order = ORDERS[year]
        rare = _filled(other_order, {name: column.filter(other) for name, column in fields.items()})
        lines = pc.replace_with_mask(_filled(usual_order, fields), other, rare)
        return lines.cast(pa.binary())

    def _chosen(self, kind: str, share: float) -> Chosen:
        chosen = self._draws.uniform(kind, self._users, self._moments) < share
        self._dirt[kind] += int(chosen.sum())
        return chosen

    def _written(self, *, ascii_only: bool) -> Fields:
        stock = texts(ascii_only=ascii_only)
        text, summary = stock.of(self._draws.bits("text", self._users, self._moments))
        names = pa.array(NAMES).take(pa.array(self._draws.below(len(NAMES), "name", self._users)))
        return {
            "text": self._optional("reviewText", text),
            "summary": self._optional("summary", summary),
            "name": self._optional("reviewerName", names),
        }

    def _optional(self, key: str, values: pa.StringArray) -> pa.StringArray:
        missing = self._chosen(f"no_{key}", MISSING_SHARE)
        return _where(~missing, pc.binary_join_element_wise(f'"{key}": "', values, '", ', ""))

    def _of_2018(self) -> Fields:
        has_style = self._chosen("style", STYLE_SHARE)
        style = self._draws.below(len(STYLES), "which style", self._users, self._moments)
        is_verified = self._draws.uniform("verified", self._users, self._moments) < VERIFIED_SHARE
        is_repeated = self._chosen("repeated_key", REPEATED_KEY_SHARE)
        images = pa.repeat(IMAGE, len(self._users))
        return {
            "vote": self._votes(),
            "verified": pa.array(VERIFIED).take(pa.array(2 * is_verified + is_repeated)),
            "style": _where(has_style, pa.array(STYLES).take(pa.array(style))),
            "image": _where(self._chosen("image", IMAGE_SHARE), images),
        }

    def _votes(self) -> pa.StringArray:
        has_vote = self._chosen("vote", VOTE_SHARE)
        many = self._draws.uniform("popular", self._users, self._moments) < POPULAR_SHARE
        few = 2 + self._draws.below(40, "votes", self._users, self._moments)
        votes = np.where(many, few * 50 + 1000, few)
        self._dirt["vote_with_comma"] += int((has_vote & many).sum())
        spelled = pa.array([f'"vote": "{count:,}", ' for count in range(MOST_VOTES)])
        return _where(has_vote, spelled.take(pa.array(votes)))

    def _of_2014(self) -> Fields:
        asked = self._draws.below(MOST_ASKED, "asked", self._users, self._moments)
        helped = (self._draws.uniform("helped", self._users, self._moments) * (asked + 1)).astype(np.int64)
        spelled = pa.array([f"{yes}, {of}" for of in range(MOST_ASKED) for yes in range(MOST_ASKED)])
        return {"helpful": spelled.take(pa.array(MOST_ASKED * asked + helped))}

    def _one_lengthened(self, written: pa.StringArray) -> pa.StringArray:
        """Give the first text there is a length that few readers expect."""
        row = pc.index(pc.not_equal(written, ""), True).as_py()
        if row < 0:
            return written
        self._dirt["long_line"] += 1
        long = written[row].as_py().replace('": "', '": "' + "la " * (LONG_LINE_CHARACTERS // 3), 1)
        return pa.concat_arrays([written[:row], pa.array([long]), written[row + 1 :]])


def _where(chosen: Chosen, values: pa.StringArray) -> pa.StringArray:
    return pc.if_else(pa.array(chosen), values, "")


def _filled(template: str, fields: Fields) -> pa.StringArray:
    """Fill the fields of a template with their columns: a line for each row."""
    parts: list[pa.StringArray | str] = []
    for literal, name, _, _ in Formatter().parse(template):
        parts += [literal] if name is None else [literal, fields[name]]
    return pc.binary_join_element_wise(*parts, "")

"""Review lines as JSON objects in the shape of the real files, optional keys left out where unknown."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sequoia.synthetic.columns import Columns
from sequoia.synthetic.draws import Draws
from sequoia.synthetic.events import EventBlock
from sequoia.synthetic.review_orders import IMAGES, ORDERS, STYLES, VERIFIED
from sequoia.synthetic.texts import NAMES, Texts

MISSING_SHARE = 0.002  # of each of reviewText, summary and reviewerName
OTHER_ORDER_SHARE = 0.07
REPEATED_KEY_SHARE = 0.001
STYLE_SHARE = 0.6
VERIFIED_SHARE = 0.85
VOTE_SHARE = 0.15
POPULAR_SHARE = 0.02  # of votes, in the thousands
IMAGE_SHARE = 0.02
LONG_LINE_CHARACTERS = 300_000

Fields = dict[str, list[str]]


class ReviewLines:
    """Makes the review lines of a block of events and counts their dirt."""

    def __init__(self, draws: Draws, block: EventBlock, dirt: Counter[str]) -> None:
        self._draws, self._dirt = draws, dirt
        self._users: NDArray[np.uint64] = block.number()
        self._moments: NDArray[np.int64] = block.moment()

    def lines(self, texts: Columns, dates: list[str], year: int, *, one_is_long: bool) -> pa.BinaryArray:
        """Return one line per event; exact copies of an event give the same line."""
        fields: Fields = {name: getattr(texts, name).to_pylist() for name in Columns.__dataclass_fields__}
        fields["review_time"] = dates
        # The 2014 files hold other letters as they are, the 2018 files as escapes.
        fields |= self._written(Texts.escaped(ascii_only=year == 2018))
        fields |= self._of_2018() if year == 2018 else self._of_2014()
        if one_is_long:
            self._lengthen(fields["text"])
        is_other = self._chosen("other_key_order", OTHER_ORDER_SHARE).tolist()
        templates = [ORDERS[year][other] for other in is_other]
        keys, rows = tuple(fields), zip(*fields.values(), strict=True)
        written = [
            template.format_map(dict(zip(keys, row, strict=True))).encode()
            for template, row in zip(templates, rows, strict=True)
        ]
        return pa.array(written, pa.binary())

    def _chosen(self, kind: str, share: float) -> NDArray[np.bool_]:
        chosen = self._draws.uniform(kind, self._users, self._moments) < share
        self._dirt[kind] += int(chosen.sum())
        return chosen

    def _written(self, texts: Texts) -> Fields:
        bits = self._draws.bits("text", self._users, self._moments)
        names = self._draws.below(len(NAMES), "name", self._users).tolist()
        return {
            "text": self._optional("reviewText", texts.reviews(bits)),
            "summary": self._optional("summary", texts.titles(bits)),
            "name": self._optional("reviewerName", [NAMES[name] for name in names]),
        }

    def _optional(self, key: str, values: list[str]) -> list[str]:
        missing = self._chosen(f"no_{key}", MISSING_SHARE).tolist()
        pairs = zip(values, missing, strict=True)
        return ["" if gone else f'"{key}": "{value}", ' for value, gone in pairs]

    def _of_2018(self) -> Fields:
        has_style = self._chosen("style", STYLE_SHARE)
        style = self._draws.below(len(STYLES), "which style", self._users, self._moments)
        is_verified = self._draws.uniform("verified", self._users, self._moments) < VERIFIED_SHARE
        is_repeated = self._chosen("repeated_key", REPEATED_KEY_SHARE)
        return {
            "vote": self._votes(),
            "verified": VERIFIED[is_verified.astype(int), is_repeated.astype(int)].tolist(),
            "style": np.where(has_style, STYLES[style], "").tolist(),
            "image": np.where(self._chosen("image", IMAGE_SHARE), IMAGES, "").tolist(),
        }

    def _votes(self) -> list[str]:
        has_vote = self._chosen("vote", VOTE_SHARE)
        many = self._draws.uniform("popular", self._users, self._moments) < POPULAR_SHARE
        few = 2 + self._draws.below(40, "votes", self._users, self._moments)
        votes = np.where(many, few * 50 + 1000, few)
        self._dirt["vote_with_comma"] += int((has_vote & many).sum())
        rows = zip(votes.tolist(), has_vote.tolist(), strict=True)
        return [f'"vote": "{count:,}", ' if has else "" for count, has in rows]

    def _of_2014(self) -> Fields:
        asked = self._draws.below(8, "asked", self._users, self._moments)
        helped = (self._draws.uniform("helped", self._users, self._moments) * (asked + 1)).astype(np.int64)
        rows = zip(helped.tolist(), asked.tolist(), strict=True)
        return {"helpful": [f"{yes}, {all_}" for yes, all_ in rows]}

    def _lengthen(self, texts: list[str]) -> None:
        row = next((row for row, text in enumerate(texts) if text), None)
        if row is not None:
            texts[row] = texts[row].replace('": "', '": "' + "la " * (LONG_LINE_CHARACTERS // 3), 1)
            self._dirt["long_line"] += 1

"""Review texts put together from invented pieces, with the entities, tags and line breaks of real ones."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OPENINGS = (
    "Bought this for my sister and she has not put it down since.",
    "I'm not easy to please, but this one did it.",
    "Arrived two days early, well packed.",
    "It is &#34;fine&#34;, nothing more.",
    "The box said 12 pieces &amp; I counted eleven.",
    "Third one we own.\n\nThe first two still work.",
    "My caf\u00e9 uses it every day.",
    "Do not believe the picture.<br />It is much smaller.",
    "Good value.",
    '"Sturdy" is the word my neighbour used, and he is right.',
)
MIDDLES = (
    "The finish is smooth and the edges are clean.",
    "Assembly took ten minutes with no tools at all.",
    "One corner was bent, which the seller made good at once.",
    "It goes well with the rest of the series.",
    "The manual is in four languages, none of them helpful.",
    "Colours match the photo.\n- red\n- green\n- a kind of blue",
    "After a month of use there is hardly a mark on it.",
    "It smells of glue \\ paint for the first week.",
    "Compared with the older version (1/2 the price) it feels light.",
    "We took it on a trip and it survived.",
)
ENDINGS = (
    "Would buy again.",
    "Returned it.",
    "Five stars from all of us!",
    "Next on my list is the extension.",
    "I will update this after the winter.",
    "Ask me again in a year...",
    "Recommended for beginners &amp; old hands alike.",
    "Not for small children.",
)
SUMMARIES = (
    "Five Stars",
    "Four Stars",
    "One Star",
    "Just as described",
    "Great &amp; simple",
    "Don't bother",
    "Works",
    "\u2764",
    "Better than the last one",
    "Too small",
)
# Already escaped, as they are drawn per user and not put together.
NAMES = (
    "Amazon Customer",
    "Robin",
    "J. Ortega",
    "Kim S.",
    "Dr. Ashby",
    "caf\\u00e9 owner",
    '\\"Mo\\"',
    "R & R",
)
LONG_TEXT_SHARE = 0.002
LONG_SENTENCES = 95  # about 5,000 characters, as the longest real reviews


@dataclass(frozen=True)
class Texts:
    """Pieces already escaped for the inside of a JSON string."""

    openings: list[str]
    middles: list[str]
    endings: list[str]
    summaries: list[str]

    @classmethod
    def escaped(cls, *, ascii_only: bool) -> Texts:
        """Return the pieces as JSON escapes them, with other letters than ASCII as escapes or as they are."""
        pools = (OPENINGS, MIDDLES, ENDINGS, SUMMARIES)
        return cls(*([json.dumps(text, ensure_ascii=ascii_only)[1:-1] for text in pool] for pool in pools))

    def reviews(self, bits: NDArray[np.uint64]) -> list[str]:
        """Return one review text per 64 random bits."""
        opening = bits % np.uint64(len(self.openings))
        middle = (bits >> np.uint64(8)) % np.uint64(len(self.middles))
        ending = (bits >> np.uint64(16)) % np.uint64(len(self.endings))
        is_long = (bits >> np.uint64(24)) % np.uint64(1000) < np.uint64(round(1000 * LONG_TEXT_SHARE))
        repeats = np.where(is_long, LONG_SENTENCES, 1)
        return [
            f"{self.openings[first]} {' '.join([self.middles[second]] * times)} {self.endings[last]}"
            for first, second, last, times in zip(
                opening.tolist(), middle.tolist(), ending.tolist(), repeats.tolist(), strict=True
            )
        ]

    def titles(self, bits: NDArray[np.uint64]) -> list[str]:
        """Return one summary line per 64 random bits."""
        chosen = (bits >> np.uint64(40)) % np.uint64(len(self.summaries))
        return [self.summaries[choice] for choice in chosen.tolist()]

"""Review texts put together from invented pieces, with the entities, tags and line breaks of real ones.

A stock of them, of which every review takes one: as long as real ones (half below 120 characters, one in a
hundred above 1,500) and packed by gzip about as well, which texts of a few sentences would not be.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pyarrow as pa

from sequoia.splitmix64 import Unsigned
from sequoia.synthetic.catalogue import cumulated
from sequoia.synthetic.draws import Draws

PIECES = (
    "Bought this for my sister and she has not put it down since.",
    "I'm not easy to please, but this one did it.",
    "It is &#34;fine&#34;, nothing more.",
    "The box said 12 pieces &amp; I counted eleven.",
    "Third one we own.\n\nThe first two still work.",
    "My caf\u00e9 uses it every day.",
    "Do not believe the picture.<br />It is much smaller.",
    "Good value.",
    '"Sturdy" is the word my neighbour used, and he is right.',
    "Colours match the photo.\n- red\n- green\n- a kind of blue",
    "It smells of glue \\ paint for the first week.",
    "Compared with the older version (1/2 the price) it feels light.",
    "Ask me again in a year...",
    "Recommended for beginners &amp; old hands alike.",
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
WORDS = """the and it to a of is for this in my that was with i not but on have as you so very are be they
one just great would had good like all from at these if when can or we use well them out get product up more
no really love than will what only been bought after because time were does little even too much quality work
there other their which did also has price an about nice over easy how back size made first he she now two
still small better by some am then into never want make year order look day few new perfect off found could
hard fit try long who around while any down his her our think been before thing buy old color most way last
""".split()
SYLLABLES = (
    "ba bel cor dan del fen gar hol in jor kel lim mar nor os per quin ros sel tar ul ven wim yar zo".split()
)
STOCK = 8192
PIECE_SHARE = 0.4
HALF_BELOW, SPREAD, LONGEST = 120, 1.15, 5_500  # characters; the middle one of their logarithm
WORD, SENTENCE = 5.7, 11  # characters with the space, words


@dataclass(frozen=True)
class Texts:
    """Reviews and their summaries, already escaped for the inside of a JSON string."""

    reviews: pa.StringArray
    summaries: pa.StringArray

    def of(self, bits: Unsigned) -> tuple[pa.StringArray, pa.StringArray]:
        """Return a review and a summary for each 64 random bits."""
        review, summary = bits % np.uint64(STOCK), (bits >> np.uint64(40)) % np.uint64(len(self.summaries))
        return self.reviews.take(pa.array(review)), self.summaries.take(pa.array(summary))


@lru_cache(maxsize=2)
def texts(*, ascii_only: bool) -> Texts:
    """Return the stock as JSON escapes it, with other letters than ASCII as escapes or as they are."""
    found = (_stock(), SUMMARIES)
    return Texts(
        *(pa.array([json.dumps(text, ensure_ascii=ascii_only)[1:-1] for text in of]) for of in found)
    )


def _stock() -> list[str]:
    draws, numbers = Draws(0, "texts"), np.arange(STOCK)
    around = np.sqrt(-2 * np.log1p(-draws.uniform("far", numbers)))  # Box and Muller: a normal deviate
    lengths = HALF_BELOW * np.exp(SPREAD * around * np.cos(2 * np.pi * draws.uniform("turn", numbers)))
    counts = np.ceil(np.minimum(lengths, LONGEST) / WORD).astype(np.int64)
    words = _words(draws, int(counts.sum()))
    pieces = draws.below(len(PIECES), "piece", numbers).tolist()
    with_piece = (draws.uniform("with piece", numbers) < PIECE_SHARE).tolist()
    bounds = np.concatenate([[0], np.cumsum(counts)]).tolist()
    bodies = (_sentences(words[start:end]) for start, end in pairwise(bounds))
    return [
        f"{PIECES[piece]} {body}" if has else body
        for piece, has, body in zip(pieces, with_piece, bodies, strict=True)
    ]


def _words(draws: Draws, count: int) -> list[str]:
    """Return words, the frequent ones as frequent as in any language (Zipf), the rare ones invented."""
    known = WORDS + [a + b + c for a in SYLLABLES for b in SYLLABLES for c in ("", "o", "ed", "ing", "s")]
    shares = cumulated(1 / np.arange(1.0, len(known) + 1))
    places = np.searchsorted(shares, draws.uniform("word", np.arange(count)), side="right")
    return [known[place] for place in places.tolist()]


def _sentences(words: list[str]) -> str:
    parts = (words[start : start + SENTENCE] for start in range(0, len(words), SENTENCE))
    return " ".join(f"{' '.join(part).capitalize()}." for part in parts)

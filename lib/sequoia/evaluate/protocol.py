"""How ranks are taken: what is hidden, and where in a tie a target stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sequoia.config import Config
from sequoia.evaluate.settings import Ties
from sequoia.splitmix64 import stream_keys

TIES = 5 << 32  # the purpose of the hash that shuffles ties


@dataclass(frozen=True, kw_only=True)
class RankingProtocol:
    """hide_seen: whether what a user has had is left out of the ranking; seed: of shuffled ties."""

    hide_seen: bool
    ties: Ties
    seed: int

    @classmethod
    def of(cls, config: Config) -> RankingProtocol:
        """Return what the settings ask for."""
        return cls(hide_seen=config.recommend.hide_seen, ties=config.evaluate.ties, seed=config.seed)

    def draws(self, batch: pa.RecordBatch) -> NDArray[np.float64] | None:
        """Return a number from 0 to 1 for each target (user_id, place), the same for all models.

        None where ties are pessimistic.
        """
        if self.ties == "pessimistic":
            return None
        users, places = batch["user_id"].to_numpy(), batch["place"].to_numpy().astype(np.int64)
        return stream_keys(self.seed, users ^ places << 40, TIES) / 2.0**64

"""The best of all items, and where some rank, tile by tile: a bounded number of scores exists at a time.

Sums of float32 differ in their last bits by the order of their terms, which depends on the tile. So scores
within `rounding` of a target's are level with it, neither ahead nor behind.

Shape letters: B users, C items asked for, D width, V rows, W items of a tile, K best items, N blocks.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from sequoia.modelling.histories import FIRST_ITEM_ROW, Histories, Rows
from sequoia.modelling.preferences import Best, Ranked, Scores
from sequoia.neural.item_table import ItemTable

TILE_BYTES = {"cpu": 1 << 23, "cuda": 1 << 28}  # of scores: what a core's cache holds, what keeps a GPU busy
BLOCK = 32  # items of which the best one decides whether any is looked at
ROW_BITS = 32


class TiledPreferences(ABC):
    """Preferences whose scores are made for a range of items at a time."""

    def __init__(self, num_users: int, num_rows: int, device: torch.device) -> None:
        self._users, self._num_rows, self._device = num_users, num_rows, device
        width = TILE_BYTES[device.type] // (4 * max(num_users, 1))
        self._width = max(width // BLOCK, 1) * BLOCK
        self._tile = torch.empty(0, device=device)

    @abstractmethod
    def score_range(self, first: int, last: int, out: Tensor) -> None:
        """Write the scores of items first to last - 1 to out (B, last - first)."""

    @abstractmethod
    def score(self, rows_BC: Tensor) -> Tensor:
        """Return the scores (B, C) of rows of each user."""

    def rounding(self, rows_B: Tensor, scores_B: Tensor) -> Tensor:
        """Return by how much scores may differ from those of these rows without meaning it, (B,)."""
        return scores_B.abs() * 2.0**-20

    @torch.inference_mode()
    def of(self, rows_BC: Rows) -> Scores:
        """Score some items of each user; -inf for rows 0 and 1."""
        scores_BC = self.score(self._sent(rows_BC)).cpu().numpy()
        return np.where(rows_BC >= FIRST_ITEM_ROW, scores_BC, np.float32(-np.inf))

    @torch.inference_mode()
    def best(self, k: int, hidden: Histories) -> Best:
        """Return the k best items of each user."""
        best = _BestSoFar(self._users, k, self._device)
        self._walk(hidden, best.look_at)
        return best.told()

    @torch.inference_mode()
    def rank(self, wanted_BC: Rows, k: int, hidden: Histories) -> Ranked:
        """Rank each user's target wanted_BC[:, 0] among all items; also score the others."""
        wanted = self._sent(wanted_BC)
        best = _BestSoFar(self._users, k, self._device)
        target_B = self.score(wanted[:, :1])[:, 0]
        standing = _Standing(wanted, target_B, self.rounding(wanted[:, 0], target_B))

        def look_at(first: int, tile_BW: Tensor) -> None:
            best.look_at(first, tile_BW)
            standing.look_at(first, tile_BW)

        self._walk(hidden, look_at, standing.look_at_all)
        return standing.told(best.told())

    def _walk(
        self,
        hidden: Histories,
        look_at: Callable[[int, Tensor], None],
        look_at_all: Callable[[Tensor], None] = lambda tile: None,
    ) -> None:
        """Show all items, tile by tile: whole to look_at_all, with hidden ones at -inf to look_at."""
        order = np.argsort(hidden.items_T, kind="stable")
        rows, users = hidden.items_T[order], hidden.users[order]
        for first in range(FIRST_ITEM_ROW, self._num_rows, self._width):
            last = min(first + self._width, self._num_rows)
            tile_BW = self._buffer(last - first)
            self.score_range(first, last, tile_BW)
            look_at_all(tile_BW)
            begin, end = np.searchsorted(rows, [first, last])
            tile_BW[self._sent(users[begin:end]), self._sent(rows[begin:end] - first)] = -torch.inf
            look_at(first, tile_BW)

    def _buffer(self, width: int) -> Tensor:
        # One for all tiles: memory that is mapped anew for each costs as much as the product.
        if self._tile.shape != (self._users, width):
            self._tile = torch.empty(self._users, width, device=self._device)
        return self._tile

    def _sent(self, values: Rows) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self._device)


class TablePreferences(TiledPreferences):
    """Products of one state per user with the vectors of an item table."""

    def __init__(self, states_BD: Tensor, table: ItemTable) -> None:
        super().__init__(len(states_BD), table.num_rows, states_BD.device)
        self._states, self._vectors = states_BD, table.fixed_rows()

    def score_range(self, first: int, last: int, out: Tensor) -> None:
        """Write the scores of items first to last - 1 to out (B, last - first)."""
        torch.mm(self._states, self._vectors[first:last].T, out=out)

    def score(self, rows_BC: Tensor) -> Tensor:
        """Return the scores (B, C) of rows of each user."""
        scores_BC: Tensor = torch.einsum("bd,bcd->bc", self._states, self._vectors[rows_BC])
        return scores_BC

    def rounding(self, rows_B: Tensor, scores_B: Tensor) -> Tensor:
        """Return the size that rounding of a product of D terms hardly exceeds, (B,)."""
        scale = math.sqrt(self._states.shape[1]) * 2.0**-23
        lengths_B: Tensor = self._states.norm(dim=1) * self._vectors[rows_B].norm(dim=1)
        return lengths_B * scale


class CandidatePreferences(TiledPreferences):
    """Scores of a model that looks at history and candidate together; logits: of rows (B, C), (B, C)."""

    def __init__(
        self, logits: Callable[[Tensor], Tensor], num_users: int, num_rows: int, device: torch.device
    ) -> None:
        super().__init__(num_users, num_rows, device)
        self._logits = logits

    def score_range(self, first: int, last: int, out: Tensor) -> None:
        """Write the scores of items first to last - 1 to out (B, last - first)."""
        out.copy_(self._logits(torch.arange(first, last, device=out.device).expand(len(out), -1)))

    def score(self, rows_BC: Tensor) -> Tensor:
        """Return the scores (B, C) of rows of each user."""
        return self._logits(rows_BC)


class _BestSoFar:
    """The k best of the tiles looked at, as keys that order by score, then by row, the lower row first."""

    def __init__(self, users: int, k: int, device: torch.device) -> None:
        self._keys_BK = torch.full((users, k), _key(-torch.inf, 0), device=device)
        self._k = k

    def look_at(self, first: int, tile_BW: Tensor) -> None:
        """Take a tile into account; rows of later tiles are higher."""
        if self._k == 0:
            return
        blocks_BNL = _blocks(tile_BW)
        best_BN = blocks_BNL.amax(dim=2)
        bound_B = _score(self._keys_BK[:, -1])
        # NaN is above everything: who diverged shows it in the list.
        users = (~(best_BN.amax(dim=1) <= bound_B)).nonzero()[:, 0]
        if not len(users):
            return
        numbers = torch.arange(best_BN.shape[1], device=tile_BW.device)
        chosen = _keys(best_BN[users], numbers).topk(min(self._k, len(numbers)), sorted=False).values
        places_UN = _row(chosen)
        scores_UM = blocks_BNL[users[:, None], places_UN].flatten(1)
        inside = torch.arange(BLOCK, device=tile_BW.device)
        rows_UM = (first + places_UN[:, :, None] * BLOCK + inside).flatten(1)
        found = torch.cat([self._keys_BK[users], _keys(scores_UM, rows_UM)], dim=1)
        self._keys_BK[users] = found.topk(self._k).values

    def told(self) -> Best:
        """Return the best items of all tiles."""
        scores_BK = _score(self._keys_BK).cpu().numpy()
        rows_BK = np.where(np.isneginf(scores_BK), 0, _row(self._keys_BK).cpu().numpy())
        return Best(rows_BK=rows_BK, scores_BK=scores_BK)


def _blocks(tile_BW: Tensor) -> Tensor:
    """Return a tile as (B, N, BLOCK); what is missing in the last block is -inf."""
    users, width = tile_BW.shape
    missing = -width % BLOCK
    whole = torch.nn.functional.pad(tile_BW, (0, missing), value=-torch.inf) if missing else tile_BW
    return whole.view(users, -1, BLOCK)


def _keys(scores: Tensor, rows: Tensor) -> Tensor:
    """Return int64 numbers in the order of the scores, of equal ones the lower row's is the greater."""
    bits = (scores + 0.0).view(torch.int32)  # -0 is 0
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return (ordered.to(torch.int64) << ROW_BITS) | (0xFFFFFFFF - rows)


def _key(score: float, row: int) -> int:
    return int(_keys(torch.tensor([score]), torch.tensor([row]))[0])


def _score(keys: Tensor) -> Tensor:
    ordered = (keys >> ROW_BITS).to(torch.int32)
    return (ordered ^ ((ordered >> 31) & 0x7FFFFFFF)).view(torch.float32)


def _row(keys: Tensor) -> Tensor:
    return 0xFFFFFFFF - (keys & 0xFFFFFFFF)


class _Standing:
    """Counts who is ahead of a target and who is level with it; picks the scores asked for."""

    def __init__(self, wanted_BC: Tensor, target_B: Tensor, rounding_B: Tensor) -> None:
        users, device = len(wanted_BC), wanted_BC.device
        self._wanted = wanted_BC
        self._low_B1, self._high_B1 = (target_B - rounding_B)[:, None], (target_B + rounding_B)[:, None]
        self._scores = torch.full(wanted_BC.shape, -torch.inf, device=device)
        self._ahead_B, self._not_behind_B = torch.zeros(2, users, dtype=torch.int64, device=device)
        self._lowest_B = torch.full((users,), torch.inf, device=device)
        self._highest_B = -self._lowest_B
        self._flags = torch.empty(0, device=device)

    def look_at_all(self, tile_BW: Tensor) -> None:
        """Take a tile with hidden items into account."""
        self._lowest_B = torch.minimum(self._lowest_B, tile_BW.amin(dim=1))
        self._highest_B = torch.maximum(self._highest_B, tile_BW.amax(dim=1))

    def look_at(self, first: int, tile_BW: Tensor) -> None:
        """Take a tile into account."""
        width = tile_BW.shape[1]
        places_BC = self._wanted - first
        inside_BC = (places_BC >= 0) & (places_BC < width)
        found_BC = tile_BW.gather(1, places_BC.clamp(0, width - 1))
        self._scores = torch.where(inside_BC, found_BC, self._scores)
        users = inside_BC[:, 0].nonzero()[:, 0]
        tile_BW[users, places_BC[users, 0]] = -torch.inf  # the target is not ahead of itself
        self._ahead_B += self._count(torch.gt, tile_BW, self._high_B1)
        self._not_behind_B += self._count(torch.ge, tile_BW, self._low_B1)

    def _count(self, compare: Callable[..., Tensor], tile_BW: Tensor, bound_B1: Tensor) -> Tensor:
        # Sums of float32 ones are exact up to 2^24, and made much faster than those of booleans.
        if self._flags.shape != tile_BW.shape:
            self._flags = torch.empty_like(tile_BW)
        return compare(tile_BW, bound_B1, out=self._flags).sum(dim=1).long()

    def told(self, best: Best) -> Ranked:
        """Return what was found in all tiles."""
        return Ranked(
            best=best,
            ahead_B=self._ahead_B.cpu().numpy(),
            level_B=(self._not_behind_B - self._ahead_B).cpu().numpy(),
            wanted_BC=self._scores.cpu().numpy(),
            lowest_B=self._lowest_B.cpu().numpy(),
            highest_B=self._highest_B.cpu().numpy(),
        )

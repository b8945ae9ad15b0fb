"""Causal self-attention over a shopper's events (SASRec, Kang and McAuley 2018, arXiv 1808.09781).

Positions enter only as a learned bias on the distance between two events (T5, arXiv 1910.10683). A state
therefore depends on the events before it and not on where they lie in the tensor: padding, trimming and
packing several sequences into one row change nothing, and all positions at once teach what every prefix alone
would.

Shape letters: B rows, L positions, D width, H heads, K width of a head.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sequoia.errors import UserError
from sequoia.models.dropout import Dropout
from sequoia.models.sasrec_settings import SasRecSettings

PADDING_ROW = 0
UNKNOWN_ROW = 1
FIRST_ITEM_ROW = 2
INITIAL_DEVIATION = 0.02


class CausalAttention(nn.Module):
    """Multi-head attention whose logits carry a learned bias for each head and distance."""

    def __init__(self, settings: SasRecSettings) -> None:
        super().__init__()
        self.heads = settings.heads
        self.dropout = Dropout(settings.dropout)
        self.query_key_value = nn.Linear(settings.width, 3 * settings.width)
        self.output = nn.Linear(settings.width, settings.width)
        self.distance_bias_HL = nn.Parameter(torch.zeros(settings.heads, settings.max_length))

    def forward(self, states_BLD: Tensor, visible_B1LL: Tensor) -> Tensor:
        """Mix each position with the visible ones; visible_B1LL is bool, True where key may be seen."""
        num_rows, length, width = states_BLD.shape
        projected = self.query_key_value(states_BLD).view(
            num_rows, length, 3, self.heads, width // self.heads
        )
        query_BHLK, key_BHLK, value_BHLK = projected.permute(2, 0, 3, 1, 4)
        positions = torch.arange(length, device=states_BLD.device)
        distance_LL = (positions[:, None] - positions[None, :]).clamp(min=0)
        logits = query_BHLK @ key_BHLK.transpose(-1, -2) * (width // self.heads) ** -0.5
        logits = logits + self.distance_bias_HL[:, distance_LL]
        weights_BHLL = logits.masked_fill(~visible_B1LL, -torch.inf).softmax(dim=-1)
        mixed_BHLK = self.dropout(weights_BHLL) @ value_BHLK
        return self.output(mixed_BHLK.transpose(1, 2).reshape(num_rows, length, width))  # type: ignore[no-any-return]


class Block(nn.Module):
    """Attention and a GELU layer of four times the width, each added to its input and then normalised."""

    def __init__(self, settings: SasRecSettings) -> None:
        super().__init__()
        self.attention = CausalAttention(settings)
        self.attention_norm = nn.LayerNorm(settings.width)
        self.widen = nn.Linear(settings.width, 4 * settings.width)
        self.narrow = nn.Linear(4 * settings.width, settings.width)
        self.feed_forward_norm = nn.LayerNorm(settings.width)
        self.dropout = Dropout(settings.dropout)

    def forward(self, states_BLD: Tensor, visible_B1LL: Tensor) -> Tensor:
        """Return the next states, same shape."""
        states_BLD = self.attention_norm(states_BLD + self.dropout(self.attention(states_BLD, visible_B1LL)))
        widened = self.narrow(F.gelu(self.widen(states_BLD)))
        return self.feed_forward_norm(states_BLD + self.dropout(widened))  # type: ignore[no-any-return]


class SasRec(nn.Module):
    """Sequence encoder that shares one vector per item between input and output."""

    def __init__(self, settings: SasRecSettings, num_rows: int) -> None:
        """Build for num_rows = number of items + 2 (row 0 padding, row 1 unknown)."""
        super().__init__()
        if settings.width % settings.heads:
            raise UserError(
                f"width {settings.width} is no multiple of heads {settings.heads}: change one of them."
            )
        if num_rows <= FIRST_ITEM_ROW:
            raise UserError(f"num_rows {num_rows} leaves no item: it must be the number of items + 2.")
        self.settings = settings
        self.items = nn.Embedding(num_rows, settings.width, padding_idx=PADDING_ROW)
        self.input_norm = nn.LayerNorm(settings.width)
        self.input_dropout = Dropout(settings.dropout)
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.blocks))
        self.apply(_initialise)

    def encode(self, items_BL: Tensor, segments_BL: Tensor) -> Tensor:
        """Return states (B, L, D) of packed sequences: a position sees earlier ones of its own segment."""
        length = items_BL.shape[1]
        if length > self.settings.max_length:
            raise UserError(
                f"Sequence length {length} exceeds max_length {self.settings.max_length}: cut the front."
            )
        causal_LL = torch.ones(length, length, dtype=torch.bool, device=items_BL.device).tril()
        visible_B1LL = ((segments_BL[:, :, None] == segments_BL[:, None, :]) & causal_LL)[:, None]
        states_BLD = self.input_dropout(self.input_norm(self.items(items_BL)))
        for block in self.blocks:
            states_BLD = block(states_BLD, visible_B1LL)
        return states_BLD  # type: ignore[no-any-return]

    def forward(self, items_BL: Tensor) -> Tensor:
        """Return states (B, L, D) of int64 vocabulary rows, left-padded with 0; those states mean nothing."""
        return self.encode(items_BL, (items_BL != PADDING_ROW).long())

    def user_state(self, items_BL: Tensor) -> Tensor:
        """Return the state (B, D) after the last event; scores are its product with item_vectors()."""
        longest = int((items_BL != PADDING_ROW).sum(dim=1).max().clamp(min=1))
        return self(items_BL[:, -min(longest, self.settings.max_length) :])[:, -1]  # type: ignore[no-any-return]

    def item_vectors(self) -> Tensor:
        """Return the vectors (num_rows, D); rows 0 and 1 are no items and must not be recommended."""
        return self.items.weight


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=INITIAL_DEVIATION)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
    if isinstance(module, nn.Embedding):
        with torch.no_grad():
            module.weight[PADDING_ROW].zero_()

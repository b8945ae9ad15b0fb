"""Causal self-attention over a shopper's events (SASRec, Kang and McAuley 2018, arXiv 1808.09781).

Positions enter only as a learned bias on the distance between two events (T5, arXiv 1910.10683). A state
therefore depends on the events before it and not on where they lie in the tensor: padding, trimming and
packing several sequences into one row change nothing, and all positions at once teach what every prefix alone
would.

Shape letters: T events, R packed rows, L positions, D width, H heads, K width of a head.
"""

from __future__ import annotations

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from sequoia.neural.batch import Batch
from sequoia.neural.dropout import Dropout
from sequoia.neural.features import INITIAL_DEVIATION
from sequoia.neural.model import NeuralModel
from sequoia.settings import Settings


class SasRecSettings(Settings):
    """Size and regularisation of the transformer."""

    width: int = Field(ge=1)
    blocks: int = Field(ge=1)
    heads: int = Field(ge=1)
    max_length: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> SasRecSettings:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is no multiple of heads {self.heads}: change one of them")
        return self


class CausalAttention(nn.Module):
    """Multi-head attention whose logits carry a learned bias for each head and distance."""

    def __init__(self, settings: SasRecSettings) -> None:
        super().__init__()
        self.heads, self.p = settings.heads, settings.dropout
        self.query_key_value = nn.Linear(settings.width, 3 * settings.width)
        self.output = nn.Linear(settings.width, settings.width)
        self.distance_bias_HL = nn.Parameter(torch.zeros(settings.heads, settings.max_length))

    def forward(self, states_RLD: Tensor, visible_R1LL: Tensor, dropout: Dropout) -> Tensor:
        """Mix each position with the visible ones; visible_R1LL is bool, True where key may be seen."""
        num_rows, length, width = states_RLD.shape
        projected = self.query_key_value(states_RLD).view(
            num_rows, length, 3, self.heads, width // self.heads
        )
        query_RHLK, key_RHLK, value_RHLK = projected.permute(2, 0, 3, 1, 4)
        positions = torch.arange(length, device=states_RLD.device)
        distance_LL = (positions[:, None] - positions[None, :]).clamp(min=0)
        logits = query_RHLK @ key_RHLK.transpose(-1, -2) * (width // self.heads) ** -0.5
        logits = logits + self.distance_bias_HL[:, distance_LL]
        weights_RHLL = logits.masked_fill(~visible_R1LL, -torch.inf).softmax(dim=-1)
        mixed_RHLK = dropout.of_pairs(weights_RHLL, self.p) @ value_RHLK
        return self.output(mixed_RHLK.transpose(1, 2).reshape(num_rows, length, width))  # type: ignore[no-any-return]


class Block(nn.Module):
    """Attention and a GELU layer of four times the width, each added to its input and then normalised."""

    def __init__(self, settings: SasRecSettings) -> None:
        super().__init__()
        self.p = settings.dropout
        self.attention = CausalAttention(settings)
        self.attention_norm = nn.LayerNorm(settings.width)
        self.widen = nn.Linear(settings.width, 4 * settings.width)
        self.narrow = nn.Linear(4 * settings.width, settings.width)
        self.feed_forward_norm = nn.LayerNorm(settings.width)

    def forward(self, states_RLD: Tensor, visible_R1LL: Tensor, dropout: Dropout) -> Tensor:
        """Return the next states, same shape."""
        mixed_RLD = self.attention(states_RLD, visible_R1LL, dropout)
        states_RLD = self.attention_norm(states_RLD + dropout(mixed_RLD, self.p))
        widened = self.narrow(F.gelu(self.widen(states_RLD)))
        return self.feed_forward_norm(states_RLD + dropout(widened, self.p))  # type: ignore[no-any-return]


class SasRec(NeuralModel):
    """Sequence encoder that shares one vector per item between input and output."""

    settings_type = SasRecSettings

    def __init__(self, settings: SasRecSettings, num_rows: int) -> None:
        """Build for num_rows = number of items + 2 (row 0 padding, row 1 unknown)."""
        super().__init__(settings, num_rows, width=settings.width, max_length=settings.max_length)
        self.input_norm = nn.LayerNorm(settings.width)
        self.blocks = nn.ModuleList(Block(settings) for _ in range(settings.blocks))
        self.apply(_initialise)

    def encode(self, batch: Batch) -> Tensor:
        """Return states (T, D): a position of a packed row sees earlier ones of its own sequence."""
        packed = batch.packed
        length = packed.segments_RL.shape[1]
        dropout = Dropout(None if batch.keys_T is None else packed.spread(batch.keys_T))
        causal_LL = torch.ones(length, length, dtype=torch.bool, device=batch.items_T.device).tril()
        alike_RLL = packed.segments_RL[:, :, None] == packed.segments_RL[:, None, :]
        visible_R1LL = (alike_RLL & causal_LL)[:, None]
        states_RLD = self.input_norm(packed.spread(self.inputs(batch)))
        states_RLD = dropout(states_RLD, self.settings.dropout)
        for block in self.blocks:
            states_RLD = block(states_RLD, visible_R1LL, dropout)
        return packed.gather(states_RLD)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=INITIAL_DEVIATION)
        nn.init.zeros_(module.bias)


MODEL = SasRec

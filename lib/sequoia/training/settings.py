"""Settings of the train stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sequoia.settings import Settings


class TrainingSettings(Settings):
    """How models are trained; what they are stands under `models`."""

    models: list[Literal["sasrec", "counting"]] = Field(min_length=1)
    launcher: Literal["horovod", "torchrun", "single"]
    processes: int = Field(ge=1)
    threads: int = Field(ge=1)
    timeout_seconds: int = Field(ge=10)
    batch_size: int = Field(ge=1)
    epochs: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    warmup_steps: int = Field(ge=0)
    weight_decay: float = Field(ge=0)
    loss: Literal["full", "sampled"]
    num_negatives: int = Field(ge=1)
    negatives_alpha: float = Field(ge=0, le=1)
    patience: int = Field(ge=1)
    validation_users: int = Field(ge=1)
    checkpoint_epochs: int = Field(ge=1)
    resume: bool

"""Settings of the models."""

from __future__ import annotations

from sequoia.models.counting_settings import CountingSettings
from sequoia.models.sasrec_settings import SasRecSettings
from sequoia.settings import Settings


class ModelsSettings(Settings):
    """One section per model."""

    sasrec: SasRecSettings
    counting: CountingSettings

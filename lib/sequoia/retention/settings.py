"""Settings of `sequoia clean`."""

from __future__ import annotations

from pydantic import Field

from sequoia.settings import Settings


class RetentionSettings(Settings):
    """How long things are kept that nothing needs any more; what is needed stays whatever its age.

    Table history is kept for a week at least, the bound that Delta itself sets: no training reads a version
    for longer, and the report tells from the diary what it no longer finds.

    `dry_run` stands here for workflows, whose parameters are values: a flag they cannot leave out.
    """

    days: int = Field(ge=1)
    champions: int = Field(ge=2)
    history_days: int = Field(ge=7)
    scratch_hours: int = Field(ge=1)
    dry_run: bool

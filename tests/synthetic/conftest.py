"""One small corpus for all tests of this folder, and the settings it was made with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from sequoia.synthetic.corpus import write_corpus
from sequoia.synthetic.settings import CorpusSettings
from sequoia.synthetic.summary import CorpusSummary, FileSummary

SMALL = CorpusSettings(
    seed=11,
    users=12_000,
    categories={"Garden_Tools": 2018, "Board_Games": 2014},
    formats=["ratings", "reviews", "metadata"],
    compress=True,
    category_skew=0.0,
    further_category_share=0.1,
    processes=1,
    block_users=2_500,
    single_share=0.84,
    active_share=0.06,
    mean_active_events=10.0,
    max_events=40,
    themes=8,
    stages=6,
    brands=3,
    best_sellers=10,
    theme_skew=0.8,
    best_seller_share=0.12,
    impulse_share=0.1,
    skip_share=0.2,
    abandon_share=0.05,
    successor_share=0.6,
    brand_loyalty=0.75,
    same_day_share=0.22,
    last_day_share=0.4,
    mean_gap_days=30.0,
    duplicate_share=0.013,
    altered_share=0.3,
    malformed_per_kind=2,
    metadata_repeats=0.46,
    without_metadata=0.05,
)


@dataclass(frozen=True, kw_only=True)
class Corpus:
    folder: Path
    settings: CorpusSettings
    summary: CorpusSummary

    def file(self, name: str) -> FileSummary:
        return next(file for file in self.summary.files if file.name == name)


@pytest.fixture(scope="session")
def small_settings() -> CorpusSettings:
    return SMALL


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("corpus")
    return Corpus(folder=folder, settings=SMALL, summary=write_corpus(folder, SMALL))

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from report.hand_written import START, decisions, diary, lineage, rounds, shapes

from sequoia.config import load_config
from sequoia.report.page import SECTIONS, Evidence, render_page
from sequoia.report.ran import RanWith
from sequoia.report.summarise import result_paths, summarise

VOID = {"meta", "br", "path", "use", "rect"}


@pytest.fixture(scope="module")
def page() -> str:
    config = load_config(overrides=["workspace=/shop", "ingest.raw=/data", "ingest.category=Garden_Tools"])
    lines = diary()
    evidence = Evidence(
        summary=summarise(lines, result_paths(config)),
        lines=lines,
        shapes=shapes(),
        rounds=rounds(),
        decisions=decisions(),
        lineage=lineage(),
        ran=[ran()],
    )
    return render_page(config, evidence)


def ran() -> RanWith:
    return RanWith(
        run_id="run1",
        started=START,
        actor="ada",
        code="0.2.0+1a2b3c4d5e6f",
        settings_hash="5e77195",
        packages={"python": "3.11.2", "pyspark": "3.5.9", "torch": "2.13.0"},
    )


class Outline(HTMLParser):
    """Collects elements and checks that each is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.crossed: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.crossed.append(tag)


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    parser = Outline()
    parser.feed(page)
    return parser


def test_the_page_is_well_formed(outline: Outline) -> None:
    assert outline.crossed == []
    assert outline.open == []


def test_the_page_loads_nothing_and_runs_nothing(page: str, outline: Outline) -> None:
    tags = {tag for tag, _ in outline.seen}
    assert tags.isdisjoint({"script", "link", "img", "iframe", "image", "object", "embed", "base"})
    for tag, attributes in outline.seen:
        for name in ("href", "xlink:href", "src", "srcset", "action", "data"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
    assert "@import" not in page
    assert set(re.findall(r"url\((.)", page)) <= {"#"}
    assert "//" not in re.sub(r"sqlite:/+", "", page)


def test_every_reference_inside_the_page_has_one_target(page: str, outline: Outline) -> None:
    ids = [attributes["id"] for _, attributes in outline.seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    referred = set(re.findall(r'(?:href="#|url\(#)([^")]+)', page))
    assert referred
    assert referred <= set(ids)


def test_texts_from_the_data_are_escaped(page: str) -> None:
    assert "<b>& more" not in page
    assert page.count("Garden &#34;Secrets&#34; &lt;b&gt;&amp; more&lt;/b&gt;") == 8


def test_every_section_has_its_numbers(page: str) -> None:
    parts = {
        found.group(1): found.group(2)
        for found in re.finditer(r'<section id="(\w+)">(.*?)</section>', page, re.S)
    }
    assert set(parts) == set(SECTIONS)
    told = {
        "data": ["ratings_Tools.csv", "5,200", "not JSON", "all 3 files", "6,450"],
        "core": ["5-core", "1,960", "210 users"],
        "training": ["version 2 (data f00d)", "horovod, 2 processes", "run-sasrec", "0.0542"],
        "metrics": [
            "0.0759 <small>[0.0719, 0.0799]",
            "not comparable with full ranking",
            "95 %",
            "coverage@10",
        ],
        "promotion": ['class="passed">210 test users', "sasrec promoted", "refused"],
        "shoppers": ["A1XQ", "Hand trowel", "B000001"],
        "lineage": ["recommendations, version 3", "run-sasrec", "training, version 2", "sum-of-1", "1.2 MB"],
        "stages": ["recommend", "8.5", "40.0", "ada", "0.2.0+1a2b3c4d5e6f", "5e77195", "2.13.0"],
    }
    for section, texts in told.items():
        for text in texts:
            assert text in parts[section], (section, text)


def test_plots_are_drawn_with_text_and_the_colours_of_the_page(page: str) -> None:
    plots = re.findall(r"<svg.*?</svg>", page, re.S)
    assert len(plots) == 9
    words = [re.findall(r"<text[^>]*>([^<]*)</text>", plot) for plot in plots]
    assert [("stars" in found, "epoch" in found, "ndcg@10" in found) for found in words].count(
        (False, True, False)
    ) == 2
    assert "interactions per month" in words[0]
    for plot in plots:
        assert "var(--series-" in plot
        assert not re.search(r"(?:fill|stroke): #", plot)


def test_the_title_is_the_category(page: str) -> None:
    assert "<h1>Garden Tools</h1>" in page

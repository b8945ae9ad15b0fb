"""A small shop's diary, written by hand: what nine stages would have said of themselves."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sequoia.report.decisions import PastDecision
from sequoia.report.diary import Line
from sequoia.report.lineage import Lineage, RawFile, chain
from sequoia.report.origin import Origin, ScoredFrom
from sequoia.report.shapes import Round, Shapes
from sequoia.road.stage import Context

START = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
WILD_TITLE = 'Garden "Secrets" <b>& more</b>'
FILES = [
    {"name": "Tools_5.json.gz", "lines": 1000, "kept": 900, "quarantined": 40, "duplicates": 60},
    {"name": "ratings_Tools.csv", "lines": 5200, "kept": 5000, "quarantined": 0, "duplicates": 200},
    {"name": "meta_Tools.json.gz", "lines": 250, "kept": 240, "quarantined": 3, "duplicates": 7},
]
KCORE = {"k": 5, "rounds": 3, "users": 210, "items": 85, "interactions": 1900}


def metric(value: float, half: float) -> dict[str, float]:
    return {"value": value, "low": round(value - half, 6), "high": round(value + half, 6)}


def metrics(scale: float) -> dict[str, dict[str, float | None]]:
    """Return made-up metrics: larger for a larger scale and a later cut-off."""
    found: dict[str, dict[str, float | None]] = {}
    for name, share in (("hr", 1.0), ("ndcg", 0.6), ("mrr", 0.4)):
        for cutoff in (1, 5, 10, 20):
            found[f"{name}@{cutoff}"] = {**metric(round(scale * share * cutoff**0.5, 6), 0.004)}
    for cutoff in (1, 5, 10, 20):
        found[f"coverage@{cutoff}"] = {"value": round(0.1 * cutoff**0.5, 6), "low": None, "high": None}
    found["shown_popularity@10"] = {"value": 0.25, "low": None, "high": None}
    return found


def sampled(scale: float) -> dict[str, dict[str, float | None]]:
    return {name: values for name, values in metrics(scale).items() if values["low"] is not None}


def sasrec_history() -> list[dict[str, Any]]:
    return [
        {
            "epoch": epoch,
            "loss": 4.4 - 1.6 * (1 - 0.8**epoch),
            "valid": {"ndcg@10": 0.055 * (1 - 0.7 ** (epoch + 1)), "hr@10": 0.1 * (1 - 0.7 ** (epoch + 1))},
            "seconds": 3.5,
            "targets": 1480,
        }
        for epoch in range(12)
    ]


def trained_models() -> dict[str, dict[str, Any]]:
    counted = {"epoch": 0, "loss": 0.0, "valid": {"ndcg@10": 0.0493}, "seconds": 1.5, "targets": 0}
    return {
        "counting": {
            "folder": "models/counting-c1",
            "fingerprint": "c1",
            "mlflow_run_id": "run-counting",
            "settings": {},
            "best_epoch": 0,
            "history": [counted],
        },
        "sasrec": {
            "folder": "models/sasrec-5a",
            "fingerprint": "5a",
            "mlflow_run_id": "run-sasrec",
            "settings": {},
            "best_epoch": 11,
            "history": sasrec_history(),
        },
    }


def details() -> dict[str, dict[str, Any]]:
    """Return what each stage of the road says, the report apart."""
    return {
        "ingest": {
            "files": FILES,
            "interactions": 5900,
            "products": 240,
            "reasons": {"not JSON": 38, "time before 1995-01-01": 5},
        },
        "index": {"users": 810, "items": 240, "active": {"users": 800, "items": 230}},
        "sequences": {"kcore": KCORE, "sequences": 210, "training_rows": 205, "time_cuts": [1, 2]},
        "negatives": {"candidates": 100},
        "train": {
            "models": trained_models(),
            "snapshot": {"table": "training", "version": 2, "fingerprint": "f00d"},
            "launcher": "horovod",
            "processes": 2,
        },
        "evaluate": {
            "metrics": {"counting": metrics(0.024), "sasrec": metrics(0.028)},
            "valid": {"counting": metrics(0.025), "sasrec": metrics(0.029)},
            "sampled": {
                "sampled-uniform": {"counting": sampled(0.11), "sasrec": sampled(0.13)},
                "sampled-popularity": {"counting": sampled(0.07), "sasrec": sampled(0.08)},
            },
            "users": 210,
        },
        "promote": {
            "model": {"name": "sequoia-next-item", "version": "3", "alias": "champion"},
            "action": "promoted",
            "challenger": "sasrec",
            "reasons": [
                "210 test users, passed: at least 20 needed",
                "ndcg@10 minus that of counting is 0.0076 [0.0012, 0.0140], passed: a lower end above 0",
            ],
        },
        "recommend": {
            "recommendations": {"users": 800, "k": 10},
            "model": {"name": "sequoia-next-item", "version": "3", "alias": "champion"},
            "basis": {"sequence": 790, "popular": 10},
            "samples": [shopper("A1XQ"), shopper("B2ZR")],
        },
    }


def shopper(user: str) -> dict[str, Any]:
    titles = [WILD_TITLE, None, "Cordless drill with two batteries, charger and a case " * 3]
    return {
        "user": user,
        "history": ["Hand trowel", "B000123456", "Watering can, 10 litres"],
        "recommended": [
            {"item": f"B00000{place}", "title": titles[place % 3], "score": 9.25 - place}
            for place in range(10)
        ],
    }


def diary() -> dict[str, Line]:
    """Return the lines of one run, a minute apart."""
    return {
        stage: Line(
            stage=stage,
            run_id="run1",
            finished=START + timedelta(minutes=minute),
            seconds=1.5 + minute,
            rows_in=1000 * (minute + 1),
            rows_out=100 * (minute + 1),
            details=said,
            reads={"interactions": 1, "item_index": 0, "user_index": 0} if stage == "sequences" else {},
            writes=WRITES.get(stage, {}),
        )
        for minute, (stage, said) in enumerate(details().items())
    }


WRITES = {
    "ingest": {"interactions": 1, "files": 1},
    "sequences": {"sequences": 4, "training": 2, "kcore": 1},
    "recommend": {"recommendations": 3},
}


def append_lines(context: Context, *lines: Line) -> None:
    """Write lines to stage_runs, as sequoia.road.diary does."""
    same = {"status": "done", "error": None, "error_type": None, "settings_hash": "5e77"}
    rows = [{**same, **vars(line), "details": json.dumps(line.details)} for line in lines]
    context.tables.add_rows("stage_runs", rows)


def shapes() -> Shapes:
    months = [f"{year}-{month:02}" for year in range(2009, 2018) for month in range(1, 13)]
    return Shapes(
        period="month",
        events={month: 10 + place**2 // 40 for place, month in enumerate(months)},
        stars={"1": 400, "2": 300, "3": 600, "4": 1200, "5": 3400},
        lengths={length: 2000 // length**2 for length in range(5, 51)},
    )


def rounds() -> list[Round]:
    left = [(800, 230, 5900), (260, 110, 2300), (220, 90, 1960), (210, 85, 1900)]
    return [Round(round=n, users=u, items=i, interactions=e) for n, (u, i, e) in enumerate(left)]


def decisions() -> list[PastDecision]:
    first = PastDecision(
        decided=START, action="refused", challenger="counting", champion_before=None, champion_after=None
    )
    second = PastDecision(
        decided=START, action="promoted", challenger="sasrec", champion_before="2", champion_after="3"
    )
    return [second, first]


def origin() -> Origin:
    return Origin(
        kind="sasrec",
        fingerprint="5a",
        mlflow_run="run-sasrec",
        store="sqlite:////shop/mlflow.db",
        training_version=2,
        training_data="f00d",
        training_rows="205",
    )


def scored() -> ScoredFrom:
    return ScoredFrom(
        table_version=3,
        rows=800,
        registered_model="sequoia-next-item",
        version="3",
        interactions_version=1,
        run_id="run1",
        recommended=START,
    )


def lineage() -> Lineage:
    files = [
        RawFile(source=str(file["name"]), format="reviews", bytes=1_234_567, fingerprint=f"sum-of-{place}")
        for place, file in enumerate(FILES)
    ]
    return Lineage(steps=chain(scored(), origin(), list(diary().values())), files=files)

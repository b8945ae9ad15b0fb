"""The gate: which trained model may have the alias, and why the others may not. It reads and changes nothing.

The best model on validation asks first. If it does not pass, counting asks in its place: it is what the
best model has to beat, so on a tie counting is promoted. Only these two are judged on the test split: to
try every model there until one passes would be a lottery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sequoia.evaluate.problems import find_problems
from sequoia.modelling.trained import TrainedModel, read_refused
from sequoia.promote.evidence import (
    CHAMPION,
    Metrics,
    best_on_validation,
    gather,
    read_metrics,
    require_evaluated,
)
from sequoia.promote.rules import BASELINE, judge
from sequoia.promote.verdict import Verdict
from sequoia.road.stage import Context
from sequoia.storage import Location
from sequoia.tracking import registry
from sequoia.tracking.connection import connect
from sequoia.tracking.registered_folder import fetch_folder, registered_cache


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the gate says.

    chosen: the trained model that passes, None when all are refused. unchanged: it is the champion already.
    verdicts: by model, in the order they were judged. figures: value, low, high and users of the metric, by
    model.
    """

    chosen: str | None
    unchanged: bool
    verdicts: dict[str, list[Verdict]]
    metric: str
    figures: dict[str, dict[str, float | None]]


def judge_models(
    context: Context, trained: Mapping[str, TrainedModel], champion: registry.Version | None
) -> Judgement:
    """Judge the trained models against each other and the champion.

    Raises UserError when a model, or the champion, was not evaluated since it was made.
    """
    settings = context.config.promote
    metrics = read_metrics(context)
    refused = read_refused(context.config.workspace_path)
    verdicts = {name: [_unsound(name, reason)] for name, reason in sorted(refused.items())}
    chosen, unchanged = None, False
    for name in _candidates(metrics, settings.metric, trained):
        if champion is not None and champion.fingerprint == trained[name].fingerprint:
            verdicts[name] = [_same(name, champion)]
            chosen, unchanged = name, True
            break
        opponent = _comparable(context, metrics, champion)
        evidence = gather(context, metrics, name, folder=trained[name].folder, champion=opponent)
        verdicts[name] = [*_about_champion(champion, opponent), *judge(evidence, settings)]
        if all(verdict.passed for verdict in verdicts[name]):
            chosen = name
            break
    return Judgement(
        chosen=chosen,
        unchanged=unchanged,
        verdicts=verdicts,
        metric=settings.metric,
        figures=_figures(metrics, settings.metric),
    )


def _candidates(metrics: Metrics, metric: str, trained: Mapping[str, TrainedModel]) -> list[str]:
    if not trained:
        return []
    fingerprints = {name: model.fingerprint for name, model in trained.items()}
    best = best_on_validation(metrics, metric, fingerprints)
    return [best, *([BASELINE] if BASELINE in trained and best != BASELINE else [])]


def _comparable(context: Context, metrics: Metrics, champion: registry.Version | None) -> Location | None:
    """Return the champion's folder; None when there is none, or none to compare with."""
    if champion is None or not context.config.promote.compare_champion:
        return None
    if CHAMPION in find_problems(context):
        return None
    require_evaluated(metrics, CHAMPION, context.config.promote.metric, champion.fingerprint)
    return fetch_folder(connect(context.config), champion, registered_cache(context.config))


def _about_champion(champion: registry.Version | None, opponent: Location | None) -> list[Verdict]:
    if champion is None or opponent is not None:
        return []
    reason = (
        f"champion version {champion.number} is not compared with, passed: it is not sound, "
        "or promote.compare_champion is false"
    )
    return [Verdict(rule="champion", passed=True, reason=reason)]


def _unsound(name: str, reason: str) -> Verdict:
    return Verdict(rule="sound", passed=False, reason=f"{name} is not sound, failed: {reason}")


def _same(name: str, champion: registry.Version) -> Verdict:
    reason = f"{name} with these settings and data is the champion already, version {champion.number}"
    return Verdict(rule="champion", passed=True, reason=reason)


def _figures(metrics: Metrics, metric: str) -> dict[str, dict[str, float | None]]:
    return {
        model: {
            "value": row.interval.value,
            "low": row.interval.low,
            "high": row.interval.high,
            "users": float(row.users),
        }
        for (model, split, name), row in metrics.items()
        if (split, name) == ("test", metric)
    }

"""Train every configured model on a pinned snapshot; each becomes a model folder and an MLflow run.

A model whose settings and data were trained before is taken from its folder; an interrupted one goes on from
its checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tqdm import tqdm

from sequoia.config.models import check_models
from sequoia.distributed.launch import Order, launch
from sequoia.errors import DivergedError, UserError
from sequoia.local_files import replace_text
from sequoia.modelling.registry import find_model, fits_itself
from sequoia.modelling.trained import CHECKPOINTS, DONE, TrainedModel, forget, write_trained
from sequoia.modelling.trained_on import TrainedOn
from sequoia.road.stage import Context, StageResult
from sequoia.sequences.identity import current_sequences
from sequoia.storage import Location, relative_to, remove, uri
from sequoia.tables.snapshot_file import Snapshot
from sequoia.tracking.runs import Run
from sequoia.training.checkpoint_folder import has_checkpoint
from sequoia.training.data import training_data
from sequoia.training.earlier_model import earlier_model
from sequoia.training.epoch_report import progress_bar, report
from sequoia.training.inputs import Inputs, written_inputs
from sequoia.training.pairs import TABLE as PAIRS
from sequoia.training.runs import training_run
from sequoia.training.spec import TrainingSpec, fingerprint

UNFINISHED = "mlflow_run.unfinished"  # in a model folder, until the training has ended


def run(context: Context) -> StageResult:
    """Pin the training table, train the models one after the other, and name them in models/latest.json."""
    settings = context.config.training
    check_models(context.config.models, settings.models)
    pinned = training_data(context)
    if not pinned.rows:
        raise UserError(
            "the training table is empty: run `sequoia sequences` on more data, or lower sequences.k"
        )
    marks: dict[str, str] = {kind: _mark(context, kind, pinned) for kind in settings.models}
    trained: dict[str, TrainedModel] = {
        kind: found for kind, mark in marks.items() if (found := _trained_before(context, kind, mark))
    }
    missing = [kind for kind in settings.models if kind not in trained]
    diverged = _train_all(context, missing, marks, pinned, trained) if missing else {}
    write_trained(context.config.workspace_path, context.run_id, trained, diverged)
    if not trained:
        raise UserError("; ".join(f"{kind}: {reason}" for kind, reason in diverged.items()))
    details = {
        "models": {kind: _about(context, trained[kind]) for kind in settings.models if kind in trained},
        "refused": diverged,
        "snapshot": {"table": pinned.table, "version": pinned.version, "fingerprint": pinned.fingerprint},
        "launcher": settings.launcher,
        "processes": settings.processes,
    }
    return StageResult(rows_in=pinned.rows, rows_out=len(trained), details=details)


def _train_all(
    context: Context,
    kinds: Sequence[str],
    marks: Mapping[str, str],
    pinned: Snapshot,
    trained: dict[str, TrainedModel],
) -> dict[str, str]:
    """Train into `trained`; return why models were refused: one that diverges does not stop the others."""
    origin = current_sequences(context)
    diverged = {}
    with written_inputs(
        context, pinned, with_pairs=any(find_model(kind).fitted_on == PAIRS for kind in kinds)
    ) as inputs:
        for kind in kinds:
            try:
                trained[kind] = _train(context, kind, marks[kind], pinned, inputs, origin)
            except DivergedError as error:
                context.say(f"{kind} is refused: {error}")
                forget(context.config.workspace_path, _folder(context, kind, marks[kind]))
                diverged[kind] = str(error)
    return diverged


def _settings(context: Context, kind: str) -> dict[str, Any]:
    settings: dict[str, Any] = getattr(context.config.models, kind).model_dump()
    return settings


def _mark(context: Context, kind: str, pinned: Snapshot) -> str:
    config = context.config
    return fingerprint(
        kind,
        _settings(context, kind),
        config.training,
        config.loss,
        config.features,
        config.seed,
        pinned,
        hide_seen=config.recommend.hide_seen,
    )


def _folder(context: Context, kind: str, mark: str) -> Location:
    return context.config.workspace_path / "models" / f"{kind}-{mark}"


def _trained_before(context: Context, kind: str, mark: str) -> TrainedModel | None:
    folder = _folder(context, kind, mark)
    if not (context.config.training.resume and (folder / DONE).is_file()):
        return None
    context.say(f"{kind}: taken from {folder.name}, trained before on the same data with the same settings")
    run_id = (folder / DONE).read_text(encoding="utf-8")
    return TrainedModel(folder=folder, mlflow_run_id=run_id, fingerprint=mark)


def _train(
    context: Context, kind: str, mark: str, pinned: Snapshot, inputs: Inputs, origin: TrainedOn
) -> TrainedModel:
    config, folder = context.config, _folder(context, kind, mark)
    remove(folder / DONE)  # of an earlier training: until this one has ended the folder is no model
    store = config.workspace_path / CHECKPOINTS / folder.name
    snapshot = inputs.pairs if find_model(kind).fitted_on == PAIRS else pinned
    assert snapshot is not None
    model, goes_on = _settings(context, kind), config.training.resume and has_checkpoint(store)
    with training_run(
        context,
        kind,
        model,
        mark,
        pinned,
        unfinished=folder / UNFINISHED,
        goes_on=goes_on,
    ) as run:
        spec = TrainingSpec(
            kind=kind,
            model=model,
            training=config.training,
            loss=config.loss,
            features=config.features,
            seed=config.seed,
            snapshot=snapshot,
            inputs=inputs.folder,
            folder=folder,
            checkpoints=store,
            trained_on=origin,
            hide_seen=config.recommend.hide_seen,
            warm_start=earlier_model(context, kind),
        )
        with progress_bar(context) as bar:
            spec.write()
            launch(_order(context, spec), lambda note: report(context, kind, run, note, bar))
            if goes_on:
                _report_rest(context, kind, run, folder, bar)
    replace_text(folder / DONE, run.id)
    return TrainedModel(folder=folder, mlflow_run_id=run.id, fingerprint=mark)


def _report_rest(context: Context, kind: str, run: Run, folder: Location, bar: tqdm) -> None:
    """Report epochs that ended when nobody listened any more: the training was just being interrupted."""
    logged = run.logged_steps("train/loss")
    for note in json.loads((folder / "model.json").read_text(encoding="utf-8"))["history"]:
        if note["epoch"] not in logged:
            report(context, kind, run, note, bar)


def _order(context: Context, spec: TrainingSpec) -> Order:
    training, alone = spec.training, fits_itself(spec.kind)
    return Order(
        module=f"sequoia.training.{'fit_process' if alone else 'loop_process'}",
        arguments=[uri(spec.place), training.launcher],
        launcher="single" if alone else training.launcher,
        processes=training.processes,
        threads=training.threads * training.processes if alone else training.threads,
        timeout_seconds=training.timeout_seconds,
        hosts=training.hosts,
        device=training.device,
        spark=context.spark,
    )


def _about(context: Context, model: TrainedModel) -> dict[str, Any]:
    about = json.loads((model.folder / "model.json").read_text(encoding="utf-8"))
    return {
        "folder": relative_to(model.folder, context.config.workspace_path),
        "fingerprint": model.fingerprint,
        "mlflow_run_id": model.mlflow_run_id,
        "settings": about["settings"],
        "best_epoch": about["best_epoch"],
        "history": about["history"],
    }

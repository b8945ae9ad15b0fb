"""What distinguishes today's sequences from those of another day, for models to remember."""

from __future__ import annotations

from functools import partial

from sequoia.buckets.blobs import one_chunk
from sequoia.buckets.shuffle import Report, map_tasks
from sequoia.modelling.trained_on import TrainedOn
from sequoia.road.stage import Context
from sequoia.sequences.held_out import HELD_OUT, Protocol, history_lengths, training_lengths
from sequoia.tables.parts import Part, read_columns

# Settings that do not move an event from one side of the split to the other.
TIMES = ("newest", "newest_training", "first_target")
WITHOUT_EFFECT = {"max_rounds", "max_length", "shards", "session_gap_minutes"}


def current_sequences(context: Context) -> TrainedOn:
    """Describe the newest version of `sequences`, by one pass over its lengths and times."""
    settings = context.config.sequences
    files = context.tables.files("sequences", written_by="sequences")
    told = map_tasks(context.spark, files, partial(_about, protocol=settings.split))
    found = {name: [report[name] for report in told if report[name] is not None] for name in TIMES}
    split = settings.model_dump(exclude=WITHOUT_EFFECT)
    if settings.split == "leave-one-out":
        split |= {"valid_share": None, "test_share": None}  # these cut the time split only
    return TrainedOn(
        table=context.tables.table_id("sequences"),
        version=context.tables.reads["sequences"],
        split=split | {"seed": context.config.seed},
        events=sum(report["events"] for report in told),
        newest=max(found["newest"], default=0),
        newest_training=max(found["newest_training"], default=0),
        first_target=min(found["first_target"], default=0),
    )


def _about(part: Part, *, protocol: Protocol) -> Report:
    """Report of a file the number of events, the newest, the newest that trains, the first that tests."""
    rows = read_columns(part.path, [*HELD_OUT, "times"])
    times = one_chunk(rows.column("times"))
    values, starts = times.flatten().to_numpy(), times.offsets.to_numpy()[:-1]
    trained = training_lengths(protocol, rows)
    targets = history_lengths("test", protocol, rows)
    of_training = values[(starts + trained - 1)[trained > 0]]
    of_targets = values[(starts + targets)[targets >= 0]]
    return {
        "events": len(values),
        "newest": int(values.max()) if len(values) else None,
        "newest_training": int(of_training.max()) if len(of_training) else None,
        "first_target": int(of_targets.min()) if len(of_targets) else None,
    }

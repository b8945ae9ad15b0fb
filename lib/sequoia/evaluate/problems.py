"""Which models are not sound, from what the tasks wrote beside the ranks."""

from __future__ import annotations

from collections import Counter

import pyarrow.compute as pc

from sequoia.buckets.shuffle import Report, map_tasks
from sequoia.road.stage import Context
from sequoia.tables.parts import Part, read_groups

# A user whose history nobody else shares may leave a sound model without a preference.
MAX_CONSTANT_SHARE = 0.5

SENTENCES = {
    "nan": "scores NaN for {count:,} of {rows:,} held-out events: lower training.learning_rate",
    "constant": "gives all items one score for {count:,} of {rows:,} held-out events: it has learned nothing",
    "index": "was trained on another item index than the vocabulary has now: run `sequoia train` again",
}


def find_problems(context: Context) -> dict[str, str]:
    """Return a sentence without subject for each model in `ranks` that is not sound, by name."""
    files = context.tables.files("ranks", written_by="evaluate")
    rows: Counter[str] = Counter()
    broken: Counter[tuple[str, str]] = Counter()
    for part, told in zip(files, map_tasks(context.spark, files, _count_problems), strict=True):
        model = part.partition["model"]
        rows[model] += told["rows"]
        broken.update({(model, problem): count for problem, count in told["problems"]})
    found: dict[str, str] = {}
    for (model, problem), count in broken.most_common():
        if problem == "constant" and count <= MAX_CONSTANT_SHARE * rows[model]:
            continue
        sentence = SENTENCES.get(problem, "cannot be opened ({problem}): train it again")
        found.setdefault(model, sentence.format(count=count, rows=rows[model], problem=problem))
    return found


def _count_problems(part: Part) -> Report:
    """Count the rows of a file, and those of each problem: few, as a folder is damaged for all alike."""
    rows, counts = 0, Counter[str]()
    for ranks in read_groups(part.path, ["problem"]):
        problems = ranks.column("problem")
        found = pc.value_counts(problems.drop_null()).to_pylist()
        rows += len(problems)
        counts.update({one["values"]: one["counts"] for one in found})
    return {"rows": rows, "problems": list(counts.items())}

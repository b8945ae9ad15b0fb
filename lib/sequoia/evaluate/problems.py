"""Which models are not sound, from what the workers wrote beside the ranks."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

# A user whose history nobody else shares may leave a sound model without a preference.
MAX_CONSTANT_SHARE = 0.5

SENTENCES = {
    "nan": "scores NaN for {count:,} of {rows:,} held-out events: lower training.learning_rate",
    "constant": "gives all items one score for {count:,} of {rows:,} held-out events: it has learned nothing",
    "index": "was trained on another item index than the vocabulary has now: run `sequoia train` again",
}


def find_problems(ranks: DataFrame) -> dict[str, str]:
    """Return a sentence without subject for each model that is not sound, by name."""
    rows = ranks.groupBy("model").agg(F.count("*").alias("rows")).collect()  # a handful of models
    totals = {row["model"]: row["rows"] for row in rows}
    broken = ranks.where("problem IS NOT NULL")
    # A handful of problems for each model; what a damaged folder says is the same for all of its rows.
    counted = broken.groupBy("model", "problem").count().orderBy(F.desc("count")).limit(100).collect()
    found: dict[str, str] = {}
    for row in counted:
        model, problem, count = row["model"], row["problem"], row["count"]
        if problem == "constant" and count <= MAX_CONSTANT_SHARE * totals[model]:
            continue
        sentence = SENTENCES.get(problem, "cannot be opened ({problem}): train it again")
        found.setdefault(model, sentence.format(count=count, rows=totals[model], problem=problem))
    return found

"""The silver tables: interactions and items without duplicates, quarantine, and the accounts."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.ingest.accounts import Account, account, count_copies, count_lines
from sequoia.ingest.duplicates import rank_events, rank_products, with_item_columns
from sequoia.ingest.inputs import Input
from sequoia.stage import Context

Counts = dict[str, dict[str, int]]


def write_silver(context: Context, inputs: list[Input]) -> list[Account]:
    """Write interactions, items, quarantine and, last, the accounts, which make the ingest valid."""
    tables = context.tables
    events, products = tables.read("events"), tables.read("products")
    ranked_events, ranked_products = rank_events(events).persist(), rank_products(products).persist()
    try:
        tables.overwrite("interactions", ranked_events.where("copy = 1"))
        tables.overwrite("items", with_item_columns(ranked_products.where("copy = 1")))
        kept = _by_source(count_copies(ranked_events).unionByName(count_copies(ranked_products)))
    finally:
        ranked_events.unpersist()
        ranked_products.unpersist()
    read = _by_source(count_lines(events).unionByName(count_lines(products)))
    tables.overwrite("quarantine", _quarantined(events).unionByName(_quarantined(products)))
    accounts = [account(entry.file, entry.form, entry.fingerprint, read, kept) for entry in inputs]
    rows = [entry.as_row() for entry in accounts]
    tables.overwrite("files", context.spark.createDataFrame(rows, tables.schema("files")).coalesce(1))
    return accounts


def _quarantined(bronze: DataFrame) -> DataFrame:
    return bronze.where(F.col("reason").isNotNull()).select("source", "line", "reason", "raw").coalesce(1)


def _by_source(counts: DataFrame) -> Counts:
    """Bring counts to the driver: one row per file."""
    return {row["source"]: {name: row[name] for name in counts.columns[1:]} for row in counts.collect()}

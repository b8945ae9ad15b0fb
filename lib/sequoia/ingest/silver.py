"""The silver tables: interactions and items without duplicates, quarantine, and the accounts."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sequoia.ingest.accounts import Account, Tally, account, count_copies, count_lines
from sequoia.ingest.duplicates import rank_events, rank_products, with_item_columns
from sequoia.ingest.inputs import Input, bronze_versions
from sequoia.road.stage import Context
from sequoia.together import together

Counts = dict[str, dict[str, int]]


def write_silver(context: Context, inputs: list[Input]) -> list[Account]:
    """Write interactions, items, quarantine and, last, the accounts, which make the ingest valid."""
    tables = context.tables
    events, products = tables.read("events"), tables.read("products")

    def quarantine() -> Counts:
        tables.overwrite("quarantine", _quarantined(events).unionByName(_quarantined(products)))
        return _by_source(count_lines(events).unionByName(count_lines(products)))

    kept_events, kept_products, read = together(
        lambda: _write_kept(context, "interactions", rank_events(events)),
        lambda: _write_kept(context, "items", with_item_columns(rank_products(products))),
        quarantine,
    )
    tally = Tally(read=read, kept={**kept_events, **kept_products}, versions=bronze_versions(context))
    accounts = [account(entry.file, entry.form, entry.fingerprint, tally) for entry in inputs]
    tables.replace_rows("files", [vars(entry) for entry in accounts])
    return accounts


def _write_kept(context: Context, table: str, ranked: DataFrame) -> Counts:
    """Write the lines that are kept, and count the fate of all; ranked once, as two jobs read it."""
    ranked.persist()
    try:
        context.tables.overwrite(table, ranked.where("copy = 1"))
        return _by_source(count_copies(ranked))
    finally:
        ranked.unpersist()


def _quarantined(bronze: DataFrame) -> DataFrame:
    return bronze.where(F.col("reason").isNotNull()).select("source", "line", "reason", "raw").coalesce(1)


def _by_source(counts: DataFrame) -> Counts:
    """Bring counts to the driver: one row per file."""
    return {row["source"]: {name: row[name] for name in counts.columns[1:]} for row in counts.collect()}

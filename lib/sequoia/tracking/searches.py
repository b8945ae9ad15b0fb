"""Searches in MLflow, which answers them page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sequoia.tracking.connection import Connection
from sequoia.tracking.registry_errors import asking


def all_pages(ask: Callable[[str | None], Any]) -> Iterator[Any]:
    """Yield the entries of all pages; `ask` is given the token of a page, None for the first."""
    token: str | None = None
    while True:
        page = ask(token)
        yield from page
        token = page.token
        if not token:
            return


def registered_models(connection: Connection) -> Iterator[str]:
    """Yield the name of every registered model that the registry shows to this user."""
    with asking(connection):
        client = connection.client
        for model in all_pages(lambda token: client.search_registered_models(page_token=token)):
            yield str(model.name)


def entries(connection: Connection, name: str) -> Iterator[Any]:
    """Yield MLflow's entry of every version of a registered model, none when there is no such model.

    Unity Catalog leaves the tags out.
    """
    quote = '"' if "'" in name else "'"
    wanted = f"name = {quote}{name}{quote}"
    with asking(connection):
        client = connection.client
        yield from all_pages(lambda token: client.search_model_versions(wanted, page_token=token))

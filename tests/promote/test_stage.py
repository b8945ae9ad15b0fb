from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from evaluate.world import train
from promote.evaluated import GOOD, POOR, USERS, evaluated

from sequoia.errors import UserError
from sequoia.promote.rollback import roll_back
from sequoia.promote.stage import run
from sequoia.stage import Context
from sequoia.tracking import registry
from sequoia.tracking.connection import connect


def alias_of(context: Context) -> str | None:
    found = registry.find_alias(connect(context.config), "champion")
    return found.number if found else None


def audit(context: Context) -> list[tuple[str, str | None, str | None, str | None]]:
    rows = context.tables.read("promotions").orderBy("decided").collect()
    return [(row["action"], row["version"], row["champion_before"], row["champion_after"]) for row in rows]


def test_from_no_champion_to_the_second_and_back(make_context: Callable[..., Context]) -> None:
    context = make_context()
    with pytest.raises(
        UserError, match=r"alias champion of registered model sequoia-next-item does not exist"
    ):
        roll_back(context)

    # Refused: the metric is too low, and nothing is registered.
    train(context, "one", counting=1)
    evaluated(context, counting=np.full(USERS, 50))
    result = run(context)
    assert result.details["action"] == "refused"
    assert result.details["model"] == {"name": "sequoia-next-item", "version": None, "alias": "champion"}
    assert any("failed: a lower end of at least 0.001" in reason for reason in result.details["reasons"])
    assert connect(context.config).client.search_registered_models() == []

    # First champion; the second time nothing changes.
    evaluated(context, counting=POOR)
    assert run(context).details["model"]["version"] == "1"
    assert run(context).details["action"] == "unchanged"

    # A challenger that is the best on validation but not better than the champion by more than chance.
    train(context, "two", sasrec=2)
    with pytest.raises(UserError, match=r"model sasrec with fingerprint sasrec-2 .*sequoia evaluate"):
        run(context)
    evaluated(context, mark="counting-1", sasrec=POOR, champion=POOR)
    refused = run(context)
    assert (refused.details["action"], refused.details["model"]["version"]) == ("refused", "1")
    assert alias_of(context) == "1"

    # A better one is promoted; it is compared with the champion and with the counting baseline.
    train(context, "three", sasrec=3, counting=4)
    evaluated(context, mark="counting-1", sasrec=GOOD, counting=POOR, champion=POOR)
    promoted = run(context)
    assert (promoted.details["challenger"], promoted.details["model"]["version"]) == ("sasrec", "2")
    compared = [reason.split(" is ")[0] for reason in promoted.details["reasons"] if " minus " in reason]
    assert compared == ["ndcg@10 minus that of counting", "ndcg@10 minus that of champion"]

    # Back to the first; there is nothing before it.
    assert roll_back(context) == (
        "alias champion of sequoia-next-item moved back from version 2 to version 1"
    )
    assert alias_of(context) == "1"
    with pytest.raises(UserError, match="named nothing before version 1"):
        roll_back(context)

    # The same model again takes its version, and makes no new one.
    assert run(context).details["model"]["version"] == "2"
    assert len(connect(context.config).client.search_model_versions("name = 'sequoia-next-item'")) == 2
    assert audit(context) == [
        ("refused", None, None, None),
        ("promoted", "1", None, "1"),
        ("unchanged", "1", "1", "1"),
        ("refused", None, "1", "1"),
        ("promoted", "2", "1", "2"),
        ("rolled back", None, "2", "1"),
        ("promoted", "2", "1", "2"),
    ]

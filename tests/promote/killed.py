"""Run the promote stage of a workspace and die, as by a power cut, right after one of its steps.

python killed.py WORKSPACE STEP
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any

from sequoia.config import load_config
from sequoia.promote import audit, intent, registration, stage, transaction
from sequoia.road.stage import Context
from sequoia.tracking import registry

# Each step of a promotion: the function that takes it, and which of its calls is meant.
STEPS: dict[str, tuple[ModuleType, str, int]] = {
    "intent claimed": (intent, "begin", 1),
    "intent in the audit": (audit, "record", 1),
    "model logged": (registration, "log_model", 1),
    "version registered": (registry, "register", 1),
    "version tagged": (registry, "set_tag", 1),
    "alias moved": (registry, "move_alias", 1),
    "move confirmed": (transaction, "_confirm", 1),
    "versions marked": (transaction, "_mark", 1),
    "outcome in the audit": (audit, "record", 2),
    "intent removed": (intent, "release", 1),
}
DIED = 9


def after(step: str, die: Callable[[], None], patch: Callable[[ModuleType, str, Any], None]) -> None:
    """Let the step be the last thing that happens."""
    module, name, call = STEPS[step]
    function, calls = getattr(module, name), [0]

    @wraps(function)
    def last(*given: Any, **named: Any) -> Any:
        result = function(*given, **named)
        calls[0] += 1
        if calls[0] == call:
            die()
        return result

    patch(module, name, last)


if __name__ == "__main__":
    workspace, chosen = sys.argv[1:]
    intent.SETTLE = 0.01
    after(chosen, lambda: os._exit(DIED), setattr)
    settings = ["spark.master=local[1]", "spark.driver_memory=1g"]
    stage.run(Context(load_config(overrides=[f"workspace={workspace}", *settings]), run_id="killed"))

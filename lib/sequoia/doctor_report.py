"""One line of the doctor's report, and the report as a table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the report; a check that is not needed only informs."""

    name: str
    ok: bool
    found: str
    wanted: str
    remedy: str = ""
    needed: bool = True


def render(checks: list[Check]) -> str:
    """Return the checks as a table, each remedy below its line."""
    name = max(len(check.name) for check in checks)
    found = max(len(check.found) for check in checks)
    lines = []
    for check in checks:
        mark = "ok" if check.ok else ("MISSING" if check.needed else "-")
        lines.append(
            f"{mark:<8}{check.name:<{name}}  {check.found:<{found}}  wanted: {check.wanted}".rstrip()
        )
        if not check.ok and check.remedy:
            lines.append(f"{'':8}{'':<{name}}  -> {check.remedy}")
    return "\n".join(lines)

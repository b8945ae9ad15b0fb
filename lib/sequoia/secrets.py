"""Secrets out of anything that is shown or stored: logs, messages, reports, tables and MLflow."""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "***"

# user:password@ in a URI, and parameters such as ?token=...&sig=...
_IN_URI = re.compile(r"(?P<before>[a-zA-Z][\w+.-]*://[^/\s:@]*:)[^/\s@]+(?=@)")
_IN_PAIR = re.compile(
    r"(?P<before>\b[\w.-]*(?:password|passwd|secret|token|credential|api[_-]?key|access[_-]?key|account[._-]?key|sig)"
    r"[\w.-]*\s*[=:]\s*)(?P<quote>['\"]?)[^\s'\"&,;}]+",
    flags=re.IGNORECASE,
)
_SECRET_KEY = re.compile(
    r"password|passwd|secret|token|credential|api[_-]?key|access[_-]?key|account[._-]?key", re.I
)


def redact(text: str) -> str:
    """Return a text with passwords of URIs and values of telling names replaced by ***."""
    plain = _IN_URI.sub(rf"\g<before>{HIDDEN}", text)
    return _IN_PAIR.sub(rf"\g<before>\g<quote>{HIDDEN}", plain)


def redact_values(values: Any) -> Any:
    """Return JSON-like values with every text redacted, and whole values under telling keys."""
    if isinstance(values, dict):
        return {
            key: HIDDEN
            if value and isinstance(value, str) and _SECRET_KEY.search(str(key))
            else redact_values(value)
            for key, value in values.items()
        }
    if isinstance(values, (list, tuple)):
        return [redact_values(value) for value in values]
    return redact(values) if isinstance(values, str) else values

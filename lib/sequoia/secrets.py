"""Secrets out of anything that is shown or stored: logs, messages, reports, tables and MLflow.

Known by their place: the password in a URI, the value behind a telling name (password=, fs.s3a.secret.key:),
a bearer's token, and tokens of a form of their own. A password in a URI with an unescaped / or @ is hidden up
to the last @ that may belong to it.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

HIDDEN = "***"

# The authority ends at the first of / ? #. What looks like host:port/... is none with a password.
_IN_URI = re.compile(
    r"(?P<before>(?<![\w+.-])[a-zA-Z][\w+.-]{0,40}://[^/\s:@'\"]*:)"
    r"(?:[^/?#\s'\"]+(?=@)|(?!\d{1,5}(?:[/?#\s'\"]|$))[^\s'\"]+?(?=@))"
)
# name=value, name: value, "name": "value"; the name must begin a word, so that long texts are read once.
_NAME = re.compile(r"(?<![\w.-])(?P<key>[A-Za-z][\w.-]*)(?P<sign>[\"']?\s*[=:]\s*)")
_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s'\"&,;{}()\[\]<>]+")
_BEARER = re.compile(r"(?P<before>\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}")
# Databricks, GitHub, JSON web tokens.
_TOKEN = re.compile(r"\b(?:dapi[0-9a-f]{32}(?:-\d)?|gh[pousr]_\w{36,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)")
_TELLING = {
    *("password", "passwd", "passphrase", "pwd", "secret", "secrets", "token", "credential", "credentials"),
    *("apikey", "sas", "sig", "signature"),
}
_KEYS = {"api", "access", "account", "private", "secret", "storage", "encryption"}  # ... key
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def redact(text: str) -> str:
    """Return a text of ours, such as a message or a log line, with its secrets replaced by ***."""
    return _hide(text, signs="=:")


def redact_values(values: Any) -> Any:
    """Return JSON-like values with their secrets hidden: in texts, and whole values under telling names.

    Texts here may be data: a product called "The Secret: Part 2" keeps its name.
    """
    if isinstance(values, dict):
        return {key: _redact_entry(str(key), value) for key, value in values.items()}
    if isinstance(values, (list, tuple)):
        return [redact_values(value) for value in values]
    return _hide(values, signs="=") if isinstance(values, str) else values


def is_telling(name: str) -> bool:
    """Say whether a name promises a secret: access.key does, tokens and monkey do not."""
    parts = [part.lower() for part in _PARTS.findall(name)]
    keys = (before in _KEYS and part == "key" for before, part in pairwise(parts))
    return any(part in _TELLING for part in parts) or any(keys)


def _redact_entry(key: str, value: Any) -> Any:
    secret = isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != ""
    return HIDDEN if secret and is_telling(key) else redact_values(value)


def _hide(text: str, *, signs: str) -> str:
    text = _IN_URI.sub(rf"\g<before>{HIDDEN}", text)
    text = _TOKEN.sub(HIDDEN, text)
    text = _BEARER.sub(rf"\g<before>{HIDDEN}", text)
    return _hide_pairs(text, signs)


def _hide_pairs(text: str, signs: str) -> str:
    parts: list[str] = []
    done = 0
    for name in _NAME.finditer(text):
        # Behind a quoted name : is as good as =.
        sign = name["sign"]
        telling = is_telling(name["key"]) and (sign.strip()[-1] in signs or sign[0] in "\"'")
        value = _VALUE.match(text, name.end()) if telling and name.start() >= done else None
        if value:
            quote = value[0][0] if value[0][0] in "\"'" else ""
            parts += [text[done : name.end()], quote, HIDDEN, quote]
            done = value.end()
    return "".join([*parts, text[done:]])

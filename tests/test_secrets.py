"""What is hidden, and what only looks like a secret."""

from __future__ import annotations

import pytest

from sequoia.secrets import is_telling, redact, redact_values


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # passwords of URIs
        ("http://me:pa55@host:5000/api", "http://me:***@host:5000/api"),
        ("postgresql+psycopg2://me:p@ss:w@db/mlflow", "postgresql+psycopg2://me:***@db/mlflow"),
        ("http://me:12345@host", "http://me:***@host"),
        ("http://me:pa/55@host", "http://me:***@host"),
        ("store 'mysql://me:x y' and http://a:b@c.", "store 'mysql://me:x y' and http://a:***@c."),
        ("http://:only@host", "http://:***@host"),
        # parameters of URIs
        ("https://a.blob/x?sv=1&sig=ab%2Bc%3D&se=2", "https://a.blob/x?sv=1&sig=***&se=2"),
        ("s3://b/k?X-Amz-Signature=0a1b&X-Amz-Date=2", "s3://b/k?X-Amz-Signature=***&X-Amz-Date=2"),
        ("jdbc:postgresql://h/db?user=a&password=b", "jdbc:postgresql://h/db?user=a&password=***"),
        # pairs
        ("spark.hadoop.fs.s3a.secret.key=abc/def+1", "spark.hadoop.fs.s3a.secret.key=***"),
        (
            "{fs.azure.account.key.me.dfs.core.windows.net: q==}",
            "{fs.azure.account.key.me.dfs.core.windows.net: ***}",
        ),
        ("password='two words' user=me", "password='***' user=me"),
        ('{"token": "a b", "k": 5}', '{"token": "***", "k": 5}'),
        ("MLFLOW_TRACKING_PASSWORD=x sequoia run", "MLFLOW_TRACKING_PASSWORD=*** sequoia run"),
        ("trustStorePassword: changeit", "trustStorePassword: ***"),
        ("tracking.uri=http://me:pa55@host", "tracking.uri=http://me:***@host"),
        ("options=token=abc", "options=token=***"),
        # tokens by their form
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer ***"),
        (f"with dapi{'0a' * 16} inside", "with *** inside"),
    ],
)
def test_secrets_are_hidden(text: str, shown: str) -> None:
    assert redact(text) == shown
    assert redact(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "training.epochs=3, sigma=0.5, design: round",
        "12,345 tokens: 5.0 s, tokens_per_second=300",
        "http://host:5000/models@v2",
        "http://host:5000/a and me@example.com",
        "abfss://container@account.dfs.core.windows.net/folder",
        "registering sasrec as main.sequoia.next_item: done",
        "monkey: 5, keyboard=qwerty, primary_key=id, passes=2, assignment: x",
        "spark.sql.shuffle.partitions=8",
        "s3://bucket/secret-garden/part-1.parquet",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_values_under_telling_names_are_hidden_and_texts_from_data_stay() -> None:
    values = {
        "conf": {"fs.s3a.access.key": "AKIA", "fs.s3a.endpoint": "http://me:x1@minio", "n": 5},
        "password": 12345,
        "secret": None,
        "token": "",
        "samples": [{"title": "The Secret: Part 2"}, {"title": "Token: a novel"}],
        "command": "sequoia run spark.conf.fs.s3a.secret.key=abc",
        "resume": True,
    }
    assert redact_values(values) == {
        "conf": {"fs.s3a.access.key": "***", "fs.s3a.endpoint": "http://me:***@minio", "n": 5},
        "password": "***",
        "secret": None,
        "token": "",
        "samples": [{"title": "The Secret: Part 2"}, {"title": "Token: a novel"}],
        "command": "sequoia run spark.conf.fs.s3a.secret.key=***",
        "resume": True,
    }


def test_telling_names() -> None:
    assert all(
        map(is_telling, ("client_secret", "apiKey", "API_KEY", "sasToken", "x-amz-credential", "SECRET"))
    )
    assert not any(map(is_telling, ("tokens", "secretary", "key", "item_key", "sigma", "passed", "design")))


def test_a_page_with_pictures_is_read_once() -> None:
    """A report holds pictures as runs of a million letters: squares of that would never end."""
    text = "a" * 1_000_000 + " " + "http://" + "b:" * 100_000 + " x=" * 100_000
    assert redact(text) == text

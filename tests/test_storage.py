"""Locations: what Python opens and what Spark is given, for every scheme."""

from __future__ import annotations

from pathlib import Path

import pytest

from sequoia import storage
from sequoia.config import load_config
from sequoia.errors import UserError
from sequoia.storage import entries, from_encoded, is_local, locate, relative_to, remove, spark_uri, uri

AZURE = "abfss://shop@acct.dfs.core.windows.net"


@pytest.mark.parametrize(
    ("text", "python", "spark"),
    [
        ("/data/raw", "/data/raw", "file:///data/raw"),
        (
            "/data/my `raw` [x] files#?%20",
            "/data/my `raw` [x] files#?%20",
            "file:///data/my `raw` [x] files#?%20",
        ),
        ("file:///data/raw", "/data/raw", "file:///data/raw"),
        ("file:/data/raw", "/data/raw", "file:///data/raw"),
        ("/Volumes/main/shop/raw", "/Volumes/main/shop/raw", "/Volumes/main/shop/raw"),
        ("dbfs:/Volumes/main/shop/raw", "/Volumes/main/shop/raw", "/Volumes/main/shop/raw"),
        ("dbfs:/shop/raw", "/dbfs/shop/raw", "dbfs:/shop/raw"),
        ("/dbfs/shop/raw", "/dbfs/shop/raw", "dbfs:/shop/raw"),
        ("s3a://bucket/my shop", "s3://bucket/my shop", "s3a://bucket/my shop"),
        ("s3://bucket/shop/", "s3://bucket/shop", "s3a://bucket/shop"),
        (f"{AZURE}/ws/a b", f"{AZURE}/ws/a b", f"{AZURE}/ws/a b"),
        (f"abfs://{AZURE.partition('//')[2]}/ws", f"{AZURE}/ws", f"{AZURE}/ws"),
        ("hdfs://name:8020/shop/ws", "hdfs://name:8020/shop/ws", "hdfs://name:8020/shop/ws"),
        ("hdfs://cluster/shop", "hdfs://cluster/shop", "hdfs://cluster/shop"),
        ("hdfs:///shop", "hdfs:///shop", "hdfs:///shop"),
        ("hdfs://me@name:8020/shop", "hdfs://me@name:8020/shop", "hdfs://me@name:8020/shop"),
    ],
)
def test_a_location_is_one_thing_to_python_and_one_to_spark(text: str, python: str, spark: str) -> None:
    found = locate(text)
    assert (uri(found), spark_uri(found)) == (python, spark)
    assert is_local(found) == python.startswith("/")
    assert uri(locate(uri(found))) == python
    inside = found / "warehouse" / "items"
    assert (uri(inside), spark_uri(inside)) == (f"{python}/warehouse/items", f"{spark}/warehouse/items")
    assert relative_to(inside, found) == "warehouse/items"


def test_a_path_without_scheme_is_this_machine_s_and_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    monkeypatch.setenv("HOME", "/home/me")
    assert spark_uri(locate("shop/raw")) == "file:///shop/raw"
    assert spark_uri(locate("~/raw")) == "file:///home/me/raw"
    assert uri(locate("C:raw")) == "/C:raw"  # a name may hold a colon


def test_files_that_spark_names_are_decoded() -> None:
    assert from_encoded("file:///a%20b/c%25d/part-0.parquet") == Path("/a b/c%d/part-0.parquet")
    assert uri(from_encoded("s3a://bucket/a%20b/part-0.parquet")) == "s3://bucket/a b/part-0.parquet"


def test_an_unknown_scheme_and_a_missing_package_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        UserError, match="has the scheme ftp, which sequoia cannot read: use a path, or one of file:"
    ):
        locate("ftp://host/raw")
    with pytest.raises(
        UserError, match="does not name a container and its account: write abfss://<container>@"
    ):
        locate("abfss://container/folder")
    monkeypatch.setattr(storage, "find_spec", lambda name: None)
    for text, package in (("s3a://b/x", "s3fs"), (f"{AZURE}/x", "adlfs"), ("hdfs://name/x", "pyarrow")):
        with pytest.raises(UserError) as refused:
            locate(text)
        assert str(refused.value) == (
            f"{text} needs the packages universal-pathlib (0.3 or newer) and {package}: install both in the "
            "Python of the driver and in that of the executors"
        )


def test_a_remote_workspace_needs_an_address_of_mlflow() -> None:
    with pytest.raises(
        UserError, match=r"sqlite file cannot lie in the remote workspace s3a://b/ws: set tracking\.uri"
    ):
        load_config(overrides=["workspace=s3a://b/ws"])
    config = load_config(overrides=["workspace=s3a://b/ws", "tracking.uri=http://localhost:5000"])
    assert uri(config.workspace_path) == "s3://b/ws"
    with pytest.raises(UserError, match="scheme gopher"):
        load_config(overrides=["workspace=gopher://b/ws"])


def test_entries_are_the_files_below_with_a_stamp_that_follows_their_contents(tmp_path: Path) -> None:
    for name in ("b/two.csv", "a.csv", "b/_delta_log/0.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    found = entries(tmp_path)
    assert [(entry.relative, entry.bytes) for entry in found] == [
        ("a.csv", 5),
        ("b/_delta_log/0.json", 19),
        ("b/two.csv", 9),
    ]
    assert [entry.relative for entry in entries(tmp_path / "a.csv")] == ["a.csv"]
    assert entries(tmp_path / "none") == []
    (tmp_path / "a.csv").write_text("other")
    assert [one.stamp != two.stamp for one, two in zip(found, entries(tmp_path), strict=True)] == [
        True,
        False,
        False,
    ]
    remove(tmp_path / "b")
    remove(tmp_path / "none")
    remove(tmp_path / "a.csv")
    assert entries(tmp_path) == []

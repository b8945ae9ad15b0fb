from __future__ import annotations

from pathlib import Path

import pytest

from sequoia.config import Config, load_config
from sequoia.errors import UserError
from sequoia.tracking import registry
from sequoia.tracking.connection import connect
from sequoia.tracking.runs import existing_run, metric_key, resume_run, start_run


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(overrides=[f"workspace={tmp_path / 'work space'}"])


def test_a_run_is_written_closed_and_gone_on_with(config: Config, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("hello")
    connection = connect(config)
    run = start_run(connection, "sasrec", {"table_version": "0"})
    run.log_params({f"setting.{number}": number for number in range(250)})
    run.log_metrics({"train/loss": 2.5}, step=1)
    run.log_artifact(tmp_path / "note.txt", "notes")
    run.finish("FAILED")
    resume_run(connect(config), run.id).log_metrics({"train/loss": 1.5}, step=2)
    existing_run(connection, run.id).finish()

    found = connection.client.get_run(run.id)
    assert found.info.status == "FINISHED"
    assert found.data.tags["table_version"] == "0"
    assert found.data.params["setting.249"] == "249"
    history = connection.client.get_metric_history(run.id, "train/loss")
    assert [(metric.step, metric.value) for metric in history] == [(1, 2.5), (2, 1.5)]
    stored = config.workspace_path / "mlartifacts" / run.id / "artifacts" / "notes" / "note.txt"
    assert stored.read_text() == "hello"


def test_both_connections_name_the_same_experiment(config: Config) -> None:
    assert connect(config).experiment_id == connect(config).experiment_id


def test_a_configured_server_wins_over_the_workspace() -> None:
    found = connect(load_config(overrides=["tracking.uri=databricks", "tracking.registry_uri=databricks-uc"]))
    assert (found.tracking_uri, found.registry_uri, found.artifacts) == ("databricks", "databricks-uc", None)


def test_artifacts_lie_beside_a_configured_sqlite_file_not_where_the_command_was_started(
    tmp_path: Path,
) -> None:
    found = connect(load_config(overrides=[f"tracking.uri=sqlite:///{tmp_path / 'shop.db'}"]))
    assert found.artifacts == (tmp_path / "mlartifacts").as_uri()


def test_an_alias_that_does_not_exist_names_alias_model_and_remedy(config: Config) -> None:
    connection = connect(config)
    assert registry.find_alias(connection, "champion") is None
    assert registry.find_version(connection, "7") is None
    with pytest.raises(
        UserError, match=r"alias champion of registered model sequoia-next-item.*sequoia promote"
    ):
        registry.required_alias(connection, "champion")


def test_metric_names_are_allowed_by_mlflow_and_sampled_ones_say_so() -> None:
    assert metric_key("test", "ndcg@10") == "test/ndcg_at_10"
    assert metric_key("test", "hr@1", "sampled-uniform") == "test/sampled-uniform/hr_at_1"

"""Configuration: strict keys, values with bounds, files that extend each other."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from sequoia.config import load_config
from sequoia.errors import UserError


def test_base_is_complete_and_overrides_change_one_value() -> None:
    base, changed = load_config(), load_config(overrides=["training.epochs=3"])
    assert changed.training.epochs == 3
    assert changed.model_copy(update={"training": base.training}) == base


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("training.epoch=3", "unknown setting training.epoch: did you mean training.epochs?"),
        ("trainig.epochs=3", "unknown setting trainig: did you mean training?"),
        ("loss.target_tile=0", "setting loss.target_tile"),
        ("training.epochs", "override 'training.epochs' is not of the form section.key=value"),
        ("=3", "override '=3' is not of the form section.key=value"),
        ("seed.of=1", "setting seed.of: seed is a value, not a section"),
        ("run_id=a b", "setting run_id: 'a b' must be 1 to 64 letters, digits and . _ -"),
        (
            "tracking.registered_model=it's",
            'setting tracking.registered_model: "it\'s" must be a name without',
        ),
        ("training.hosts=gpu1:1", "setting training: hosts gpu1:1 have 1 places for processes = 2"),
        ("training.hosts=gpu1", "setting training: hosts gpu1 is not of the form machine:places, such as"),
        ("training={hosts: 'a:2', launcher: torchrun}", "setting training: hosts a:2 with launcher torchrun"),
        ("ingest.first_time=soon", "setting ingest.first_time: 'soon' must be a date or time in ISO 8601"),
    ],
)
def test_a_mistake_gives_one_sentence_with_the_key_and_the_remedy(override: str, sentence: str) -> None:
    with pytest.raises(UserError) as refused:
        load_config(overrides=[override])
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)


def test_a_file_holds_only_what_differs(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("extends: base.yaml\ntraining: {epochs: 7}\nseed: 5\n")
    (tmp_path / "tuned.yaml").write_text("extends: mine.yaml\ntraining: {patience: 2}\n")
    config = load_config(tmp_path / "tuned.yaml", ["seed=6"])
    assert (config.training.epochs, config.training.patience, config.seed) == (7, 2, 6)
    assert config.sequences == load_config().sequences


def test_a_missing_file_names_the_shipped_ones() -> None:
    with pytest.raises(UserError, match=r"no configuration file nowhere\.yaml.*base\.yaml"):
        load_config("nowhere.yaml")


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("training: [1, 2\n")
    with pytest.raises(UserError, match="is not YAML"):
        load_config(tmp_path / "broken.yaml")


def test_a_file_without_base_names_the_missing_setting(tmp_path: Path) -> None:
    (tmp_path / "alone.yaml").write_text("seed: 1\n")
    with pytest.raises(UserError, match=r"setting workspace is missing: let the file extend base\.yaml"):
        load_config(tmp_path / "alone.yaml")


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        # whole numbers and their bounds
        ("training.epochs=three", "training.epochs = three must be a whole number of at least 1, such as 12"),
        ("training.epochs=2.5", "training.epochs = 2.5 must be a whole number of at least 1, such as 12"),
        ("training.epochs=0", "training.epochs = 0 must be a whole number of at least 1, such as 12"),
        ("training.epochs=", "training.epochs = null must be a whole number of at least 1, such as 12"),
        ("seed=-1", "seed = -1 must be a whole number of at least 0 and below 2147483648, such as 42"),
        # numbers
        ("training.learning_rate=x", "training.learning_rate = x must be a number above 0, such as 0.003"),
        (
            "training.learning_rate=.nan",
            "training.learning_rate = .nan must be a number above 0, such as 0.003",
        ),
        (
            "training.learning_rate=.inf",
            "training.learning_rate = .inf must be a number above 0, such as 0.003",
        ),
        (
            "evaluate.confidence=1",
            "evaluate.confidence = 1 must be a number above 0.5 and below 1, such as 0.95",
        ),
        (
            "negatives.alpha=3",
            "negatives.alpha = 3 must be a number of at least 0 and at most 2, such as 0.75",
        ),
        # choices
        ("sequences.ties=file", "sequences.ties = file must be shuffled or item, such as shuffled"),
        ("logging.format=jsonl", "logging.format = jsonl must be text or json: write json"),
        # true and false
        ("training.resume=perhaps", "training.resume = perhaps must be true or false, such as true"),
        # lists
        (
            "training.models=sasrec",
            "training.models = sasrec must be a list of the words counting, gru4rec or sasrec "
            "(at least one): write '[sasrec]'",
        ),
        (
            "training.models=[]",
            "training.models = [] must be a list of the words counting, gru4rec or sasrec (at least one), "
            "such as '[counting, sasrec]'",
        ),
        (
            "models.counting.window=2",
            "models.counting.window = 2 must be a list of whole numbers: write '[2]'",
        ),
        # free keys
        ("spark.conf=fast", "spark.conf = fast must be keys with texts as values, such as '{}'"),
        ("spark.conf={a.b: true}", "spark.conf.a.b = true must be text: write true"),
        (
            "synthetic.categories.Toys=2017",
            "synthetic.categories.Toys = 2017 must be 2014 or 2018: write 2018",
        ),
        # text that may not be null
        ("workspace=", "workspace = null must be text, such as .workspace/demo"),
    ],
)
def test_a_wrong_type_is_told_with_the_type_wanted_and_how_to_write_it(override: str, sentence: str) -> None:
    """The remedy below is short for section.key=value, which can be typed as it stands."""
    with pytest.raises(UserError) as refused:
        load_config(overrides=[override])
    said = str(refused.value)
    key = sentence.partition(" = ")[0]
    assert said.replace(f" {key}=", " ").removeprefix("setting ") == sentence
    typed = shlex.split(said.rpartition(f" {key}=")[2])
    assert load_config(overrides=[f"{key}={' '.join(typed)}"])


def test_other_mistakes_of_type() -> None:
    for override, sentence in {
        "models.counting.window=[1, two]": "entry 2 of setting models.counting.window, two, must be a list",
        "training=3": "setting training = 3 must be a section: give one of its keys, such as training.",
        "spark.conf={1: x}": "setting spark.conf: key 1 must be text: put it in quotes",
    }.items():
        with pytest.raises(UserError) as refused:
            load_config(overrides=[override])
        assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2018", "2018"),
        ("on", "on"),
        ("a: b", "a: b"),
        ("#1", "#1"),
        ("[x]", "[x]"),
        ("1e3", "1e3"),
        ('"2018"', "2018"),
        ("'null'", "null"),
        ("null", None),
        ("", None),
    ],
)
def test_text_is_taken_as_it_stands(text: str, value: str | None) -> None:
    assert load_config(overrides=[f"ingest.category={text}"]).ingest.category == value


def test_other_values_are_yaml() -> None:
    for override, value in {"training.learning_rate=1e-3": 0.001, "training.learning_rate=1": 1.0}.items():
        assert load_config(overrides=[override]).training.learning_rate == value
    assert load_config(overrides=["training.resume=off"]).training.resume is False
    assert load_config(overrides=["seed=010"]).seed == 10
    assert load_config(overrides=["training={epochs: 3, patience: 2}"]).training.patience == 2


def test_a_key_with_points_below_free_keys_is_one_key() -> None:
    conf = load_config(overrides=["spark.conf.spark.sql.ansi.enabled=true"]).spark.conf
    assert conf == {"spark.sql.ansi.enabled": "true"}


def test_a_mistake_in_a_file_is_told_in_the_file_s_own_words(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    for text, sentence in {
        "ingest: {category: 2018}": f'write `category: "2018"` below ingest in {file}',
        "ingest: {first_time: 1996-01-01}": f'write `first_time: "1996-01-01"` below ingest in {file}',
        "workspace: 5": f'setting workspace = 5 must be text: write `workspace: "5"` in {file}',
    }.items():
        file.write_text(f"extends: base.yaml\n{text}\n")
        with pytest.raises(UserError) as refused:
            load_config(file)
        assert sentence in str(refused.value)


def test_a_key_that_stands_twice_and_a_circle_of_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "twice.yaml").write_text("extends: base.yaml\nseed: 1\nseed: 2\n")
    with pytest.raises(UserError, match="the key seed stands twice"):
        load_config(tmp_path / "twice.yaml")
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n")
    with pytest.raises(UserError, match=r"a\.yaml extends itself"):
        load_config(tmp_path / "a.yaml")

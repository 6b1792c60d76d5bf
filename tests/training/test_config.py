"""Training configs: overridden key by key, contradictions and unknown keys refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from seamline.training.config import make_config, read_config

FOLDER = Path(__file__).parents[2] / "configs"
CONFIGS = sorted(
    [
        *FOLDER.glob("small-*.yaml"),
        *FOLDER.glob("transfer*.yaml"),
        FOLDER / "motion.yaml",
        FOLDER / "further.yaml",
        FOLDER / "temporal.yaml",
        FOLDER / "cross.yaml",
    ]
)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda p: p.stem)
def test_the_shipped_configs_are_read(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for earlier in ("small-picture", "transfer-base", "transfer", "mean", "mean-2", "mean-3"):
        (tmp_path / "runs" / earlier).mkdir(parents=True)
    config = read_config(path, ["seed=3"])
    assert config.name == path.stem
    assert config.seed == 3
    assert config.run_folder == Path("runs") / path.stem


def test_an_unknown_key_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"Unknown key learn_rate. Known keys: name, branch"):
        make_config({"learn_rate": 1.0})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"branch": "smell"}, "branch is 'smell'; known: picture, voice"),
        ({"batch_size": 7}, "batch_size 7 is odd, but branch picture needs pairs"),
        ({"holdout_fold": 7}, "holdout_fold 7 is not below folds 7"),
        ({"margin_range": [1.4, 1.0]}, "margin_range .* falls"),
        ({"optimizer": "sgd"}, "optimizer is 'sgd'; known: adamw, muon"),
        ({"precision": "half"}, "precision is 'half'; known: auto, float32, bfloat16"),
        ({"workers": -1}, "workers is -1; 0 draws items in the training itself"),
        ({"branch": "voice", "mask_share": 0.5}, "mask_share .* for branch picture, not for voice"),
        ({"mask_share": 1.5}, "mask_share is 1.5, a share is from 0 to 1"),
        ({"epochs": "many"}, "epochs takes int, got 'many'"),
        ({"leave_out": "page=x"}, "known: source=NAME, method=NAME, listed=FILE.csv"),
        ({"branch": "sync", "leave_out": "source=x"}, "genuine files alone; use folds"),
        ({"initial": "nowhere"}, "initial is 'nowhere'; known: imagenet, random, the folder"),
    ],
)
def test_contradictions_are_refused_naming_the_fields(
    values: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_config(values)


def test_an_override_without_a_value_says_how(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("epochs: 2\nlearning_rate: 3e-4\n")
    config = read_config(tmp_path / "c.yaml")
    assert (config.epochs, config.learning_rate, config.name) == (2, 3e-4, "c")
    with pytest.raises(ValueError, match=r"--set takes key=value, got 'epochs'"):
        read_config(tmp_path / "c.yaml", ["epochs"])

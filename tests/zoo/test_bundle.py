"""Bundles: verified on load, replayed by the doctor, refused when altered."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from seamline.errors import BadBundle, UnknownModel
from seamline.scoring.calibration import Calibration
from seamline.scoring.crop_logits import LEAST_DETAIL, CropWeights
from seamline.scoring.splices import SpliceRule
from seamline.zoo.bundle import Bundle
from seamline.zoo.catalog import find_model, list_models
from tiny_bundle import HIGH_BAND, write_tiny_bundle


def test_scores_are_the_graph_s(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "tiny")
    crops = np.zeros((3, 64, 64, 3), np.uint8)
    crops[:, ..., 0] = np.array([128, 136, 112])[:, None, None]
    logit, mask, _ = bundle.score_faces(crops)
    assert logit.tolist() == [0.0, 1.0, -2.0]
    assert mask.shape == (3, 4, 4)
    assert (mask[1] == 1.0).all()


def test_a_temporal_branch_judges_a_window_as_one(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path, branches=("temporal", "voice"))
    crops = np.zeros((3, 64, 64, 3), np.uint8)
    crops[:, ..., 0] = np.array([128, 144, 160])[:, None, None]
    logit, mask, _ = bundle.score_faces(crops)
    assert logit.tolist() == [2.0, 2.0, 2.0]
    assert mask is None
    assert all(check.passed for check in bundle.replay_golden())


def test_a_branch_for_both_senses_does_without_either(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path, branches=("both",))
    crops = np.full((2, 64, 64, 3), 136, np.uint8)
    mel = np.zeros((80, 20), np.float32)
    mel[HIGH_BAND] = 1.0
    assert bundle.score_pair(crops, mel) == (-1.5, 1.0, -4.0)
    assert bundle.score_pair(crops, None) == (1.0, 1.0, None)
    assert bundle.score_pair(None, mel) == (-4.0, None, -4.0)
    assert [check.passed for check in bundle.replay_golden()] == [True]
    with pytest.raises(ValueError, match="tiny's both branch reads log_mel, got none"):
        bundle.score_pair(crops, None, np.zeros(4000, np.float32))


@pytest.mark.parametrize(
    ("branches", "sense"),
    [(("picture", "temporal"), "video"), (("voice", "both"), "audio")],
)
def test_two_branches_for_one_sense_are_refused(
    tmp_path: Path, branches: tuple[str, ...], sense: str
) -> None:
    with pytest.raises(BadBundle, match=rf"{' and '.join(branches)} both judge the {sense}"):
        write_tiny_bundle(tmp_path, branches=branches)


def test_golden_replay_passes_and_notices_a_wrong_output(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "tiny")
    assert [check.passed for check in bundle.replay_golden()] == [True, True, True]
    with np.load(tmp_path / "tiny" / "golden.npz") as golden:
        stored = dict(golden)
    stored["picture_logit"] = stored["picture_logit"] + 0.5
    np.savez(tmp_path / "tiny" / "golden.npz", **stored)
    failed = [check for check in bundle.replay_golden() if not check.passed]
    assert [check.name for check in failed] == ["picture logits"]
    assert failed[0].largest_difference == pytest.approx(0.5)


def test_an_altered_graph_is_refused_by_name(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    with (tmp_path / "picture.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(BadBundle, match=r"picture\.onnx was altered"):
        Bundle.load(tmp_path)


def test_a_missing_graph_is_refused_by_name(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    (tmp_path / "voice.onnx").unlink()
    with pytest.raises(BadBundle, match=r"voice\.onnx is missing"):
        Bundle.load(tmp_path)


def test_a_graph_without_a_hash_is_refused(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    values = json.loads((tmp_path / "bundle.json").read_text())
    del values["files"]["voice.onnx"]
    (tmp_path / "bundle.json").write_text(json.dumps(values))
    with pytest.raises(BadBundle, match=r"lists no hash of voice\.onnx"):
        Bundle.load(tmp_path)


def test_a_bundle_keeps_how_scores_against_a_reference_are_read(tmp_path: Path) -> None:
    fit = {
        "reference_calibration": Calibration(0.5, -1.0),
        "reference_share": 0.5,
        "reference_threshold": 0.6,
        "reference_usual_logits": (-4.0, 9.0),
    }
    branch = write_tiny_bundle(tmp_path / "fit", **fit).branches["picture"]
    assert {name: getattr(branch, name) for name in fit} == fit
    old = write_tiny_bundle(tmp_path / "old")
    assert "reference" not in (old.folder / "bundle.json").read_text()
    assert not old.branches["picture"].takes_references


def test_a_bundle_keeps_how_splices_are_judged(tmp_path: Path) -> None:
    rule = SpliceRule(Calibration(0.1, -4.0), threshold=0.95, spread_floor=6.0)
    assert write_tiny_bundle(tmp_path / "new", splices=rule).branches["picture"].splices == rule
    old = write_tiny_bundle(tmp_path / "old")
    assert old.branches["picture"].splices is None
    assert "splices" not in (old.folder / "bundle.json").read_text()


def test_a_bundle_weighs_crops_and_its_golden_file_holds_the_graph_s_own(tmp_path: Path) -> None:
    weights = CropWeights(mask_share=0.5, detail_weight=2.0)
    bundle = write_tiny_bundle(tmp_path, branches=("picture",), crops=weights)
    assert bundle.branches["picture"].crops == weights
    crops = np.zeros((1, 64, 64, 3), np.uint8)
    crops[..., 0] = 200
    logits, masks, _ = bundle.score_faces(crops)
    assert masks is not None
    assert masks.max() == pytest.approx(9.0)
    assert logits == pytest.approx([9.0 + 2.0 * np.log(LEAST_DETAIL)])
    assert all(check.passed for check in bundle.replay_golden())


def test_a_file_name_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path / "a")
    values = json.loads((tmp_path / "a" / "bundle.json").read_text())
    values["files"]["../evil.onnx"] = "0" * 64
    (tmp_path / "evil.onnx").write_bytes(b"")
    (tmp_path / "a" / "bundle.json").write_text(json.dumps(values))
    with pytest.raises(BadBundle, match="evil"):
        Bundle.load(tmp_path / "a")


def test_crops_of_another_size_are_refused_naming_both(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path)
    with pytest.raises(ValueError, match=r"takes crops of 64×64×3 px, got \(32, 32, 3\)"):
        bundle.score_faces(np.zeros((1, 32, 32, 3), np.uint8))


def test_an_unknown_model_names_the_known_ones(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path / "tiny")
    assert [entry.name for entry in list_models(tmp_path)] == ["tiny"]
    assert find_model("tiny", tmp_path) == tmp_path / "tiny"
    with pytest.raises(UnknownModel, match=r"No model 'tidy'. Shipped models: tiny"):
        find_model("tidy", tmp_path)


def test_a_folder_without_a_bundle_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match=r"bundle\.json is missing"):
        Bundle.load(tmp_path)


def test_a_pickle_in_the_golden_file_is_never_run(tmp_path: Path) -> None:
    """Even where its hash is right: whoever made the bundle may not be trusted."""
    bundle = write_tiny_bundle(tmp_path / "tiny")
    trap = np.empty(1, object)
    trap[0] = _Trap(tmp_path / "sprung")
    with np.load(bundle.folder / "golden.npz") as golden:
        stored = {**golden, "crops": trap}
    np.savez(bundle.folder / "golden.npz", allow_pickle=True, **stored)
    listed = json.loads((bundle.folder / "bundle.json").read_text())
    content = (bundle.folder / "golden.npz").read_bytes()
    listed["files"]["golden.npz"] = hashlib.sha256(content).hexdigest()
    (bundle.folder / "bundle.json").write_text(json.dumps(listed))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        Bundle.load(bundle.folder).replay_golden()
    assert not (tmp_path / "sprung").exists()
    with np.load(bundle.folder / "golden.npz", allow_pickle=True) as golden:
        golden["crops"]
    assert (tmp_path / "sprung").exists(), "the trap must be a trap"


class _Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self._path,)

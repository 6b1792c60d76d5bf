"""Scans against genuine footage, over a bundle with known arithmetic and media made here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from media_factory import tiny_video
from seamline.cli.main import app
from seamline.data.demo_clips import make_demo, read_portrait
from seamline.detector import Detector
from seamline.errors import BadReference
from seamline.media.write import write_video
from tiny_bundle import REFERENCE_FIT, write_tiny_bundle


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reference")


@pytest.fixture(scope="module")
def detector(folder: Path) -> Detector:
    return Detector(
        write_tiny_bundle(folder / "tiny", branches=("picture",), **REFERENCE_FIT), threads=1
    )


@pytest.fixture(scope="module")
def clips(folder: Path) -> tuple[Path, Path]:
    """The same face in two clips, the second one redder by 16 levels: 2 logits."""
    genuine, _ = make_demo(folder)
    redder = read_portrait().astype(np.int16)
    redder[..., 0] += 16
    still = folder / "redder.mp4"
    write_video(still, [np.clip(redder, 0, 255).astype(np.uint8)] * 30, 15)
    return genuine, still


def test_a_person_seen_in_the_footage_is_judged_against_it(
    detector: Detector, clips: tuple[Path, Path]
) -> None:
    genuine, redder = clips
    reference = detector.read_reference(genuine)
    verdict = detector.scan(redder, reference=[genuine])
    assert verdict.reference is not None
    assert verdict.reference.paths == (str(genuine),)
    assert verdict.reference.sha256 == (reference.sha256,)
    (row,) = verdict.reference.people
    assert row.track == verdict.people[0].track
    assert row.similarity > 0.7
    plain = detector.scan(redder)
    assert plain.reference is None
    chance = plain.video.fake_probability
    assert chance is not None
    logit = np.log(chance / (1 - chance))
    level = reference.tracks[0].logit
    assert verdict.video.fake_probability == pytest.approx(
        REFERENCE_FIT["reference_calibration"].probability(logit - level), abs=1e-3
    )


def test_the_same_footage_under_two_names_counts_once(
    detector: Detector, clips: tuple[Path, Path], tmp_path: Path
) -> None:
    genuine, redder = clips
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(genuine.read_bytes())
    verdict = detector.scan(redder, reference=[genuine, copy])
    assert verdict.reference is not None
    assert verdict.reference.paths == (str(genuine),)
    assert len(verdict.reference.people) == 1


def test_evidence_stands_on_the_relative_scale(
    detector: Detector, clips: tuple[Path, Path]
) -> None:
    genuine, redder = clips
    reference = detector.read_reference(genuine)
    looks = detector.examine(redder, reference=[reference]).evidence.looks
    plain = detector.examine(redder).evidence.looks
    assert looks
    for look, other in zip(looks, plain, strict=True):
        logit = np.log(other.fake_probability / (1 - other.fake_probability))
        expected = REFERENCE_FIT["reference_calibration"].probability(
            logit - reference.tracks[0].logit
        )
        assert look.fake_probability == pytest.approx(expected, abs=1e-3)


def test_footage_of_somebody_else_is_not_used(detector: Detector, clips: tuple[Path, Path]) -> None:
    genuine, redder = clips
    stranger = replace(detector.read_reference(genuine), same_person=1.1)
    verdict = detector.scan(redder, reference=[stranger])
    assert verdict.people == detector.scan(redder).people
    assert any("does not look like the one in genuine.mp4" in w for w in verdict.warnings)


def test_footage_without_a_face_is_refused_by_name(detector: Detector, tmp_path: Path) -> None:
    wall = tiny_video(tmp_path / "wall.mp4", seconds=3.0)
    with pytest.raises(BadReference, match=r"wall\.mp4 was asked for a face .* no face was found"):
        detector.scan(wall, reference=[wall])


def test_footage_that_shows_a_face_too_shortly_is_refused(
    detector: Detector, tmp_path: Path
) -> None:
    write_video(tmp_path / "brief.mp4", [read_portrait()] * 8, 15)
    with pytest.raises(BadReference, match=r"the longest was seen for 0\.\d+ s"):
        detector.read_reference(tmp_path / "brief.mp4")


def test_footage_that_cannot_be_read_is_refused_by_name(detector: Detector, tmp_path: Path) -> None:
    (tmp_path / "torn.mp4").write_bytes(b"")
    with pytest.raises(BadReference, match=r"torn\.mp4 cannot be read: .*empty"):
        detector.read_reference(tmp_path / "torn.mp4")


@pytest.mark.parametrize(
    ("branches", "reason"),
    [
        (("picture",), r"tiny 1 has no calibration for it"),
        (("voice",), r"tiny 1 has no picture branch"),
        (("both",), r"tiny judges picture and voice together"),
    ],
)
def test_a_model_that_takes_no_reference_says_so(
    tmp_path: Path, branches: tuple[str, ...], reason: str
) -> None:
    plain = Detector(write_tiny_bundle(tmp_path, branches=branches), threads=1)
    with pytest.raises(BadReference, match=reason):
        plain.scan(tmp_path / "any.mp4", reference=[tmp_path / "genuine.mp4"])


def test_the_command_tells_whom_it_judged_against_what(
    folder: Path, detector: Detector, clips: tuple[Path, Path]
) -> None:
    genuine, redder = clips
    page = folder / "report.html"
    asked = ["scan", str(redder), "--reference", str(genuine), "--model", str(folder / "tiny")]
    found = CliRunner().invoke(app, [*asked, "--report", str(page)])
    assert found.exit_code == 0, found.output
    assert "genuine.mp4, judged against it: face 0 (likeness" in found.stdout
    assert "genuine.mp4, judged against it: face 0 (likeness" in page.read_text()
    bad = CliRunner().invoke(app, [*asked, "--reference", str(folder / "absent.mp4")])
    assert bad.exit_code == 2
    assert "absent.mp4 cannot be read" in bad.stderr
    assert bad.stdout == ""

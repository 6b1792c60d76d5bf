from __future__ import annotations

import os
from pathlib import Path

import pytest

from seamline.cli.inputs import find_inputs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.mp4", "a é.MOV", "notes.txt", ".hidden.mp4", "._b.mp4", "sub/c [1].jpg",
                 "sub/deep/d.flac", ".git/e.mp4"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def names(found: list[str], folder: Path) -> list[str]:
    return [os.path.relpath(path, folder) for path in found]


def test_a_folder_gives_its_media_to_the_bottom_in_a_steady_order(folder):
    inputs = find_inputs([str(folder)])
    expected = ["a é.MOV", "b.mp4", "sub/c [1].jpg", "sub/deep/d.flac"]
    assert names(inputs.files, folder) == expected
    assert inputs.problems == []


def test_the_folder_here_gives_plain_names(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert find_inputs(["."]).files[:2] == ["a é.MOV", "b.mp4"]


def test_a_named_file_is_taken_whatever_its_ending_or_brackets(folder):
    asked = [str(folder / "notes.txt"), str(folder / "sub" / "c [1].jpg"), str(folder / "gone.mp4")]
    assert find_inputs(asked).files == asked


def test_a_quoted_glob_is_expanded_also_across_folders(folder):
    assert names(find_inputs([str(folder / "*.mp4")]).files, folder) == ["b.mp4"]
    deep = find_inputs([str(folder / "**" / "*.flac")])
    assert names(deep.files, folder) == ["sub/deep/d.flac"]


def test_a_file_reached_twice_is_scanned_once(folder):
    inputs = find_inputs([str(folder / "b.mp4"), str(folder), str(folder / "sub" / ".." / "b.mp4")])
    assert names(inputs.files, folder)[0] == "b.mp4"
    assert len(inputs.files) == 4


def test_a_folder_with_nothing_and_a_glob_without_match_are_named(tmp_path):
    (tmp_path / "empty").mkdir()
    inputs = find_inputs([str(tmp_path / "empty"), str(tmp_path / "*.mp4")])
    assert inputs.files == []
    assert "no video, image or sound in this folder" in inputs.problems[0]
    assert "nothing matches" in inputs.problems[1]


def test_every_empty_folder_is_named_not_only_the_first(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    assert len(find_inputs([str(tmp_path / "one"), str(tmp_path / "two")]).problems) == 2

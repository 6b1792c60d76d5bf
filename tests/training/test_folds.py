"""What is held out: folds of people, whole sources, or one method with half of all people."""

from __future__ import annotations

from pathlib import Path

import pytest

from cache_factory import write_cache
from seamline.clips.cache import CachedClip, read_cache
from seamline.training.folds import (
    CacheSplit,
    join_extra,
    leave_out,
    leave_out_listed,
    sample_of,
    split_cache,
)


def rows(folder: Path) -> list[CachedClip]:
    """Ten people in a ring: each genuine, swapped with the next by two methods; and a source."""
    (one, *_) = read_cache(write_cache(folder, people=1))
    made = []

    def add(path: str, source: str, person: str, method: str = "", split: str = "train") -> None:
        label = "fake" if method else "real"
        sample = {**one.sample, "path": path, "source": source, "person": person}
        sample |= {"method": method, "label": label, "video_label": label, "split": split}
        made.append(CachedClip(**{**vars(one), "sample": sample}))

    for p in range(0, 20, 2):
        split = "val" if p >= 16 else "train"
        for q in (p, p + 1):
            add(f"r{q}", "FF c23", f"ff{q}", split=split)
        for method in ("swap", "puppet") if p < 12 else ("swap",):
            add(f"{method}{p}", "FF c23", f"ff{p}+ff{p + 1}", method, split)
    for n in range(4):
        add(f"quiz-r{n}", "Quiz", "")
        add(f"quiz-f{n}", "Quiz", "", "lips")
    return made


def people(clips: list[CachedClip]) -> set[str]:
    return {name for clip in clips for name in sample_of(clip).people}


def methods(clips: list[CachedClip]) -> set[str]:
    return {clip.sample["method"] for clip in clips}


def test_a_source_is_left_out_whole(tmp_path: Path) -> None:
    split = leave_out(rows(tmp_path), "source=Qui")
    assert {clip.sample["source"] for clip in split.holdout} == {"Quiz"}
    assert {clip.sample["source"] for clip in split.train} == {"FF c23"}


def test_a_left_out_method_and_its_people_are_not_trained_on(tmp_path: Path) -> None:
    split = leave_out(rows(tmp_path), "method=puppet")
    assert methods(split.holdout) == {"", "puppet"}
    assert methods(split.train) == {"", "swap", "lips"}
    assert not people(split.train) & people(split.holdout)
    assert 8 <= len(people(split.holdout)) <= 10  # half of twenty, in whole pairs
    assert sum(clip.sample["method"] == "puppet" for clip in split.holdout) >= 4
    assert any(clip.sample["split"] == "val" for clip in split.train)


def test_a_further_cache_brings_nothing_back_that_is_left_out(tmp_path: Path) -> None:
    every = rows(tmp_path)
    split = leave_out(every, "method=puppet")
    joined = join_extra(split, every, without_method="puppet")
    assert methods(joined.train) == {"", "swap", "lips"}
    assert not people(joined.train) & people(split.holdout)
    assert len(joined.train) == 2 * len(split.train)
    whole = join_extra(leave_out(every, "source=Qui"), every)
    assert {clip.sample["source"] for clip in whole.train} == {"FF c23"}


def test_a_rule_that_holds_out_one_class_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must hold out real and fake files, found nothing"):
        leave_out(rows(tmp_path), "source=Nowhere")


def test_joined_val_is_held_out_once_over_all_folds(tmp_path: Path) -> None:
    clips = rows(tmp_path)
    splits: list[CacheSplit] = [split_cache(clips, 4, fold, join_val=True) for fold in range(4)]
    held = [clip.sample["path"] for split in splits for clip in split.holdout]
    assert sorted(held) == sorted(clip.sample["path"] for clip in clips)
    for split in splits:
        assert split.val == []
        assert not people(split.train) & people(split.holdout)


def write_list(folder: Path, uses: dict[str, str]) -> Path:
    path = folder / "list.csv"
    path.write_text("path,use\n" + "".join(f"{name},{use}\n" for name, use in uses.items()))
    return path


def test_a_list_holds_out_and_drops_files_of_both_caches(tmp_path: Path) -> None:
    base = rows(tmp_path)
    more = [
        CachedClip(**{**vars(clip), "sample": {**clip.sample, "path": f"more/{n}", "person": ""}})
        for n, clip in enumerate(base[:6])
    ]
    uses = {"r0": "holdout", "swap0": "holdout", "puppet0": "drop", "more/1": "holdout"}
    uses |= {"more/2": "drop", "r16": "drop", "made:world": "drop"}
    split = leave_out_listed(base, more, write_list(tmp_path, uses))
    held = {clip.sample["path"] for clip in split.holdout}
    trained = {clip.sample["path"] for clip in split.train}
    assert held == {"r0", "swap0", "more/1"}
    assert not trained & set(uses)
    assert {"more/0", "more/3", "r2", "puppet2"} <= trained
    assert "r16" in {clip.sample["path"] for clip in split.val}  # val stays what it is


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("path,use\nr0,holdout\n", "must hold out real and fake"),
        ("path,use\nr0,judge\n", "has the use 'judge'; known: holdout, drop"),
        ("file\nr0\n", "columns path and use; found file"),
        ("", "found no rows"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=told):
        leave_out_listed(rows(tmp_path), [], path)
    with pytest.raises(FileNotFoundError, match="no such file"):
        leave_out_listed(rows(tmp_path), [], tmp_path / "other.csv")

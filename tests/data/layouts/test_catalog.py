from __future__ import annotations

import pytest
from layout_trees import plant

from seamline.data.layouts.catalog import LAYOUTS, find_samples


def test_every_layout_says_its_tree_and_its_licence():
    for find in LAYOUTS.values():
        assert "root/" in (find.__doc__ or "")
        assert "Licence: " in (find.__doc__ or "")


def test_a_layout_is_found_by_name(tmp_path):
    plant(tmp_path, "Celeb-real/id0_0000.mp4")
    assert [s.label for s in find_samples("celeb-df", tmp_path)] == ["real"]
    with pytest.raises(ValueError, match=r"Unknown layout 'ucf'. Known: dfdc, faceforensics"):
        find_samples("ucf", tmp_path)

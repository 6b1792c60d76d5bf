from __future__ import annotations

from dataclasses import replace

import pytest
from report_factory import make_verdict

from seamline.report import words
from seamline.scoring.verdict import Segment, SenseScore, SyncScore


@pytest.mark.parametrize(
    ("probability", "figure", "word"),
    [
        (0.0, "under 1 %", "exceptionally unlikely"),
        (0.009, "under 1 %", "exceptionally unlikely"),
        (0.01, "1 %", "very unlikely"),
        (0.32, "32 %", "unlikely"),
        (0.5, "50 %", "about as likely as not"),
        (0.7, "70 %", "likely"),
        (0.97, "97 %", "very likely"),
        (0.996, "over 99 %", "almost certain"),
        (1.0, "over 99 %", "almost certain"),
    ],
)
def test_probabilities_become_words_and_never_certainty(
    probability: float, figure: str, word: str
) -> None:
    assert words.percent(probability).replace("\u00a0", " ") == figure
    assert words.likelihood(probability) == word


def test_scale_shows_the_words_that_are_used() -> None:
    for limits, word in words.likelihood_scale():
        low, high = (int(number) for number in limits.removesuffix("\u00a0%").split("–"))
        assert words.likelihood((low + high) / 200) == word


@pytest.mark.parametrize("seconds", [0.0, 0.04, 0.95, 59.94, 59.96, 61.5, 3599.99, 3600.0, 36000.3])
def test_clock_reads_back_to_the_tenth(seconds: float) -> None:
    whole, _, tenth = words.clock(seconds).partition(".")
    parts = [int(part) for part in whole.split(":")]
    assert all(part < 60 for part in parts[1:])
    read = sum(part * 60**power for power, part in enumerate(reversed(parts)))
    assert read + int(tenth or 0) / 10 == pytest.approx(seconds, abs=0.0501)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 s"), (8.54, "8.5 s"), (59.97, "1 min"), (125.2, "2 min 5 s"), (7260.0, "2 h 1 min")],
)
def test_lengths_of_time_read_naturally(seconds: float, text: str) -> None:
    assert words.seconds_text(seconds).replace("\u00a0", " ") == text


def test_sizes_give_both_figures() -> None:
    assert words.bytes_text(999) == "999 bytes"
    assert words.bytes_text(1_500_000).replace("\u00a0", " ") == "1.5 MB (1 500 000 bytes)"


def test_paths_split_at_either_slash_and_keep_a_long_folders_end() -> None:
    assert words.split_path("a/b/c.mp4") == ("c.mp4", "a/b/")
    assert words.split_path("C:\\clips\\c.mp4") == ("c.mp4", "C:\\clips\\")
    assert words.split_path("c.mp4") == ("c.mp4", "")
    name, folder = words.split_path("start/" + "x" * 60 + "/end/c.mp4")
    assert (name, folder[0], folder[-5:], len(folder)) == ("c.mp4", "…", "/end/", 49)


@pytest.mark.parametrize(
    ("label", "probability", "title"),
    [
        ("fake_video", 0.97, "Very likely manipulated picture: 97 %"),
        ("fake_audio", 0.75, "Likely manipulated voice: 75 %"),
        ("fake_video", 0.55, "Possibly manipulated picture: 55 %"),
        ("fake_video", 0.2, "Possibly manipulated picture: 20 %"),
        ("real", 0.04, "No manipulation found"),
        ("real", 0.45, "No manipulation found, but one is not ruled out"),
    ],
)
def test_headline_says_what_and_how_sure(label: str, probability: float, title: str) -> None:
    more = {"segments": ()} if label == "real" else {}
    found = words.headline(make_verdict(label=label, fake_probability=probability, **more))
    assert found.title.replace("\u00a0", " ") == title


@pytest.mark.parametrize(
    ("picture", "voice", "title"),
    [
        (0.996, 0.999, "Almost certainly manipulated picture and voice: over 99 %"),
        (0.55, 0.999, "Almost certainly manipulated voice, possibly picture too: over 99 %"),
        (0.95, 0.8, "Very likely manipulated picture, likely voice too: 95 %"),
    ],
)
def test_headline_says_how_sure_of_either_sense(picture: float, voice: float, title: str) -> None:
    verdict = make_verdict(
        label="fake_both", fake_probability=max(picture, voice),
        video=SenseScore(picture, 0.0, None), audio=SenseScore(voice, 0.0, None),
    )  # fmt: skip
    assert words.headline(verdict).title.replace("\u00a0", " ") == title


def test_lips_and_sound_that_alone_accuse_are_named_with_what_looks_the_same() -> None:
    apart = make_verdict(
        fake_probability=0.96, video=SenseScore(0.2, 9.0, None),
        sync=SyncScore(0.96, 0.0, None), segments=(Segment("sync", 0, 0.0, 8.0, 0.97),),
    )  # fmt: skip
    found = words.headline(apart)
    title = "Very likely lips and sound that do not belong together: 96 %"
    assert found.title.replace("\u00a0", " ") == title
    assert found.sentence.startswith("Dubbing, or another voice laid over a genuine speaker, looks")
    assert "Strongest in the synchrony at 0:00–0:08, face 0." in found.sentence
    surer = make_verdict(sync=SyncScore(0.96, 0.0, None))
    assert "manipulated picture" in words.headline(surer).title


@pytest.mark.parametrize(("chance", "told"), [(0.75, True), (0.5, True), (0.49, False)])
def test_lips_that_fit_poorly_and_accuse_nobody_are_explained(chance: float, told: bool) -> None:
    verdict = make_verdict(
        label="real", fake_probability=0.04, sync=SyncScore(chance, 0.0, None), segments=()
    )
    sentence = words.headline(verdict).sentence.replace("\u00a0", " ")
    rest = "Picture, voice and their synchrony were examined."
    figure = f"Lips and sound fit poorly ({round(100 * chance)} %), too little to call the file"
    assert sentence == (f"{figure} fake by itself. {rest}" if told else rest)
    in_part = replace(verdict, segments=(Segment("audio", None, 1.0, 2.5, 0.9),))
    sentence = words.headline(in_part).sentence.replace("\u00a0", " ")
    assert sentence.startswith("Strongest in the voice at")
    assert sentence.endswith("fake by itself.") == told
    accused = make_verdict(sync=SyncScore(chance, 0.0, None))
    assert "poorly" not in words.headline(accused).sentence


def test_a_lag_is_told_of_what_belongs_together_only() -> None:
    told = [words.lag_text(SyncScore(p, 0.12, None)) for p in (0.1, 0.5, 0.97)]
    assert [text.replace("\u00a0", " ") for text in told] == [
        "the sound comes 0.12 s late", "no natural lag fits", "no natural lag fits",
    ]  # fmt: skip


def test_headline_names_senses_that_the_figure_does_not_cover() -> None:
    verdict = make_verdict(
        label="real", fake_probability=0.04, audio=SenseScore(None, 0.0, "no audio stream"),
        segments=(),
    )  # fmt: skip
    assert "not covered by this figure: voice, synchrony" in words.headline(verdict).sentence
    whole = make_verdict(
        label="real", fake_probability=0.04, sync=SyncScore(0.1, 0.0, None), segments=()
    )
    assert words.headline(whole).sentence == "Picture, voice and their synchrony were examined."


def test_out_of_range_evidence_is_not_called_unexamined() -> None:
    sentence = words.headline(make_verdict(label="inconclusive", fake_probability=None)).sentence
    assert "outside the range in which the model is reliable" in sentence
    assert "Nothing could be examined" not in sentence

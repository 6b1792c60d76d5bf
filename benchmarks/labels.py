"""How well `seamline label` tells what was forged after re-encoding; prints JSON.

    python benchmarks/labels.py --data DIR [--clips 40] [--faceforensics 60] [--rows FILE]

Genuine clips of DIR (its ``manifest.csv`` says which) are forged in every kind, each forgery is
re-encoded three times (H.264 at CRF 23, 30 and 36; AAC at 32, 64 and 128 kbit/s; one of the three
at half the size), and every result is compared with its original. Thresholds are chosen on one
half of the people and reported on the other. The measure itself was made while looking at the first
16 clips, so those are left out of both halves and shown apart. ``--rows`` keeps every comparison;
a file that is there is summed up again instead. With FaceForensics++ in DIR, its fakes are compared
with its originals, too: forgeries that nobody here made (``--clips 0``: those alone).
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from labels_summary import CRFS, DESIGN_CLIPS, KILOBITS, class_of, summary
from seamline.data.forge import forge
from seamline.data.forge_kinds import ForgeSettings
from seamline.data.labels import label_pair
from seamline.data.manifest import Sample, read_manifest
from seamline.data.splits import folds_by_identity
from seamline.errors import UnreadableMedia
from seamline.faces.mtcnn import FaceDetector
from seamline.media.audio import read_audio
from seamline.media.probe import probe
from seamline.media.video import stream_frames

AUDIO_HZ = 44100
KINDS = ("video", "audio", "both", "none", "splice")
MOST_PIXELS = 170_000  # keeps the run within a quarter of an hour on one thread


def usable(sample: Sample) -> bool:
    """Whether a genuine clip is small, has at least a second of sound, and can be read."""
    if sample.kind != "video" or sample.label != "real" or sample.extra.get("has_audio") != "1":
        return False
    try:
        media = probe(sample.file)
        if media.video is None or media.audio is None:
            return False
        if media.video.width * media.video.height > MOST_PIXELS:
            return False
        sound = next(read_audio(sample.file))
    except UnreadableMedia:
        return False
    return len(sound.samples) >= 16000 and float(np.abs(sound.samples).max()) > 0.01


def choose(data: Path, count: int) -> list[Sample]:
    """Take clips from the sources in turn, so that small sources are all in."""
    by_source: dict[str, list[Sample]] = defaultdict(list)
    for sample in read_manifest(data / "manifest.csv"):
        if sample.label == "real":
            by_source[sample.source].append(sample)
    turns = itertools.chain.from_iterable(itertools.zip_longest(*by_source.values()))
    return list(itertools.islice((s for s in turns if s is not None and usable(s)), count))


def reencode(path: Path, out: Path, *, crf: int, kilobits: int, half: bool) -> None:
    """Decode and encode again, as sharing sites do."""
    media = probe(path)
    assert media.video is not None
    sound = next(read_audio(path, sample_rate_hz=AUDIO_HZ))
    with av.open(str(out), "w") as container:
        video = container.add_stream("libx264", rate=round(media.video.frames_per_second or 25))
        video.pix_fmt = "yuv420p"
        scale = 2 if half else 1
        video.width = media.video.width // scale // 2 * 2
        video.height = media.video.height // scale // 2 * 2
        video.options = {"crf": str(crf), "preset": "veryfast", "threads": "1"}
        audio = container.add_stream("aac", rate=AUDIO_HZ, layout="mono")
        audio.bit_rate = kilobits * 1000
        for frame in stream_frames(path, step_seconds=0.004):
            rgb = cv2.resize(frame.rgb, (video.width, video.height), interpolation=cv2.INTER_AREA)
            container.mux(video.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(video.encode(None))
        heard = av.AudioFrame.from_ndarray(sound.samples[None], format="fltp", layout="mono")
        heard.sample_rate, heard.pts = AUDIO_HZ, 0
        container.mux(audio.encode(heard))
        container.mux(audio.encode(None))


def recodings(generator: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Three ways to encode again: every CRF and every bit rate once, one at half the size."""
    halved = int(generator.integers(3))
    for index, (crf, kilobits) in enumerate(
        zip(CRFS, generator.permutation(KILOBITS), strict=True)
    ):
        yield {"crf": crf, "kilobits": int(kilobits), "half": index == halved}


def measure_pairs(
    samples: list[Sample], folder: Path, detector: FaceDetector
) -> list[dict[str, Any]]:
    """Forge, re-encode and compare; one row a comparison."""
    rows = []
    for number, sample in enumerate(samples):
        settings = ForgeSettings(seed=number)
        made = forge(
            [sample.file], folder / str(number), kinds=KINDS, settings=settings, detector=detector
        )
        generator = np.random.default_rng(number)
        for fake in made.samples:
            for ways in recodings(generator):
                coded = folder / "coded.mp4"
                reencode(fake.file, coded, **ways)
                began = time.perf_counter()
                pair = label_pair(coded, sample.file, detector)
                seconds = time.perf_counter() - began
                rows.append(
                    {
                        "clip": number,
                        "source": sample.source,
                        "kind": Path(fake.path).suffixes[-2].strip("."),
                        "method": fake.method,
                        "truth": class_of(fake.video_label, fake.audio_label),
                        "recoding": ways,
                        "seconds": round(seconds, 3),
                        "unlabelled": pair.columns()["unlabelled"],
                        **distances(pair),
                    }
                )
        print(f"{number + 1}/{len(samples)} clips", file=sys.stderr, flush=True)
    return rows


def distances(pair: Any) -> dict[str, Any]:
    """The measured numbers that rules are tried on; None where there is none."""
    picture, voice = pair.picture, pair.voice
    return {
        "excess": picture and picture.excess,
        "highest_excess": picture and max(picture.frame_excess),
        "face_change": picture and picture.face_change,
        "outside_change": picture and picture.outside_change,
        "psnr_gap_db": picture
        and picture.outside_psnr_db
        and picture.outside_psnr_db - picture.face_psnr_db,
        "ssim_gap": picture and picture.outside_ssim and picture.outside_ssim - picture.face_ssim,
        "face_psnr_db": picture and picture.face_psnr_db,
        "unlike": voice and 1 - voice.worst_correlation,
        "worst_log_mel_db": voice and voice.worst_log_mel_db,
        "lag_seconds": voice and voice.lag_seconds,
    }


def faceforensics(data: Path, most: int, detector: FaceDetector) -> dict[str, Any]:
    """Compare fakes that others made, and genuine c40 copies, with their c23 and c40 originals."""
    samples = [s for s in read_manifest(data / "manifest.csv") if "FaceForensics" in s.source]
    there = {sample.path for sample in samples}
    jobs = []
    for sample in samples:
        path = Path(sample.path)
        coding = sample.source.split()[-1]
        for other in ("c23", "c40"):
            name = f"{path.stem.split('_')[0]}{path.suffix}"
            original = (path.parents[2] / other / "original" / name).as_posix()
            if original in there and original != sample.path:
                jobs.append((sample, original, f"{coding} against {other}"))
    order = np.random.default_rng(0).permutation(len(jobs))
    chosen = [jobs[i] for i in order if jobs[i][0].label == "fake"][:most]
    chosen += [jobs[i] for i in order if jobs[i][0].label == "real"][:most]
    told: dict[str, Counter[str]] = defaultdict(Counter)
    excess: dict[str, list[float]] = {"real": [], "fake": []}
    for sample, original, codings in chosen:
        pair = label_pair(sample.file, data / original, detector)
        what = f"{sample.method or 'genuine'}, {codings}"
        told[what][pair.video_label or pair.video_reason or ""] += 1
        if pair.picture is not None:
            excess[sample.label].append(pair.picture.excess)
    return {
        "video_label": {what: dict(counts) for what, counts in sorted(told.items())},
        "excess_genuine_max": max(excess["real"], default=None),
        "excess_fake_min": min(excess["fake"], default=None),
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--faceforensics", type=int, default=0)
    parser.add_argument("--rows", type=Path, help="keep every comparison as JSON lines")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    began = time.perf_counter()
    detector = FaceDetector(threads=1)
    samples = choose(options.data, options.clips)
    if options.rows is not None and options.rows.exists():
        rows = [json.loads(line) for line in options.rows.read_text().splitlines()]
    else:
        with tempfile.TemporaryDirectory() as folder:
            rows = measure_pairs(samples, Path(folder), detector)
    if options.rows is not None:
        options.rows.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result: dict[str, Any] = {}
    if rows:
        folds = folds_by_identity(samples[DESIGN_CLIPS:], 2, np.random.default_rng(0))
        result = summary(rows, {DESIGN_CLIPS + index: fold for index, fold in enumerate(folds)})
        result["sources"] = dict(Counter(sample.source for sample in samples))
    if options.faceforensics:
        result["faceforensics"] = faceforensics(options.data, options.faceforensics, detector)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    result["machine"] = f"{platform.machine()}, {platform.system()}, one thread"
    result["commit"] = commit.stdout.strip()
    result["minutes"] = round((time.perf_counter() - began) / 60, 1)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

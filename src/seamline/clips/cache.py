"""The clip cache: extracted clips as Parquet shards, one row a clip, for training and experiments.

Crops are stored as JPEGs of quality 95 without chroma subsampling; sound as 16-bit samples, since
the training chain works on the waveform and log-mel follows from it. A file that could not be read
becomes one row with its reason, so that every sample of a manifest is in the cache exactly once.
Needs pyarrow (extra ``train``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from seamline.clips.clip import Clip, MotionCrops, MouthCrops
from seamline.clips.contract import CropContract

CONTRACT_FILE = "contract.json"


@dataclass(frozen=True)
class CachedClip:
    """One row of the cache."""

    sample: dict[str, Any]
    """The manifest's columns, with `path` as written there."""
    error: str | None
    """Why the file could not be read; then everything below is empty."""
    window: int
    track: int | None
    start_seconds: float
    stop_seconds: float
    seconds: Float[np.ndarray, " time"]
    jpegs: tuple[bytes, ...]
    landmarks: Float[np.ndarray, "time 5 2"]
    face_px: int
    sound: bytes | None
    """16-bit little-endian mono samples at the contract's rate."""
    speech_seconds: float
    mouth_start_seconds: float = 0.0
    mouth_strip: bytes | None = None
    """One JPEG of the mouth's crops, one below the other; None where none were cut."""
    mouth_seen: tuple[bool, ...] = ()
    motion_seconds: Float[np.ndarray, " time"] | None = None
    """Timestamp of each crop of `motion`; None where none were cut."""
    motion_strip: bytes | None = None
    """One PNG of the face in successive frames, one below the other: what a JPEG adds would flicker
    from frame to frame."""

    def motion(self) -> UInt8[np.ndarray, "time size size"]:
        """Decode the face's crops of successive frames."""
        if self.motion_strip is None or self.motion_seconds is None:
            raise ValueError(f"{self.sample.get('path')}: the cache holds no motion of it.")
        image = cv2.imdecode(np.frombuffer(self.motion_strip, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert image is not None, "the cache holds only PNGs that it wrote"
        return image.reshape(len(self.motion_seconds), -1, image.shape[1])

    def mouths(self) -> UInt8[np.ndarray, "step size size"]:
        """Decode the mouth's crops."""
        if self.mouth_strip is None:
            raise ValueError(f"{self.sample.get('path')}: the cache holds no mouths of it.")
        image = cv2.imdecode(np.frombuffer(self.mouth_strip, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert image is not None, "the cache holds only JPEGs that it wrote"
        return image.reshape(len(self.mouth_seen), -1, image.shape[1])

    def crops(self) -> UInt8[np.ndarray, "time size size 3"]:
        """Decode the crops."""
        return np.stack([decode_jpeg(data) for data in self.jpegs])

    def samples(self) -> Float[np.ndarray, " sample"] | None:
        """Decode the sound to float32 in [-1, 1]."""
        return None if self.sound is None else decode_sound(self.sound)


def decode_sound(data: bytes) -> Float32[np.ndarray, " sample"]:
    """Decode stored sound to float32 in [-1, 1]."""
    return np.frombuffer(data, "<i2").astype(np.float32) / 32768


def decode_jpeg(data: bytes) -> UInt8[np.ndarray, "height width 3"]:
    """Decode one stored crop to RGB."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None, "the cache holds only JPEGs that it wrote"
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def encode_jpeg(crop: UInt8[np.ndarray, "height width 3"]) -> bytes:
    """Encode one crop for storage: quality 95, 4:4:4."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 95]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return cv2.imencode(".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), options)[1].tobytes()


def clip_row(sample: Mapping[str, Any], clip: Clip) -> dict[str, Any]:
    """Turn a clip into a row."""
    faces = clip.faces
    sound = None
    if clip.samples is not None:
        sound = (np.clip(clip.samples, -1, 32767 / 32768) * 32768).astype("<i2").tobytes()
    return {
        **_empty_row(sample),
        "window": clip.window,
        "track": None if faces is None else faces.track,
        "start_seconds": clip.start_seconds,
        "stop_seconds": clip.stop_seconds,
        "seconds": [] if faces is None else faces.seconds.tolist(),
        "jpegs": [] if faces is None else [encode_jpeg(crop) for crop in faces.crops],
        "landmarks": [] if faces is None else faces.landmarks.astype(np.float32).ravel().tolist(),
        "face_px": 0 if faces is None else faces.face_px,
        "sound": sound,
        "speech_seconds": clip.speech_seconds,
        **_mouth_columns(None if faces is None else faces.mouths),
        **_motion_columns(None if faces is None else faces.motion),
    }


def _mouth_columns(mouths: MouthCrops | None) -> dict[str, Any]:
    if mouths is None:
        return {}
    strip = mouths.crops.reshape(-1, mouths.crops.shape[-1])
    return {
        "mouth_start_seconds": mouths.start_seconds,
        "mouth_strip": cv2.imencode(".jpg", strip, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes(),
        "mouth_seen": mouths.seen.tolist(),
    }


def _motion_columns(motion: MotionCrops | None) -> dict[str, Any]:
    if motion is None:
        return {}
    strip = motion.crops.reshape(-1, motion.crops.shape[-1])
    return {
        "motion_seconds": motion.seconds.tolist(),
        "motion_strip": cv2.imencode(".png", strip, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes(),
    }


def error_row(sample: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """Turn a file that could not be read into a row."""
    return {**_empty_row(sample), "error": reason}


def _empty_row(sample: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "sample": json.dumps(dict(sample)),
        "error": None,
        "window": 0,
        "track": None,
        "start_seconds": 0.0,
        "stop_seconds": 0.0,
        "seconds": [],
        "jpegs": [],
        "landmarks": [],
        "face_px": 0,
        "sound": None,
        "speech_seconds": 0.0,
        "mouth_start_seconds": 0.0,
        "mouth_strip": None,
        "mouth_seen": [],
        "motion_seconds": [],
        "motion_strip": None,
    }


def write_shard(folder: Path, index: int, rows: list[dict[str, Any]]) -> Path:
    """Write one shard whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("sample", pa.string()),
            ("error", pa.string()),
            ("window", pa.int32()),
            ("track", pa.int32()),
            ("start_seconds", pa.float64()),
            ("stop_seconds", pa.float64()),
            ("seconds", pa.list_(pa.float64())),
            ("jpegs", pa.list_(pa.binary())),
            ("landmarks", pa.list_(pa.float32())),
            ("face_px", pa.int32()),
            ("sound", pa.binary()),
            ("speech_seconds", pa.float64()),
            ("mouth_start_seconds", pa.float64()),
            ("mouth_strip", pa.binary()),
            ("mouth_seen", pa.list_(pa.bool_())),
            ("motion_seconds", pa.list_(pa.float64())),
            ("motion_strip", pa.binary()),
        ]
    )
    path = folder / f"clips-{index:05d}.parquet"
    # Two machines may write one shard, if the first was given up too early: each its own part.
    partial = path.with_suffix(f".{os.getpid()}-{os.urandom(4).hex()}.partial")
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), partial, compression="none")
    os.replace(partial, path)
    return path


def write_contract(folder: Path, contract: CropContract) -> None:
    """Note the contract by which the cache was cut; an existing one must be the same."""
    path = folder / CONTRACT_FILE
    if path.exists():
        contract.require(read_contract(folder), mine="This run", theirs=f"the cache in {folder}")
        return
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(contract.to_json(), indent=2) + "\n")


def read_contract(folder: Path) -> CropContract:
    """Read the contract of a cache."""
    path = folder / CONTRACT_FILE
    if not path.exists():
        raise FileNotFoundError(
            f"No clip cache in {folder}: {CONTRACT_FILE} is missing. Run `seamline prepare` first."
        )
    return CropContract.from_json(json.loads(path.read_text()))


def read_cache(folder: Path) -> Iterator[CachedClip]:
    """Read all clips of a cache, shard by shard."""
    import pyarrow.parquet as pq

    for path in shards(folder):
        for row in pq.read_table(path).to_pylist():
            yield _cached_clip(row)


def read_done(folder: Path) -> set[str]:
    """Return the paths of the samples that the cache already holds, errors included."""
    import pyarrow.parquet as pq

    done: set[str] = set()
    for path in shards(folder):
        for text in pq.read_table(path, columns=["sample"]).column("sample").to_pylist():
            done.add(json.loads(text)["path"])
    return done


def shards(folder: Path) -> list[Path]:
    """List the finished shards in order."""
    return sorted(folder.glob("clips-*.parquet"))


def next_shard(folder: Path) -> int:
    """Return the number after that of the last shard."""
    return max((int(path.stem.split("-")[1]) for path in shards(folder)), default=-1) + 1


def batched_rows(
    rows: Iterable[list[dict[str, Any]]], rows_per_shard: int
) -> Iterator[list[dict[str, Any]]]:
    """Collect the rows of whole samples into shards of at least ``rows_per_shard``."""
    held: list[dict[str, Any]] = []
    for sample_rows in rows:
        held.extend(sample_rows)
        if len(held) >= rows_per_shard:
            yield held
            held = []
    if held:
        yield held


def _cached_clip(row: dict[str, Any]) -> CachedClip:
    return CachedClip(
        sample=json.loads(row["sample"]),
        error=row["error"],
        window=row["window"],
        track=row["track"],
        start_seconds=row["start_seconds"],
        stop_seconds=row["stop_seconds"],
        seconds=np.array(row["seconds"], np.float64),
        jpegs=tuple(row["jpegs"]),
        landmarks=np.array(row["landmarks"], np.float32).reshape(-1, 5, 2),
        face_px=row["face_px"],
        sound=row["sound"],
        speech_seconds=row["speech_seconds"],
        # Caches from before there were mouths or motion have no such columns.
        mouth_start_seconds=row.get("mouth_start_seconds", 0.0),
        mouth_strip=row.get("mouth_strip"),
        mouth_seen=tuple(row.get("mouth_seen", ())),
        motion_seconds=np.array(row.get("motion_seconds") or [], np.float64),
        motion_strip=row.get("motion_strip"),
    )

"""Makes 10-s recordings of genuine speech, and the same with synthetic speech spliced in.

    python benchmarks/spliced_speech.py MANIFEST.csv --out DIR [--split val] [--seed 0]

Genuine clips of one source and person are joined (10 ms faded at each join) to about 10 s and
written as they are; then 1 to 2.4 s of one synthetic clip of the split, as loud, replace a stretch
of them. Both go to DIR with a manifest of exact times, so that

    seamline evaluate DIR/manifest.csv

measures how spliced speech of real synthesis systems is found; `seamline forge DIR/*.joined.wav
--kinds none,splice` makes the same with copies of the speaker's own voice.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from seamline.data.forge_sound import RATE_HZ, Samples, read_sound, segment
from seamline.data.forge_spans import SPAN_SECONDS, Span
from seamline.data.forge_sync import other_sound
from seamline.data.forge_voice import loudness, splice
from seamline.data.manifest import Sample, read_manifest, write_manifest
from seamline.media.write import write_audio

JOINED_SECONDS = 10.0
LEAST_SECONDS = 7.0
LEVEL = 0.05  # root mean square of every genuine clip


def joined(samples: Sequence[Sample]) -> Iterator[tuple[Samples, str]]:
    """Join genuine clips of one source and person; yields sounds with their source and person."""
    groups: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[sample.source, sample.person or "?"].append(sample)
    rest: list[Sample] = []
    for (source, person), members in sorted(groups.items()):
        while members:
            taken = members[:5]
            sound = join(taken)
            if len(sound) < LEAST_SECONDS * RATE_HZ:
                rest += taken
            else:
                yield sound[: round(JOINED_SECONDS * RATE_HZ)], f"{source}: {person}"
            members = members[5:]
    for start in range(0, len(rest) - 4, 5):  # short groups: several speakers, as in a talk show
        yield join(rest[start : start + 5])[: round(JOINED_SECONDS * RATE_HZ)], "several"


def join(samples: Sequence[Sample]) -> Samples:
    """Join clips one after another, alike in loudness, faded at the joins."""
    ramp = np.linspace(0, 1, RATE_HZ // 100, dtype=np.float32)
    parts = []
    for sample in samples:
        sound = read_sound(sample.file, [])
        sound = np.clip(sound * np.float32(LEVEL / max(loudness(sound), 1e-6)), -1, 1)
        sound[: len(ramp)] *= ramp
        sound[-len(ramp) :] *= ramp[::-1]
        parts.append(sound)
    return np.concatenate(parts)


def spliced(
    sound: Samples, fake: Samples, generator: np.random.Generator
) -> tuple[Samples, list[Span]]:
    """Replace a stretch by synthetic speech, as loud as what was there."""
    longest = min(SPAN_SECONDS[1], len(fake) / RATE_HZ)
    length = float(generator.uniform(SPAN_SECONDS[0], longest)) if longest > 1 else longest
    start = float(generator.uniform(0.3, len(sound) / RATE_HZ - length - 0.3))

    def replacement(first: int, last: int) -> Samples:
        return other_sound(sound[first:last], fake, generator, RATE_HZ)

    return splice(sound, [(start, start + length)], replacement, RATE_HZ)


def main() -> None:
    """Join, splice, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", default="val")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    samples = [s for s in read_manifest(asked.manifest, split=asked.split) if s.kind == "audio"]
    fakes = [sample for sample in samples if sample.label == "fake"]
    generator = np.random.default_rng(asked.seed)
    order = iter(generator.permutation(len(fakes)))
    asked.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (sound, person) in enumerate(joined([s for s in samples if s.label == "real"])):
        fake = fakes[int(next(order))]
        made, spans = spliced(sound, read_sound(fake.file, []), generator)
        for kind, heard, found in (("joined", sound, []), ("spliced", made, spans)):
            path = asked.out / f"{number:02d}.{kind}.wav"
            write_audio(path, heard, RATE_HZ)
            label = "fake" if found else "real"
            told = json.dumps([segment("audio", None, span) for span in found])
            rows.append(
                Sample(
                    path.name,
                    "audio",
                    label=label,
                    audio_label=label,
                    source=person,
                    method=fake.method if found else "",
                    person=f"joined-{number}",
                    extra={"segments": told, "forgery": kind if found else "none"},
                    root=asked.out,
                )
            )
    write_manifest(asked.out / "manifest.csv", rows)
    print(f"{len(rows)} files in {asked.out}")


if __name__ == "__main__":
    main()

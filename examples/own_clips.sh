#!/bin/sh
# From a folder of genuine clips to a model that has learned from them, and how it does on people
# whom it has not seen. Needs pip install 'seamline[train]'.
#
#     sh examples/own_clips.sh FOLDER_OF_GENUINE_CLIPS WORK_FOLDER
#
# Each file stands for one person here: name people in the manifest where several clips show one.
set -eu
genuine=$(realpath "$1")
configs=$(realpath "$(dirname "$0")/../configs")
mkdir -p "$2"
cd "$2"

seamline forge "$genuine" --out forged --kinds lips,video,none --resume
python - <<'PYTHON'
from dataclasses import replace
from pathlib import Path

import numpy as np

from seamline.data.manifest import read_manifest, write_manifest
from seamline.data.splits import split_by_identity

samples = read_manifest("forged/manifest.csv")
named = [replace(s, person=s.person or Path(s.extra["original"]).stem) for s in samples]
shares = {"train": 0.7, "val": 0.3}
write_manifest("forged/split.csv", split_by_identity(named, shares, np.random.default_rng(0)))
PYTHON

seamline audit forged/split.csv                   # does anything but the forgery tell them apart?
seamline evaluate forged/split.csv --split val    # what ships, on people it has not seen
seamline prepare forged/split.csv --out cache/mine
seamline train "$configs/further.yaml" --resume
seamline export mine --run runs/further --onto seamline-small --replace --without motion
seamline evaluate forged/split.csv --split val --model mine

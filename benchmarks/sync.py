"""How well a bundle tells whether lips and sound belong together, on held-out people; prints JSON.

    python benchmarks/sync.py cache/sync --split val
    python benchmarks/sync.py cache/sync --split val --baselines --by-source --apart-from LRC-AR

Each clip of a second or more is judged with its own sound, with sound moved by 0.2, 0.4 and 0.8 s
and with another person's, over the same seconds of mouth (as training's held-out pairs are). Two
scores: `apart` asks whether they fit at once, within a step of 40 ms; `logit` is the runtime's,
which allows a natural lag of 0.28 s. The baselines are what needs no network: the correlation of
the mouth's opening and motion with loudness, and canonical correlations fitted to the train split.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from seamline.clips.cache import read_cache, read_contract
from seamline.data.mouth_augment import plain_mouths
from seamline.evaluation.metrics import roc_auc
from seamline.scoring.branch import Branch
from seamline.scoring.judge_sync import weighed_fit
from seamline.scoring.synchrony import compare, fit_of
from seamline.training.sync_pairs import Judged, SyncEntry, judged_pairs, mel_of, sync_entries
from seamline.zoo.bundle import Bundle
from seamline.zoo.catalog import DEFAULT, find_model
from seamline.zoo.clip_scores import mouth_motion

Embed = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
COMPONENTS, RIDGE = 12, 1e-2


def by_bundle(bundle: Bundle) -> Embed:
    """Vectors as a scan has them."""
    return bundle.embed_sync


def by_opening(mouths: np.ndarray, mel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mouth's darkness and motion, and loudness: one number each, standardised."""
    pixels = mouths.astype(np.float64)
    high, low = mouths.shape[1] * 3 // 8, mouths.shape[1] * 3 // 4
    dark = -pixels[:, high:low, high - 2 : low].mean(axis=(1, 2))
    motion = np.abs(np.diff(pixels, axis=0, prepend=pixels[:1])).mean(axis=(1, 2))
    loud = mel[:, : 4 * len(mouths)].reshape(len(mel), len(mouths), 4).mean(axis=(0, 2))
    mouth = _standard(_standard(dark) + _standard(motion))
    return mouth[:, None], _standard(loud)[:, None]


def by_correlations(entries: Iterable[SyncEntry], margin: float, size_px: int) -> Embed:
    """Canonical correlations of eigenlips and bands, each with its neighbours in time."""
    seen, heard = [], []
    for entry in list(entries)[::3]:
        mouths = plain_mouths(entry.mouths, stored_margin=margin, size_px=size_px)
        seen.append(_lips(mouths))
        heard.append(_bands(mel_of(entry, 0, entry.steps), entry.steps))
    flat = np.concatenate(seen)
    _, _, lips = np.linalg.svd(flat[:: max(1, len(flat) // 6000)], full_matrices=False)
    lips = lips[:24]
    x = np.concatenate([_around(part @ lips.T) for part in seen])
    y = np.concatenate([_around(part) for part in heard])
    x_unit, y_unit = x.std(axis=0) + 1e-6, y.std(axis=0) + 1e-6
    x, y = x / x_unit, y / y_unit
    wx, wy = _whitener(x), _whitener(y)
    u, s, v = np.linalg.svd(wx.T @ (x.T @ y / len(x)) @ wy)
    a, b = wx @ u[:, :COMPONENTS] * s[:COMPONENTS], wy @ v[:COMPONENTS].T

    def embed(mouths: np.ndarray, mel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mouth = _around(_lips(mouths) @ lips.T) / x_unit @ a
        sound = _around(_bands(mel, len(mouths))) / y_unit @ b
        return mouth, sound

    return embed


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / (values.std() + 1e-6)


def _lips(mouths: np.ndarray) -> np.ndarray:
    pixels = mouths[:, ::2, ::2].reshape(len(mouths), -1).astype(np.float64)
    return (pixels - pixels.mean(axis=0)) / (pixels.std() + 1.0)


def _bands(mel: np.ndarray, steps: int) -> np.ndarray:
    bands = mel[:, : 4 * steps].reshape(20, 4, steps, 4).mean(axis=(1, 3)).T.astype(np.float64)
    return np.asarray(bands - bands.mean(axis=0))


def _around(values: np.ndarray) -> np.ndarray:
    padded = np.pad(values, ((2, 2), (0, 0)), mode="edge")
    return np.concatenate([padded[k : k + len(values)] for k in range(5)], axis=1)


def _whitener(x: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(x.T @ x / len(x))
    return vectors / np.sqrt(values + RIDGE)


def judged(
    pairs: list[Judged],
    embed: Embed,
    margin: float,
    size_px: int,
    branch: Branch | None = None,
) -> list[dict[str, object]]:
    """Both scores of each pair, and the offset found."""
    rows: list[dict[str, object]] = []
    for pair in pairs:
        part = pair.mouth.mouths[pair.first : pair.first + pair.steps]
        mouths = plain_mouths(part, stored_margin=margin, size_px=size_px)
        mouth, sound = embed(mouths, mel_of(pair.sound, pair.sound_first, pair.steps))
        likeness, reached = compare(mouth, sound[: len(mouth)])
        fit, strict = fit_of(likeness, reached=reached), fit_of(likeness, natural_steps=1)
        assert fit is not None
        assert strict is not None
        rows.append(
            {
                "source": pair.source,
                "person": pair.person,
                "method": pair.method,
                "seconds": pair.steps * 0.04,
                "logit": fit.logit if branch is None else weighed_fit(fit, len(mouth), branch),
                "apart": strict.logit,
                "offset_seconds": fit.offset_seconds,
                "motion": mouth_motion(mouths),
            }
        )
    return rows


def table(rows: list[dict[str, object]]) -> dict[str, object]:
    """AUC of genuine against each method, with the people and seconds behind it."""
    groups: dict[str, list[dict[str, object]]] = defaultdict(list)
    for row in rows:
        groups[str(row["method"])].append(row)
    found: dict[str, object] = {}
    for method, fakes in groups.items():
        if not method:
            continue
        mouths = {(r["source"], r["person"]) for r in fakes}
        genuine = [r for r in groups[""] if (r["source"], r["person"]) in mouths]
        labels = np.array([0] * len(genuine) + [1] * len(fakes))
        scores = {
            key: roc_auc(labels, np.array([r[key] for r in genuine + fakes], np.float64))
            for key in ("apart", "logit")
        }
        found[method] = {
            **{key: round(value, 3) for key, value in scores.items()},
            "people": len(mouths),
            "clips": len(fakes),
            "seconds": round(sum(float(r["seconds"]) for r in fakes), 1),  # type: ignore[arg-type]
        }
    return found


def main() -> None:
    """Judge and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--baselines", action="store_true")
    parser.add_argument("--by-source", action="store_true")
    parser.add_argument("--apart-from", help="also give the figures without this source")
    parser.add_argument("--rows", type=Path, help="write every pair's scores here")
    options = parser.parse_args()
    contract = read_contract(options.cache)
    assert contract.mouth is not None
    clips = [c for c in read_cache(options.cache) if c.error is None]
    pairs = judged_pairs(
        sync_entries((c for c in clips if c.sample["split"] == options.split), contract)
    )
    bundle = Bundle.load(find_model(options.model), threads=1)
    assert bundle.contract.mouth is not None
    margin, size_px = contract.mouth.margin, bundle.contract.mouth.size_px
    ways = {"bundle": by_bundle(bundle)}
    if options.baselines:
        train = sync_entries((c for c in clips if c.sample["split"] == "train"), contract)
        ways |= {"opening": by_opening, "correlations": by_correlations(train, margin, size_px)}
    result: dict[str, object] = {}
    for name, embed in ways.items():
        rows = judged(
            pairs, embed, margin, size_px, bundle.branches["sync"] if name == "bundle" else None
        )
        result[name] = table(rows)
        if name == "bundle":
            branch = bundle.branches["sync"]
            genuine = [float(r["logit"]) for r in rows if not r["method"]]  # type: ignore[arg-type]
            chances = branch.calibration.probabilities(np.array(genuine))
            result["genuine called fake"] = f"{sum(chances >= branch.threshold)} of {len(chances)}"
            if options.rows:
                options.rows.write_text(json.dumps(rows))
        others = [r for r in rows if r["source"] != options.apart_from]
        if len(others) < len(rows):
            result[f"{name} others"] = table(others)
        if options.by_source:
            sources = sorted({str(r["source"]) for r in rows})
            result[f"{name} by source"] = {
                s: table([r for r in rows if r["source"] == s]) for s in sources
            }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

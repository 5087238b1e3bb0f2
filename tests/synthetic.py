"""SYNTHETIC logits for tests: made up, with the properties that MixedNUTS builds on."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch

from mnuts_core import LogitBundle, MixParams
from mnuts_core.attacks.margin_attacks import MARGIN_ATTACKS
from mnuts_core.bundles.certificate import CertificateCard
from mnuts_core.bundles.manifest import SourceCard, ThreatModel
from mnuts_core.functional.mixing import mixed_logits
from mnuts_core.functional.statistics import share
from mnuts_core.models.predict import predicted
from mnuts_core.pipeline.verified import ComponentResult, Verified


def make_arrays(
    n: int = 300, m: int = 180, k: int = 10, seed: int = 0, dtype: Any = np.float32, boost: float = 2.5
) -> dict[str, Any]:
    """Arrays for `LogitBundle.from_arrays`; `boost` is by how much the robust model favours the label.

    The attacked rows are a scattered subset of the clean ones. The standard model is right on most clean
    rows and on few attacked ones; the robust one is confident when right, also under attack.
    """
    rng = np.random.default_rng(seed)
    rows = np.arange(n)
    labels = rng.integers(0, k, n)
    std = rng.normal(size=(n, k)) * 1.5
    std[rows, labels] += 6.0
    rob = rng.normal(size=(n, k)) * rng.uniform(0.5, 1.5, (n, 1))
    rob[rows, labels] += rng.gamma(2.0, boost, n)
    index = rng.permutation(n)[:m]
    hit = np.arange(m)
    adv_rob = rob[index] + 0.3 * rng.normal(size=(m, k))
    adv_rob[hit, labels[index]] -= rng.uniform(0.0, boost, m)
    adv_std = rng.normal(size=(m, k)) * 1.5
    adv_std[hit, (labels[index] + 1) % k] += 6.0 * (rng.random(m) < 0.85)
    return {
        "clean_labels": labels,
        "clean_std_logits": std.astype(dtype),
        "clean_rob_logits": rob.astype(dtype),
        "adv_index": index,
        "adv_std_logits": adv_std.astype(dtype),
        "adv_rob_logits": adv_rob.astype(dtype),
    }


def make_bundle(**options: Any) -> LogitBundle:
    """A bundle of `make_arrays`, named as what it is."""
    return LogitBundle.from_arrays(**make_arrays(**options), name="SYNTHETIC logits for tests")


CERTIFICATES: dict[str, dict[str, Any]] = {
    "smoothing": {"kind": "smoothing", "norm": "L2", "sigma": 0.25},
    "margin": {"kind": "margin", "norm": "Linf", "margin": 0.3},
    "probabilities": {"kind": "lipschitz", "norm": "Linf", "constant": 2.0, "of": "probabilities"},
    "logits": {"kind": "lipschitz", "norm": "Linf", "constant": 3.0, "of": "logits"},
    "differences": {"kind": "lipschitz", "norm": "L2", "constant": 1.0, "of": "differences"},
}
"""Of every kind, as the manifest has them."""


def with_certificate(name: str, seed: int = 0, threat: ThreatModel | None = None) -> LogitBundle:
    """A bundle in which one of `CERTIFICATES` is certified of h, with radii where it needs them."""
    bundle, card = make_bundle(n=80, m=20, k=6, seed=seed, boost=4.0), CertificateCard(**CERTIFICATES[name])
    radii = np.random.default_rng(seed).uniform(-0.2, 1.0, 80).clip(0.0) if card.by_radius else None
    manifest = bundle.manifest.model_copy(update={"certificate": card, "threat": threat})
    return replace(bundle, manifest=manifest, clean_certified_radius=radii)


def clean_only(bundle: LogitBundle) -> LogitBundle:
    """The bundle without its attacked part."""
    return LogitBundle.from_arrays(
        clean_labels=bundle.clean_labels,
        clean_std_logits=bundle.clean_std_logits,
        clean_rob_logits=bundle.clean_rob_logits,
    )


def with_attack(settings: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `build_bundle`, from a flat table that names an attack and settings of any attack."""
    kind = MARGIN_ATTACKS[settings.get("attack", "mmaa")]
    of_all = {field.name for each in MARGIN_ATTACKS.values() for field in fields(each)}
    own = {field.name: settings[field.name] for field in fields(kind) if field.name in settings}
    return {name: value for name, value in settings.items() if name not in of_all} | {"attack": kind(**own)}


def make_pool(
    *, sources: int = 3, most: int = 3, seed: int = 0, mixes: bool = True, **options: Any
) -> LogitBundle:
    """A bundle of `make_bundle` with further points: of each source up to `most` an image, in no order."""
    bundle, rng = make_bundle(seed=seed, **options), np.random.default_rng(seed + 1)
    first = bundle.require_attacked()
    for number in range(1, sources):
        counts = rng.integers(0, most + 1, len(first))
        at = rng.permutation(np.repeat(np.arange(len(first)), counts))
        std, rob = (logits[at].astype(np.float64) for logits in (first.std_logits, first.rob_logits))
        std += rng.normal(size=std.shape) * 2.0
        rob += rng.normal(size=rob.shape) * 0.4
        card = SourceCard(
            name=f"SYNTHETIC attack {number}",
            target="a mix" if mixes else "LN∘h_rob",
            params={"s": 1.0, "alpha": 0.9} if mixes else None,
            images=len(first),
        )
        bundle = bundle.with_points(card, first.index[at], std, rob)
    return bundle


def tied_logits(rng: np.random.Generator, labels: np.ndarray, k: int, *, tied: bool) -> np.ndarray:
    """Whole quarters, which every float holds exactly, shape (R, k); the top is one class, or two and more.

    The label is among them in more than half of the rows.
    """
    logits = rng.integers(-6, 5, (len(labels), k)) / 4
    for row, label in zip(logits, labels, strict=True):
        many = (2 if rng.random() < 0.7 else rng.integers(2, k + 1)) if tied else 1
        top = rng.permutation(k)[:many]
        row[top] = row.max() + rng.integers(1, 4) / 4
        if rng.random() < 0.5:
            row[[label, top[0]]] = row[[top[0], label]]
    return logits


def make_tied(
    n: int = 30, m: int = 20, k: int = 10, seed: int = 0, dtype: Any = np.float32, *, std: bool, rob: bool
) -> LogitBundle:
    """A bundle in which the largest logits of g, h, or both are exactly tied; some images have two points."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    index = rng.permutation(n)[:m]
    index = np.append(index, index[rng.random(m) < 0.5])
    return LogitBundle.from_arrays(
        clean_labels=labels,
        clean_std_logits=tied_logits(rng, labels, k, tied=std).astype(dtype),
        clean_rob_logits=tied_logits(rng, labels, k, tied=rob).astype(dtype),
        adv_index=index,
        adv_source=np.where(np.arange(len(index)) < m, 0, 1),
        adv_std_logits=tied_logits(rng, labels[index], k, tied=std).astype(dtype),
        adv_rob_logits=tied_logits(rng, labels[index], k, tied=rob).astype(dtype),
        name="SYNTHETIC logits with ties, for tests",
    )


VERIFIED_BY = {"attack": "transfer", "norm": "Linf", "eps": 0.1, "n_iter": 3, "seed": 4, "precision": "full"}


def verified_by(
    params: MixParams, labels: np.ndarray, std: np.ndarray, rob: np.ndarray, **changes: Any
) -> Verified:
    """What an attack would answer that had found points with these logits."""
    raw = torch.from_numpy(std), torch.from_numpy(rob)
    answers, true = predicted(mixed_logits(*raw, params)), torch.from_numpy(labels)
    fell = torch.where(answers == true, 1, 0)
    right = share(int(fell.sum()), len(labels), "verified")
    return Verified(
        accuracy=right,
        clean=share(len(labels), len(labels), "clean"),
        components=(ComponentResult("apgd-ce", right, int((fell == 0).sum())),),
        attack="an attack",
        settings=VERIFIED_BY | {"mix": str(params)} | changes,
        digest="sha256:" + "0" * 64,
        warnings=(),
        points=torch.zeros(len(labels), 1, 1, 1),
        predictions=answers,
        labels=true,
        fell=fell,
        std_logits=raw[0],
        rob_logits=raw[1],
    )

"""Step: train the wide CIFAR-10 pair by the clock, and measure it on the test images."""

from __future__ import annotations

from mnuts_core.attacks.mmaa import minimum_margin_attack
from mnuts_core.datasets.base import LoadedData
from mnuts_core.demo.cifar10 import EPS, NORM, SEED
from mnuts_core.demo.cifar10_wide import WHITENED_BY, Chosen, megabytes, recipe_of, train_wide, training_card
from mnuts_core.demo.weights import NetworkCard, Role, save_network, weights_path
from mnuts_core.export.cards import EstimateCard
from mnuts_core.functional.statistics import Estimate, share_of
from mnuts_core.pipeline.build import model_card, predict
from tests.benchmarks.gpu.job import TRAINED, Job

LOOK = 1000
"""So many test images show how much h withstands; the step `pool` attacks all of them in earnest."""
LOOK_STEPS = 20


def run(job: Job) -> None:
    """Train g, then h; each is written when it is finished, and not trained again."""
    training, test = job.images("train"), job.images("test")
    roles: tuple[Role, ...] = ("std", "rob")
    for role in roles:
        path = weights_path("cifar10", role, job.folder(TRAINED))
        if path.exists():
            print(f"{path} is there")
            continue
        recipe = job.sizes.recipes[role]
        pixels = (training.images[:WHITENED_BY] * 255.0).byte()
        precision = job.precision(job.sizes.pair.make(role, pixels), training.images[: recipe.batch_size])
        chosen = train_wide(
            role,
            training,
            device=job.device,
            precision=precision,
            checkpoint=job.folder("checkpoints") / f"{role}.safetensors",
            pair=job.sizes.pair,
            recipes=job.sizes.recipes,
            held_out=job.sizes.held_out,
            save_every=job.sizes.save_every,
            progress=lambda done, total, role=role: print(f"{role}: {done}/{total}", flush=True),
        )
        clean = _clean(job, chosen, test)
        job.report(
            **{
                f"{role}: epochs": chosen.epochs,
                f"{role}: seconds of training": round(chosen.seconds, 1),
                f"{role}: megabytes": round(megabytes(chosen.network), 2),
                f"{role}: weights": chosen.weights,
                **{f"{role}: {name} weights, held-out": right for name, right in chosen.held_out.items()},
                f"{role}: clean": clean,
            }
        )
        if role == "rob":
            job.report(**{f"rob: right under APGD-CE, {LOOK_STEPS} steps": _withstood(job, chosen, test)})
        _save(job, role, chosen, clean, training)


def _clean(job: Job, chosen: Chosen, test: LoadedData) -> Estimate:
    logits = predict(chosen.network, test.images, batch_size=job.sizes.batch, device=job.device)
    return share_of((logits.argmax(1) == test.labels).numpy(), "clean")


def _withstood(job: Job, chosen: Chosen, test: LoadedData) -> Estimate:
    found = minimum_margin_attack(
        chosen.network,
        test.images[:LOOK],
        test.labels[:LOOK],
        norm=NORM,
        eps=EPS,
        n_iter=min(LOOK_STEPS, job.sizes.mmaa.steps),
        n_targets=0,
        batch_size=LOOK,
        precision=job.precision(chosen.network, test.images[:LOOK]),
        channels_last=True,
        device=job.device,
    )
    return share_of((found.margin > 0).numpy(), "attacked")


def _save(job: Job, role: Role, chosen: Chosen, clean: Estimate, training: LoadedData) -> None:
    network = chosen.network.cpu()
    card = NetworkCard(
        model=model_card(f"demo:cifar10/{role}", network),
        architecture=network.architecture,
        recipe=recipe_of(role, chosen, job.sizes.recipes),
        seed=SEED,
        training=training_card(training, job.sizes.held_out),
        clean=EstimateCard.of(clean),
    )
    save_network(weights_path("cifar10", role, job.folder(TRAINED)), network, card, half=True)

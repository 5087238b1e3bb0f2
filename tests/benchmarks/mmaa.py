"""MMAA against a plain float32 loop over the library's APGD, at equal budget, on the shipped CIFAR-10 pair.

Both run APGD-CE on all images and APGD-T at nine classes on those still right, 100 steps each, and keep the
least margin that any step has seen. One thread, and its CPU time is what counts, so that a busy machine
does not; batch by batch the sides take turns. It takes a quarter of an hour. `$MNUTS_CIFAR10` says in which
folder the images are, `$MNUTS_BENCH_N` how many to take (64).

The last line is what the processor itself gives: forward pass and input gradient of the bare network, in
bfloat16 and channels last against float32. No attack of equal budget gains much more than that. Where
bfloat16 runs in the vector units (AVX-512) one machine gave about 2 and another less than 1; a matrix unit
(AMX) gives more.

Bars: CPU at least 2.5 times the images per second, accuracy within 0.2 points, median |Δ margin|
at most 0.005.
"""

import os
import statistics
import time
from collections.abc import Callable

import torch
from pyautoattack.autopgd_base import APGDAttack, APGDAttack_targeted
from torch import Tensor, nn

from mnuts_core.attacks.mmaa import minimum_margin_attack
from mnuts_core.datasets.specs import load_data
from mnuts_core.demo.cifar10 import EPS, load_network_of
from mnuts_core.functional.margins import signed_margin
from mnuts_core.functional.transform import layer_norm
from tests import CIFAR10, NEEDS_CIFAR10

STEPS, TARGETS, BATCH = 100, 9, 64
N = int(os.environ.get("MNUTS_BENCH_N", "64"))
OURS = {
    "float32, channels last": {"channels_last": True},
    "bfloat16, channels last": {"precision": "bfloat16", "channels_last": True},
}


def main() -> None:
    if not CIFAR10:
        print(f"passed over: {NEEDS_CIFAR10}")
        return
    torch.set_num_threads(1)
    network, data = load_network_of("rob")[0].requires_grad_(False), load_data(f"cifar10-jpeg:{CIFAR10}", n=N)
    images, labels = data.images, data.labels
    sides: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "library, float32": lambda x, y: plain(network, x, y)
    }
    for name, options in OURS.items():
        sides[f"ours, {name}"] = lambda x, y, options=options: ours(network, x, y, options)
    spent, margins = dict.fromkeys(sides, 0.0), {name: [] for name in sides}
    for x, y in zip(images.split(BATCH), labels.split(BATCH), strict=True):
        for name, side in sides.items():
            start = time.process_time()
            margins[name].append(side(x, y))
            spent[name] += time.process_time() - start
    base = torch.cat(margins["library, float32"])
    parameters = sum(p.numel() for p in network.parameters())
    print(f"{N} images of {data.card.name}, ℓ∞ {EPS:.4f}, {parameters:,} parameters, batches of {BATCH}")
    for name in sides:
        found = torch.cat(margins[name])
        print(
            f"{name:>30}: {N / spent[name]:6.2f} images/s, {spent['library, float32'] / spent[name]:4.2f}×, "
            f"right under attack {100 * (found > 0).float().mean():.2f} %, "
            f"median |Δ margin| {(found - base).abs().median():.5f}, median margin {found.median():+.4f}"
        )
    low, full = bare(network, images[:BATCH], torch.bfloat16), bare(network, images[:BATCH], torch.float32)
    print(f"{'bare passes, bfloat16':>30}: {full / low:4.2f}× those in float32")


def bare(network: nn.Module, images: Tensor, dtype: torch.dtype, repeats: int = 15) -> float:
    """Seconds of CPU time for a forward pass and its input gradient, median."""
    layout = torch.channels_last if dtype == torch.bfloat16 else torch.contiguous_format
    network.to(memory_format=layout)
    points, spent = images.contiguous(memory_format=layout).requires_grad_(), []
    for _ in range(repeats):
        start = time.process_time()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            total = network(points).float().sum()
        torch.autograd.grad(total, points)
        spent.append(time.process_time() - start)
    return statistics.median(spent)


def ours(network: nn.Module, images: Tensor, labels: Tensor, options: dict) -> Tensor:
    network.to(memory_format=torch.contiguous_format)
    return minimum_margin_attack(
        network, images, labels, eps=EPS, n_iter=STEPS, n_targets=TARGETS, device="cpu", **options
    ).margin


def plain(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """The library's attacks, one after another, on a model that notes the least margin of each image."""
    network.to(memory_format=torch.contiguous_format)
    least = torch.full((len(images),), torch.inf)
    rows = torch.arange(len(images))

    def noted(points: Tensor) -> Tensor:
        logits = layer_norm(network(points))
        least[rows] = torch.minimum(least[rows], signed_margin(logits.detach(), labels[rows]))
        return logits

    attack = APGDAttack(noted, n_iter=STEPS, norm="Linf", eps=EPS, loss="ce", device="cpu")
    attack.init_hyperparam(images)
    attack.attack_single_run(images, labels)
    targeted = APGDAttack_targeted(noted, n_iter=STEPS, norm="Linf", eps=EPS, device="cpu")
    targeted.init_hyperparam(images)
    with torch.no_grad():
        order = network(images).scatter(1, labels.unsqueeze(1), -torch.inf).argsort(1, descending=True)
    for target in range(TARGETS):
        rows = (least > 0).nonzero().squeeze(1)
        if len(rows):
            targeted.y_target = order[rows, target]
            targeted.attack_single_run(images[rows], labels[rows])
    return least

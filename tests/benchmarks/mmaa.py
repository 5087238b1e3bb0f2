"""MMAA against a plain float32 loop over the library's APGD, at equal budget, on the shipped CIFAR-10 pair.

Both run APGD-CE on all images and APGD-T at nine classes on those still right, 100 steps each, and keep the
least margin that any step has seen. On the CPU one thread, and its CPU time is what counts, so that a busy
machine does not; batch by batch the sides take turns. It takes a quarter of an hour. `$MNUTS_CIFAR10` says in
which folder the images are, `$MNUTS_BENCH_N` how many to take (64). On a GPU, `tests.benchmarks.gpu` runs it.

The last line is what the processor itself gives: forward pass and input gradient of the bare network, in
bfloat16 and channels last against float32. No attack of equal budget gains much more than that. Where
bfloat16 runs in the vector units (AVX-512) one machine gave about 2 and another less than 1; a matrix unit
(AMX) gives more.

Bars: CPU at least 3 times the images per second where bfloat16 pays, 1.5 times in float32 alone; accuracy
within 0.2 points, median |Δ margin| at most 0.005.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import torch
from pyautoattack.autopgd_base import APGDAttack, APGDAttack_targeted
from torch import Tensor, nn

from mnuts_core.attacks.mmaa import minimum_margin_attack
from mnuts_core.datasets.specs import load_data
from mnuts_core.demo.cifar10 import EPS, load_network_of
from mnuts_core.functional.margins import signed_margin
from mnuts_core.functional.statistics import Estimate, median, share_of
from mnuts_core.functional.transform import layer_norm
from tests import CIFAR10, NEEDS_CIFAR10

BATCH = 64
N = int(os.environ.get("MNUTS_BENCH_N", "64"))
LIBRARY = "library, float32"
ALL: Mapping[str, dict[str, Any]] = {
    "float32": {},
    "float32, channels last": {"channels_last": True},
    "float32, channels last, frugal": {"channels_last": True, "effort": "frugal"},
    "bfloat16": {"precision": "bfloat16"},
    "bfloat16, channels last": {"precision": "bfloat16", "channels_last": True},
    "bfloat16, channels last, frugal": {
        "precision": "bfloat16",
        "channels_last": True,
        "effort": "frugal",
    },
}
OURS = {name: options for name, options in ALL.items() if "channels_last" in options}
"""What pays on a CPU. (The frugal plan drives at three targets, the others and the library at nine.)"""


class Budget(NamedTuple):
    """How hard both sides attack."""

    steps: int = 100
    targets: int = 9


FULL = Budget()


class Side(NamedTuple):
    """What one side has done so far: seconds, and the margins that it found, shape (n,)."""

    seconds: float
    margins: Tensor

    @property
    def rate(self) -> float:
        """Images per second."""
        return len(self.margins) / self.seconds

    @property
    def right(self) -> Estimate:
        """What is right under attack."""
        return share_of((self.margins > 0).numpy(), "attacked")

    def apart(self, other: "Side") -> Estimate:
        """Median |Δ margin| to another side."""
        return median((self.margins - other.margins).abs().double().numpy())


def main() -> None:
    if not CIFAR10:
        print(f"passed over: {NEEDS_CIFAR10}")
        return
    torch.set_num_threads(1)
    network, data = load_network_of("rob")[0].requires_grad_(False), load_data(f"cifar10-jpeg:{CIFAR10}", n=N)
    parameters = sum(p.numel() for p in network.parameters())
    print(f"{N} images of {data.card.name}, ℓ∞ {EPS:.4f}, {parameters:,} parameters, batches of {BATCH}")
    *_, sides = compare(network, data.images, data.labels, ours_with=OURS)
    for name, side in sides.items():
        print(
            f"{name:>30}: {side.rate:6.2f} images/s, {side.rate / sides[LIBRARY].rate:4.2f}×, "
            f"right under attack {100 * side.right.value:.2f} %, "
            f"median |Δ margin| {side.apart(sides[LIBRARY]).value:.5f}, "
            f"median margin {side.margins.median():+.4f}"
        )
    images = data.images[:BATCH]
    low, full = bare(network, images, torch.bfloat16), bare(network, images, torch.float32)
    print(f"{'bare passes, bfloat16':>30}: {full / low:4.2f}× those in float32")


def compare(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    ours_with: Mapping[str, dict[str, Any]] = ALL,
    budget: Budget = FULL,
    batch: int = BATCH,
    device: str = "cpu",
) -> Iterator[dict[str, Side]]:
    """Both sides on a batch after another: what they have done so far, the library first."""
    attacks: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        LIBRARY: lambda x, y: plain(network, x, y, budget, device)
    }
    for name, options in ours_with.items():
        attacks[f"ours, {name}"] = lambda x, y, options=options: ours(network, x, y, budget, device, options)
    if device != "cpu":  # the first passes of each kind load their kernels
        for dtype in (torch.float32, torch.bfloat16):
            bare(network, images[:batch].to(device), dtype, repeats=2)
    sides: dict[str, Side] = {}
    for x, y in zip(images.split(batch), labels.split(batch), strict=True):
        for name, attack in attacks.items():
            start = _clock(device)
            found = attack(x, y)
            before = sides.get(name, Side(0.0, torch.empty(0)))
            sides[name] = Side(before.seconds + _clock(device) - start, torch.cat([before.margins, found]))
        yield dict(sides)


def _clock(device: str) -> float:
    """Seconds: CPU time on the CPU, elsewhere the time when all that the device was given is done."""
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize(device)
    return time.perf_counter()


def bare(network: nn.Module, images: Tensor, dtype: torch.dtype, repeats: int = 15) -> float:
    """Seconds for a forward pass and its input gradient, median."""
    device = images.device.type
    layout = torch.channels_last if dtype == torch.bfloat16 else torch.contiguous_format
    network.to(images.device, memory_format=layout)
    points, spent = images.contiguous(memory_format=layout).requires_grad_(), []
    for _ in range(repeats):
        start = _clock(device)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            total = network(points).float().sum()
        torch.autograd.grad(total, points)
        spent.append(_clock(device) - start)
    return statistics.median(spent)


def ours(
    network: nn.Module, images: Tensor, labels: Tensor, budget: Budget, device: str, options: dict[str, Any]
) -> Tensor:
    network.to(memory_format=torch.contiguous_format)
    return minimum_margin_attack(
        network,
        images,
        labels,
        eps=EPS,
        n_iter=budget.steps,
        n_targets=budget.targets,
        batch_size=len(images),
        device=device,
        **options,
    ).margin


def plain(network: nn.Module, images: Tensor, labels: Tensor, budget: Budget, device: str) -> Tensor:
    """The library's attacks, one after another, on a model that notes the least margin of each image."""
    network.to(device, memory_format=torch.contiguous_format)
    images, labels = images.to(device), labels.to(device)
    least = torch.full((len(images),), torch.inf, device=device)
    rows = torch.arange(len(images), device=device)

    def noted(points: Tensor) -> Tensor:
        logits = layer_norm(network(points))
        least[rows] = torch.minimum(least[rows], signed_margin(logits.detach(), labels[rows]))
        return logits

    with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):  # as ours
        attack = APGDAttack(noted, n_iter=budget.steps, norm="Linf", eps=EPS, loss="ce", device=device)
        attack.init_hyperparam(images)
        attack.attack_single_run(images, labels)
        targeted = APGDAttack_targeted(noted, n_iter=budget.steps, norm="Linf", eps=EPS, device=device)
        targeted.init_hyperparam(images)
        with torch.no_grad():
            order = network(images).scatter(1, labels.unsqueeze(1), -torch.inf).argsort(1, descending=True)
        for target in range(budget.targets):
            rows = (least > 0).nonzero().squeeze(1)
            if len(rows):
                targeted.y_target = order[rows, target]
                targeted.attack_single_run(images[rows], labels[rows])
    return least.cpu()

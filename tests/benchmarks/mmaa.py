"""MMAA against a plain float32 loop over the library's APGD, at equal budget, on a small network.

Both run APGD-CE on all images and APGD-T at nine classes on those still right, 100 steps each, and keep the
least margin that any step has seen. One thread, and its CPU time is what counts, so that a busy machine
does not; batch by batch the sides take turns. The network is trained here against one-step attacks on
scikit-learn's digits at 16×16. It takes several minutes.

Bars (issue 3): CPU at least 2.5 times the images per second, accuracy within 0.2 points, median |Δ margin|
at most 0.005.
"""

import time
from collections.abc import Callable

import torch
from pyautoattack.autopgd_base import APGDAttack, APGDAttack_targeted
from torch import Tensor, nn
from torch.nn import functional as F

from mnuts_core.attacks.mmaa import minimum_margin_attack
from mnuts_core.demo.digits import load_digits_split
from mnuts_core.margins import signed_margin
from mnuts_core.transform import layer_norm

EPS, STEPS, TARGETS, BATCH, N, SIDE = 0.12, 100, 9, 128, 256, 16
EPOCHS = 6
OURS = {
    "float32": {},
    "float32, channels last": {"channels_last": True},
    "bfloat16, channels last": {"precision": "bfloat16", "channels_last": True},
}


def main() -> None:
    torch.set_num_threads(1)
    network, images, labels = trained()
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
    print(f"{N} images {SIDE}×{SIDE}, ℓ∞ {EPS}, network of {parameters:,} parameters, batches of {BATCH}")
    for name in sides:
        found = torch.cat(margins[name])
        print(
            f"{name:>30}: {N / spent[name]:6.2f} images/s, {spent['library, float32'] / spent[name]:4.2f}×, "
            f"right under attack {100 * (found > 0).float().mean():.2f} %, "
            f"median |Δ margin| {(found - base).abs().median():.5f}, median margin {found.median():+.4f}"
        )


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


def trained() -> tuple[nn.Module, Tensor, Tensor]:
    """A network of some robustness, and images that it was not trained on."""
    (images, labels), (rest, rest_labels) = load_digits_split()
    images, rest = (F.interpolate(part.float(), SIDE, mode="bilinear") for part in (images, rest))
    torch.manual_seed(0)
    network = make_network()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    for epoch in range(EPOCHS):
        optimizer.param_groups[0]["lr"] = 0.05 * (1 - epoch / EPOCHS)
        for rows in torch.randperm(len(images)).split(64):
            x, y = images[rows], labels[rows]
            start = (x + EPS * (2 * torch.rand_like(x) - 1)).clamp(0, 1).requires_grad_()
            (gradient,) = torch.autograd.grad(F.cross_entropy(network(start), y), start)
            moved = (start + 1.25 * EPS * gradient.sign()).clamp(x - EPS, x + EPS).clamp(0, 1)
            optimizer.zero_grad()
            F.cross_entropy(network(moved.detach()), y).backward()
            optimizer.step()
    network.eval().requires_grad_(False)
    return network, rest[:N].contiguous(), rest_labels[:N]


def make_network() -> nn.Sequential:
    def block(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
        conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        return [conv, nn.BatchNorm2d(outputs), nn.ReLU()]

    body = [*block(1, 32, 1), *block(32, 32, 1), *block(32, 64, 2), *block(64, 64, 1), *block(64, 128, 2)]
    return nn.Sequential(*body, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(512, 10))

"""The stand-in for a GPU keeps a GPU's rules: what fails there fails here, and what works there works."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.fake_cuda import fake_cuda

CUDA = torch.device("cuda", 0)
MIXED = "Expected all tensors to be on the same device"


@pytest.fixture(autouse=True)
def gpu() -> Iterator[None]:
    with fake_cuda():
        yield


def there() -> Tensor:
    return torch.arange(12.0).view(3, 4).to("cuda")


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.SiLU(), nn.Flatten(), nn.Linear(4 * 16, 3))


@pytest.mark.parametrize(
    "made",
    [
        lambda: torch.zeros(2, device="cuda"),
        lambda: torch.tensor([1.0, 2.0], device=CUDA),
        lambda: torch.as_tensor(np.ones(2), device="cuda:0"),
        lambda: torch.ones(2).cuda(),
        lambda: torch.ones(2).to(there()),
        lambda: there().new_tensor([1]),
        lambda: torch.zeros_like(there()),
        lambda: torch.randperm(3, generator=torch.Generator("cuda"), device="cuda"),
        lambda: there()[torch.tensor([0, 2])] + torch.tensor(1.0),
        lambda: torch.cat([there(), there()]).softmax(dim=1),
        lambda: nn.functional.one_hot(there()[0].long(), 5),
    ],
)
def test_what_is_made_there_stays_there(made: Callable[[], Tensor]) -> None:
    tensor = made()
    assert tensor.device == CUDA
    assert tensor.is_cuda
    assert tensor.cpu().device.type == "cpu"
    assert tensor.tolist() == tensor.cpu().numpy().tolist()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda: there() + torch.ones(4), MIXED),
        (lambda: there()[0, 0] + torch.ones(4), MIXED),
        (lambda: torch.tensor(1.0).add_(there()[0, 0]), MIXED),
        (lambda: torch.ones(4).copy_(there()[0]) @ there()[0], MIXED),
        (lambda: torch.cat([there(), torch.ones(1, 4)]), MIXED),
        (lambda: there().gather(1, torch.zeros(3, 1, dtype=torch.long)), MIXED),
        (lambda: torch.where(there() > 0, there(), torch.zeros(3, 4)), MIXED),
        (lambda: there().index_put_((torch.tensor([0]),), torch.ones(1, 4)), MIXED),
        (lambda: torch.maximum(there(), torch.ones(4), out=there()), MIXED),
        (lambda: torch._foreach_add([there()], [torch.ones(3, 4)]), MIXED),
        (lambda: network()(torch.rand(1, 2, 6, 6, device="cuda")), MIXED),
        (lambda: network().to("cuda")(torch.rand(1, 2, 6, 6)), MIXED),
        (
            lambda: torch.ones(3)[there()[0, :1].long()],
            "indices should be either on cpu or on the same device",
        ),
        (lambda: torch.rand(2, device="cuda", generator=torch.Generator()), "Expected a 'cuda' device type"),
        (lambda: torch.rand(2, generator=torch.Generator("cuda")), "Expected a 'cpu' device type"),
        (lambda: there().uniform_(generator=torch.Generator()), "Expected a 'cuda' device type"),
    ],
)
def test_devices_do_not_mix(fault: Callable[[], Tensor], message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        fault()


@pytest.mark.parametrize("read", [lambda: there().numpy(), lambda: np.asarray(there())])
def test_numpy_has_no_hold_on_it(read: Callable[[], object]) -> None:
    with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
        read()


def test_views_are_of_the_same_numbers() -> None:
    tensor = there()
    tensor[0] = 7.0
    tensor[1:, 3].add_(100.0)
    tensor[:, 0] = torch.tensor([-1.0, -2.0, -3.0])  # a copy from the CPU
    tensor[tensor > 100] = 0.0
    tensor.t_()
    assert tensor.tolist() == [[-1, -2, -3], [7, 5, 9], [7, 6, 10], [7, 0, 0]]


def test_memory_formats_are_kept() -> None:
    image = torch.rand(2, 3, 4, 4).contiguous(memory_format=torch.channels_last).to("cuda")
    assert image.is_contiguous(memory_format=torch.channels_last)
    assert network().to("cuda", memory_format=torch.channels_last)[0].weight.stride()[1] == 1
    assert not image.contiguous().is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("foreach", [None, True, False])
def test_a_step_of_training_is_that_of_the_cpu(foreach: bool | None) -> None:
    images, labels, trained = torch.rand(5, 2, 6, 6), torch.arange(5) % 3, []
    for device in ("cpu", "cuda"):
        model = network()
        before = list(model.parameters())
        model.to(device)
        assert all(one is other for one, other in zip(before, model.parameters(), strict=True))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, foreach=foreach)
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            for _ in range(2):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(images.to(device)), labels.to(device)).backward()
                assert {weights.grad.device.type for weights in model.parameters()} == {device}
                optimizer.step()
        twin = copy.deepcopy(model)
        assert twin[0].weight.device == model[0].weight.device
        trained.append(twin.cpu().state_dict())
    torch.testing.assert_close(trained[1], trained[0], rtol=0, atol=1e-6)


def test_gradients_come_back_over_the_devices() -> None:
    leaf = torch.rand(4, requires_grad=True)
    (gradient,) = torch.autograd.grad((leaf.to("cuda") ** 2).cpu().sum(), leaf)
    assert gradient.device.type == "cpu"
    torch.testing.assert_close(gradient, 2 * leaf.detach())


def test_convolutions_are_in_tf32_unless_it_is_switched_off() -> None:
    image, model = torch.rand(1, 2, 6, 6), network()[:1]
    exact = model(image)
    model.to("cuda")
    assert 1e-6 < (model(image.to("cuda")).cpu() - exact).abs().max() < 1e-2
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        torch.testing.assert_close(model(image.to("cuda")).cpu(), exact)


def test_autocast_reduces_there_and_not_here() -> None:
    image, model = torch.rand(1, 2, 6, 6), network().eval()
    with torch.autocast("cuda", torch.bfloat16):
        assert model(image).dtype == torch.float32
        assert model.to("cuda")(image.to("cuda")).dtype == torch.bfloat16


def test_threads_have_it_too() -> None:
    made: list[Tensor] = []
    thread = threading.Thread(target=lambda: made.append(torch.ones(2, device="cuda") + 1))
    thread.start()
    thread.join()
    assert made[0].tolist() == [2.0, 2.0]
    assert made[0].device == CUDA


def test_randomness_is_put_back() -> None:
    torch.manual_seed(1)
    with torch.random.fork_rng(devices=[CUDA]):
        torch.rand(3, device="cuda")
    again = torch.rand(2)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(2), again)

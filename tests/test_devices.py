"""Where to compute."""

from __future__ import annotations

import pytest
import torch

from mnuts_core import ParameterError
from mnuts_core.devices import one_thread, pays_in_bfloat16, resolve_device

HAS_GPU = torch.cuda.is_available()


def test_names():
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device(torch.device("cpu")) == torch.device("cpu")
    assert resolve_device().type == ("cuda" if HAS_GPU else "cpu")


@pytest.mark.parametrize("bad", ["abacus", "meta", "", 1.5, None])
def test_bad_names(bad):
    with pytest.raises(ParameterError, match="device must be auto, cpu, cuda or cuda:N, got "):
        resolve_device(bad)


@pytest.mark.skipif(HAS_GPU, reason="there is a GPU here")
def test_no_gpu():
    with pytest.raises(ParameterError, match="torch sees no GPU: use auto or cpu"):
        resolve_device("cuda")


@pytest.mark.parametrize(
    ("capabilities", "pays"),
    [
        ({"amx_bf16": True, "amx_tile": True}, True),
        ({"amx_bf16": False, "avx512_bf16": True}, False),  # measured: 1.35 times as long as float32
        ({}, False),
    ],
)
def test_bfloat16_pays_on_a_cpu_with_a_matrix_unit(monkeypatch, capabilities, pays):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert pays_in_bfloat16("cpu") is pays
    assert pays_in_bfloat16(torch.device("cpu")) is pays


def test_bfloat16_is_left_alone_where_torch_has_no_answer(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert pays_in_bfloat16("cpu") is False


@pytest.mark.parametrize(("capability", "pays"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_bfloat16_pays_on_gpus_from_ampere_on(monkeypatch, capability, pays):
    asked = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(
        torch.cuda, "get_device_capability", lambda device: asked.append(device) or capability
    )
    assert pays_in_bfloat16("cuda:1") is pays
    assert asked == [torch.device("cuda:1")]


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ParameterError, match=r"'cuda:2' was asked for, but torch sees 2 GPU"):
        resolve_device("cuda:2")


def test_one_thread():
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
    with pytest.raises(KeyError), one_thread():
        raise KeyError
    assert torch.get_num_threads() == before

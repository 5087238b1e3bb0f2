"""The authors' `optimal_spca.yaml`, as their repository has it, and as we write it."""

import pytest
import yaml

from mnuts_core.errors import ConfigError
from mnuts_core.export.cards import AuxiliaryCard
from mnuts_core.export.config import MixConfig
from mnuts_core.export.spca import read_spca, spca_text
from mnuts_core.params import IDENTITY, LN_ONLY, MixParams

# The numbers of the authors' own file.
CIFAR10 = {"s": 5.0, "c": -1.1, "p": 4.0, "alpha": 0.9987500602493457}
CIFAR100 = {
    "s": 0.6115753843212784,
    "c": -2.142857142857143,
    "p": 3.571428571428571,
    "alpha": 0.9860300534207915,
}
PLAIN = {"default_beta": 95.0, 100.0: {"alpha": 1}, 95.0: {"alpha": 0.9570535356459247}, 0.0: {"alpha": 0}}
FILE = {
    "cifar10": {"Peng2023Robust": {"gelu": {"default_beta": 98.5, 98.5: CIFAR10}, "none": PLAIN}},
    "cifar100": {"Wang2023Better_WRN-70-16": {"gelu": {"default_beta": 98.5, 98.5: CIFAR100}}},
}


@pytest.fixture
def write(tmp_path):
    """Writes YAML, given as text or as data."""

    def write(content):
        path = tmp_path / "spca.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return path

    return write


def test_the_authors_file(write):
    found = read_spca(write(FILE), "cifar10/Peng2023Robust")
    assert (found.name, found.beta) == ("cifar10/Peng2023Robust/gelu", 0.985)
    expected = MixParams(s=5, p=4, c=-1.1, ln_k=250, beta=0.985, alpha=0.9987500602493457)
    assert found.config.params == expected
    assert found.config.auxiliary == AuxiliaryCard(alpha_d=0.9570535356459247, beta=0.95)
    other = read_spca(write(FILE), "cifar100")
    assert other.config.transform.s == 0.6115753843212784
    assert other.config.auxiliary is None


def test_a_plain_mix_is_of_temperature_one(write):
    config = read_spca(write(FILE), "cifar10/Peng2023Robust/none").config
    assert config.params == IDENTITY.with_(temperature=1, beta=0.95, alpha=0.9570535356459247)
    assert read_spca(write(FILE), "cifar10/Peng2023Robust/none", beta=1).config.alpha == 1


@pytest.mark.parametrize(
    ("clamp", "values", "params"),
    [
        ("ts", {"s": 2}, IDENTITY.with_(s=2)),
        ("ln", {}, LN_ONLY),
        ("linear", {"s": 2, "p": 3}, LN_ONLY.with_(s=2, p=3)),
        ("softplus", {"s": "2e-1", "p": 3, "c": -1}, MixParams(s=0.2, p=3, c=-1, clamp="softplus", ln_k=250)),
    ],
)
def test_other_maps(write, clamp, values, params):
    path = write({"d": {"m": {clamp: {"default_beta": 90, 90: values | {"alpha": 0.75}}}}})
    assert read_spca(path).config.params == params.with_(beta=0.9, alpha=0.75)


def test_what_is_written_is_read(write):
    params = MixParams(s=0.3, p=2.5, c=-0.1, clamp="relu", beta=0.57, alpha=0.9)
    config = MixConfig.from_params(params, beta=0.57)
    config = config.model_copy(update={"auxiliary": AuxiliaryCard(alpha_d=0.8, beta=0.935)})
    path = write(spca_text(config, "cifar10", "Mine"))
    content = yaml.safe_load(path.read_text())["cifar10"]["Mine"]
    assert content["relu"] == {"default_beta": 57.0, 57.0: {"s": 0.3, "c": -0.1, "p": 2.5, "alpha": 0.9}}
    found = read_spca(path, "cifar10/Mine")
    assert (found.config.params, found.config.auxiliary) == (config.params, config.auxiliary)
    plain = MixConfig.from_params(IDENTITY.with_(temperature=1, alpha=0.97, beta=0.9), beta=0.9)
    assert read_spca(write(spca_text(plain, "cifar10", "Mine"))).config.params == plain.params


@pytest.mark.parametrize(
    ("params", "beta", "problem"),
    [
        (MixParams(alpha=0.9), None, "set by hand"),
        (MixParams(alpha=0.9, temperature=0.5), 0.9, "T = 0 for a transform"),
        (IDENTITY.with_(alpha=0.9), 0.9, "T = 1 for a plain mix"),
        (MixParams(alpha=0.9, ln_k=100), 0.9, "no place for ln_k"),
    ],
)
def test_what_such_a_file_cannot_say_is_refused(params, beta, problem):
    with pytest.raises(ConfigError, match=problem):
        spca_text(MixConfig.from_params(params, beta=beta), "cifar10", "Mine")


BROKEN = {
    "several": (FILE, "has several entries: name one of .*cifar10/Peng2023Robust/gelu"),
    "no blocks": ("[1, 2]", "must have a block for each data set"),
    "text": ("cifar10: {m: 5}", "block for each clamp in cifar10/m"),
    "no level": ("d: {m: {gelu: {default_beta: 98}}}", "has no default_beta at d/m/gelu: it has no level"),
    "no default": ("d: {m: {gelu: {98: {s: 1}}}}", "has no default_beta at d/m/gelu: it has 98"),
    "no alpha": (
        "d: {m: {gelu: {default_beta: 98, 98: {s: 1, p: 2, c: 0}}}}",
        "number for alpha, got None",
    ),
    "too small": ("d: {m: {ln: {default_beta: 98, 98: {alpha: 0}}}}", "alpha must lie in"),
    "another clamp": ("d: {m: {swish: {default_beta: 98, 98: {alpha: 1}}}}", "the clamp must be one of gelu"),
    "an alias": ("a: &x {b: 1}\nc: *x", "aliases"),
    "twice": ("d: {m: {}, m: {}}", "'m' stands twice"),
    "code": ("!!python/object/apply:os.system ['true']", "could not determine a constructor"),
    "deep": ("[" * 200, "nested more than"),
    "no YAML": ("a: b: c", "mapping values are not allowed"),
    "level of 120 %": (
        "d: {m: {ln: {default_beta: 120, 120: {alpha: 1}}}}",
        r"must lie in \[0, 100\] percent",
    ),
    "level of infinity": ("d: {m: {ln: {default_beta: .inf, .inf: {alpha: 1}}}}", "got inf at d/m/ln"),
    "NaN": ("d: {m: {ln: {default_beta: 98, 98: {alpha: .nan}}}}", "alpha must lie in"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_refused_in_one_line(write, case):
    content, problem = BROKEN[case]
    with pytest.raises(ConfigError, match=problem) as caught:
        read_spca(write(content))
    assert "\n" not in str(caught.value)

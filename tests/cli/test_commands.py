"""Each command's answer, against what the core says."""

import csv
import io
import json
import sys
from types import ModuleType

import pytest

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.bundles.library import find_bundle
from mnuts_core.demo import cifar10, digits
from mnuts_core.export.config import MixConfig
from mnuts_core.params import IDENTITY, MixParams
from mnuts_core.remix.engine import RemixEngine
from mnuts_core.search.algorithm1 import grid_search
from mnuts_core.search.grids import GridSpec
from mnuts_core.search.result import TABLES
from tests.synthetic import make_pool

POINT = ("--s", 2, "--p", 3, "--c", -0.5)
SMALL = ("--s", 0.05, 5, "--p", 1, 4, "--c", -1.1, 0, "--steps", 3)
PARAMS = MixParams(s=2, p=3, c=-0.5, beta=0.9)


@pytest.fixture
def engine(toy):
    return RemixEngine(LogitBundle.load(toy))


def grid(steps=3):
    return GridSpec.from_ranges((0.05, 5), (1, 4), (-1.1, 0), steps=steps)


def test_info_lists_what_is_installed(mnuts, toy, monkeypatch):
    monkeypatch.setenv("MNUTS_DATA", str(toy.parent))
    code, out, err = mnuts("info")
    assert (code, err) == (0, "")
    assert "torch" in out
    assert str(toy) in out.replace("\n", "").replace(" ", "")
    card = json.loads(mnuts("info", "--json").out)
    assert card["bundles"]["user"] == {"toy": str(toy)}
    assert card["data_folder"] == str(toy.parent)


def test_info_of_a_bundle_shows_manifest_and_base_figures(mnuts, toy, engine):
    out = mnuts("info", toy).out
    share = 100 * engine.base.rob_clean.value
    assert f"{share:.2f}" in out
    assert engine.bundle.digest in out
    card = json.loads(mnuts("info", toy, "--json").out)
    assert card["manifest"]["digest"] == engine.bundle.digest
    assert card["figures"]["robust"]["attacked"] == json.loads(json.dumps(engine.base.rob_attacked.to_json()))
    assert card["figures"]["standard"]["by_margin"] is None


def test_info_escapes_control_characters_of_a_manifest(mnuts, toy, tmp_path):
    bundle = LogitBundle.load(toy)
    manifest = bundle.manifest.model_copy(update={"name": "evil\x1b[2J", "command": "rm\x07 [bold]x"})
    arrays = {name.replace(".", "_"): array for name, array in bundle.tensors().items()}
    path = LogitBundle.from_arrays(manifest=manifest, **arrays).save(tmp_path / "evil.safetensors")
    out = mnuts("info", path).out
    assert "\x1b" not in out
    assert r"rm\x07 [bold]x" in out


def test_remix_json_equals_the_core(mnuts, toy, engine):
    code, out, err = mnuts("remix", toy, *POINT, "--beta", 0.9, "--json")
    assert (code, err) == (0, "")
    card, mix, plain = json.loads(out), engine.remix(PARAMS), engine.remix(IDENTITY.with_(beta=0.9))
    assert card["params"]["alpha"] == mix.alpha
    assert card["params"]["beta"] == 0.9
    assert card["threshold"] == mix.threshold
    for name in ("clean", "by_margin", "attacked"):
        assert card["figures"]["mix"][name]["value"] == getattr(mix, name).value
        assert card["figures"]["plain_mix"][name]["value"] == getattr(plain, name).value
        assert tuple(card["figures"]["mix"][name]["ci95"]) == getattr(mix, name).interval
    assert card["figures"]["transformed"]["clean"]["value"] == mix.rob_clean.value
    h, ours = engine.base.rob_attacked, mix.by_margin
    assert card["changes"]["robust"]["by_margin"]["relative_error"] == pytest.approx(
        (1 - ours.value) / (1 - h.value) - 1
    )


def test_remix_table_labels_estimates_and_measured_figures(mnuts, toy, engine):
    out = mnuts("remix", toy, *POINT, "--beta", 0.9).out
    lines = {line.split("  ")[0].strip(): line for line in out.splitlines()}
    mix = engine.remix(PARAMS)
    for figure in (mix.clean, mix.by_margin, mix.attacked):
        assert f"{100 * figure.value:.2f} [" in lines["this mix"]
    assert lines["standard model g"].count("[") == 1  # clean alone: g was not attacked
    assert "plain mix, same β" in lines
    assert out.count("at most, n = 120") == out.count("all points, n = 120") == 1
    assert "MMAA points only: optimistic" in out
    assert max(map(len, out.splitlines())) <= 100


def test_remix_by_alpha_works_without_an_attacked_part(mnuts, clean_only):
    card = json.loads(mnuts("remix", clean_only, *POINT, "--alpha", 0.7, "--json").out)
    assert card["params"]["alpha"] == pytest.approx(0.7, abs=1e-15)
    assert card["params"]["beta"] is None
    assert card["figures"]["mix"]["attacked"] is None
    assert card["changes"]["robust"]["by_margin"] is None
    table = mnuts("remix", clean_only, *POINT, "--alpha", 0.7).out
    assert "plain mix, same α" in table
    assert "no attacked part" in table


def test_remix_options_reach_the_core(mnuts, toy, engine):
    words = ("--clamp", "relu", "--ln-k", 3, "--temperature", 0.5, "--alpha", 0.6, "--device", "cpu")
    card = json.loads(mnuts("remix", toy, *POINT, *words, "--json").out)
    want = engine.remix(PARAMS.with_(clamp="relu", ln_k=3, temperature=0.5, alpha=0.6))
    assert card["figures"]["mix"]["clean"]["value"] == want.clean.value
    assert card["figures"]["mix"]["attacked"]["value"] == want.attacked.value
    shown = {name: card["params"][name] for name in ("clamp", "ln_k", "temperature")}
    assert shown == {"clamp": "relu", "ln_k": 3, "temperature": 0.5}


def test_search_json_equals_the_core(mnuts, toy, engine):
    code, out, err = mnuts("search", toy, *SMALL, "--beta", 0.9, "--json", "-", "--top", 4)
    card, want = json.loads(out), grid_search(engine.bundle, grid(), 0.9)
    assert code == 0
    assert "best cells" not in out + err
    for name in TABLES:
        assert card["tables"][name] == getattr(want, name).tolist()
    assert tuple(card["best"]["index"]) == want.best.index
    assert [tuple(cell["index"]) for cell in card["ties"]] == [cell.index for cell in want.ties]
    assert card["warnings"] == list(want.warnings)
    assert card["mix"]["params"]["alpha"] == pytest.approx(want.best.params.alpha, abs=1e-12)
    assert card["mix"]["figures"]["mix"]["clean"]["value"] == engine.remix(want.best.params).clean.value
    top = [cell["objective"] for cell in card["top"][1:]]
    assert len(top) == 3
    assert top == sorted(top)


def test_search_lists_admissible_cells_best_first(mnuts, toy, engine):
    card = json.loads(mnuts("search", toy, *SMALL, "--beta", 0.5, "--json", "--top", 99).out)
    want = grid_search(engine.bundle, grid(), 0.5)
    assert not want.admissible.all()  # else the next lines prove little
    assert all(want.admissible[cell.index] for cell in want.ties)
    listed = [tuple(cell["index"]) for cell in card["top"]]
    assert listed[0] == want.best.index
    assert len(set(listed)) == len(listed) == want.admissible.sum()
    assert 0 < len(listed) < want.grid.size  # some cells cost accuracy here
    everything = json.loads(mnuts("search", toy, *SMALL, "--plain", "--json", "--top", 99).out)
    assert len(everything["top"]) == want.grid.size
    assert everything["settings"]["max_accuracy_loss"] is None


def test_search_settings_reach_the_core(mnuts, toy, engine):
    words = ("--clamp", "relu", "--conditional", "--quantile", "lower", "--clean", "all", "--ln-k", 4)
    card = json.loads(mnuts("search", toy, *SMALL, *words, "--max-accuracy-loss", 0.5, "--json").out)
    want = grid_search(
        engine.bundle,
        grid(),
        clamp="relu",
        conditional=True,
        quantile="lower",
        clean="all",
        ln_k=4,
        max_accuracy_loss=0.5,
    )
    assert card["tables"]["objective"] == want.objective.tolist()
    assert card["tables"]["quantile"] == want.quantile.tolist()
    assert card["counts"]["n_wrong"] == want.n_wrong
    assert card["mix"]["threshold"] == pytest.approx(want.best.quantile, abs=1e-12)


def test_search_without_a_grid_takes_the_papers_and_says_so(mnuts, toy):
    code, out, err = mnuts("search", toy)
    assert code == 0
    assert "8 × 8 × 8 (cifar10) at β = 0.985" in out
    assert "no --grid given" in err
    assert "mnuts export" in err
    assert max(map(len, out.splitlines())) <= 100
    assert "no --grid given" not in mnuts("search", toy, "--grid", "imagenet").err


def test_search_range_replaces_one_of_a_named_grid(mnuts, toy):
    words = ("--grid", "cifar100", "--s", 1, 2, "--steps", 2)
    card = json.loads(mnuts("search", toy, *words, "--json").out)
    assert card["grid"]["s"] == pytest.approx([1, 2])
    assert card["grid"]["p"] == [1, 4]
    assert card["grid"]["c"] == [-2.5, -0.4]


def test_search_widens_while_the_best_is_on_an_edge(mnuts, toy, engine):
    first = grid_search(engine.bundle, grid(), 0.9)
    assert first.edges
    _, out, err = mnuts("search", toy, *SMALL, "--beta", 0.9, "--widen", 1, "--json")
    card, wide = json.loads(out), first.widened_grid()
    assert card["grid"]["s"] == wide.s.tolist()
    assert card["grid"]["c"] == wide.c.tolist()
    assert "widening" in err


def test_search_writes_json_and_csv_files_beside_the_tables(mnuts, toy, tmp_path, engine):
    files = tmp_path / "out.json", tmp_path / "out.csv"
    code, out, err = mnuts("search", toy, *SMALL, "--json", files[0], "--csv", files[1])
    assert code == 0
    assert "best cells" in out
    assert json.loads(files[0].read_text())["bundle"]["digest"] == engine.bundle.digest
    rows = list(csv.DictReader(io.StringIO(files[1].read_text())))
    assert len(rows) == 27
    want = grid_search(engine.bundle, grid())
    assert float(rows[5]["objective"]) == want.objective.ravel()[5]
    assert str(files[1]) in err


def test_export_by_hand_writes_what_from_remix_says(mnuts, toy, tmp_path, engine):
    out_file = tmp_path / "mix.json"
    code, out, _ = mnuts("export", toy, *POINT, "--beta", 0.9, "--out", out_file)
    config, want = MixConfig.load(out_file), MixConfig.from_remix(engine, PARAMS)
    assert code == 0
    assert config.model_copy(update={"created": ""}) == want.model_copy(update={"created": ""})
    assert config.beta == 0.9
    assert str(out_file) in out.replace("\n", "")
    assert "not verified" in out
    clean, attacked = (
        next(line for line in out.splitlines() if line.lstrip().startswith(kind))
        for kind in ("clean", "attacked")
    )
    assert clean.endswith("(exact)")
    assert attacked.endswith("(at most)")


def test_export_takes_the_auxiliarys_level(mnuts, toy, tmp_path, engine):
    """B.2.1: α_d follows from a level of its own, 0.935 in the paper's run on CIFAR-100."""
    usual, other = tmp_path / "usual.json", tmp_path / "other.json"
    assert mnuts("export", toy, *POINT, "--out", usual).code == 0
    code, out, _ = mnuts("export", toy, *POINT, "--beta-d", 0.5, "--out", other)
    assert code == 0
    configs = [MixConfig.load(path) for path in (usual, other)]
    for config, beta in zip(configs, (0.95, 0.5), strict=True):
        assert config.auxiliary.beta == beta
        assert config.auxiliary.alpha_d == engine.plain_mix(beta).alpha
    assert configs[0].alpha == configs[1].alpha
    assert configs[0].auxiliary.alpha_d > configs[1].auxiliary.alpha_d
    assert f"β_d = 0.5 → α_d = {configs[1].auxiliary.alpha_d:.8g}" in out


def test_export_best_is_the_searchs_best(mnuts, toy, tmp_path, engine):
    out_file = tmp_path / "mix.json"
    words = ("--best", "--grid", "cifar10", "--beta", 0.9, "--out", out_file, "--json")
    card = json.loads(mnuts("export", toy, *words).out)
    best = grid_search(engine.bundle, GridSpec.paper("cifar10"), 0.9).best
    transform = card["config"]["transform"]
    assert (transform["s"], transform["p"], transform["c"]) == (best.params.s, best.params.p, best.params.c)
    assert card["config"]["alpha"] == pytest.approx(best.params.alpha, abs=1e-12)
    assert card["path"] == str(out_file)
    assert MixConfig.load(out_file).beta == 0.9


def test_export_best_passes_its_settings_on(mnuts, toy, tmp_path, monkeypatch):
    asked = []

    def spy(bundle, cells, beta, **settings):
        asked.append((cells.name, beta, settings))
        return grid_search(bundle, cells, beta, **settings)

    monkeypatch.setattr("mnuts_core.search.algorithm1.grid_search", spy)
    words = ("--grid", "imagenet", "--conditional", "--clamp", "elu", "--ln-k", 4, "--temperature", 0.5)
    assert mnuts("export", toy, "--best", *words, "--widen", 1, "--out", tmp_path / "mix.json").code == 0
    assert [name for name, _, _ in asked] == ["imagenet", "imagenet+"]
    for _, beta, settings in asked:
        assert beta == 0.985
        assert (settings["conditional"], settings["clamp"], settings["ln_k"]) == (True, "elu", 4)
    assert MixConfig.load(tmp_path / "mix.json").temperature == 0.5


def test_export_overwrites_only_by_force(mnuts, toy, tmp_path):
    out_file = tmp_path / "mix.json"
    out_file.write_text("precious")
    code, _, err = mnuts("export", toy, *POINT, "--out", out_file)
    assert code == 2
    assert "--force" in err
    assert out_file.read_text() == "precious"
    assert mnuts("export", toy, *POINT, "--out", out_file, "--force").code == 0
    assert MixConfig.load(out_file).transform.s == 2


def test_demo_build_passes_its_folder_on_and_refuses_to_overwrite(mnuts, tmp_path, monkeypatch):
    calls = []

    def build(out_dir, *, progress):
        calls.append((out_dir, progress))
        names = ("digits.safetensors", "digits-std.safetensors", "digits-rob.safetensors")
        (out_dir / names[0]).touch()
        return digits.DigitsPaths(*(out_dir / name for name in names), configs=())

    monkeypatch.setattr(digits, "build_digits", build)
    card = json.loads(mnuts("demo", "build", "digits", "--out", tmp_path, "--json").out)
    assert calls == [(tmp_path, True)]
    assert card["bundle"] == str(tmp_path / "digits.safetensors")
    code, _, err = mnuts("demo", "build", "digits", "--out", tmp_path)
    assert code == 2
    assert "--force" in err
    assert mnuts("demo", "build", "digits", "--out", tmp_path, "--force").code == 0
    assert len(calls) == 2


def test_demo_build_cifar10_passes_its_options_on(mnuts, tmp_path, monkeypatch):
    calls = []

    def build(data, out_dir, **options):
        calls.append((data, out_dir, options))
        return cifar10.Cifar10Paths(*(out_dir / name for name in ("b", "s", "r")), configs=(out_dir / "c",))

    monkeypatch.setattr(cifar10, "build_cifar10", build)
    words = ("demo", "build", "cifar10", "--data", "torchvision:CIFAR10", "--out", tmp_path)
    more = ("--n-adv", "7", "--n-verified", "5", "--device", "cpu", "--precision", "bfloat16")
    result = mnuts(*words, *more)
    assert result.code == 0
    assert str(tmp_path / "c") in result.out
    options = {"device": "cpu", "n_adv": 7, "n_verified": 5, "precision": "bfloat16", "progress": True}
    assert calls == [("torchvision:CIFAR10", tmp_path, options)]


class FakeServe(ModuleType):
    """Stands in for `mnuts_dashboards.server.serve`."""

    class ServeError(ValueError):
        pass

    def __init__(self):
        super().__init__("mnuts_dashboards.server.serve")
        self.calls = []

    def serve(self, app="explorer", **options):
        if app == "nope":
            raise self.ServeError("app must be one of explorer")
        self.calls.append((app, options))
        return 3


@pytest.fixture
def fake_serve(monkeypatch):
    module = FakeServe()
    monkeypatch.setitem(sys.modules, "mnuts_dashboards.server.serve", module)
    return module


def test_dashboard_serves_what_was_asked_for(mnuts, toy, fake_serve):
    words = ("--host", "::1", "--port", 9001, "--token", "", "--no-browser", "--images", "digits")
    words += ("--bundle", toy, "--bundle", "digits", "--base-url", "/user/ann/mnuts/")
    words += ("--token-file", "secret.txt", "--jobs", 2, "--max-visitors", 30, "--class")
    assert mnuts("dashboard", "teaching", *words).code == 3
    options = {"images": "digits", "host": "::1", "port": 9001, "token": "", "open_browser": False}
    options |= {"bundles": [toy, find_bundle("digits")], "base_url": "/user/ann/mnuts/"}
    options |= {"token_file": "secret.txt", "jobs": 2, "max_visitors": 30, "count_class": True}
    assert fake_serve.calls == [("teaching", options)]


def test_dashboard_without_words_opens_the_explorer_on_this_machine(mnuts, fake_serve):
    mnuts("dashboard")
    options = {"bundles": [], "images": None, "host": "127.0.0.1", "port": None, "token": None}
    options |= {"base_url": "/", "open_browser": True, "token_file": None, "jobs": 1, "max_visitors": None}
    options |= {"count_class": False}
    assert fake_serve.calls == [("explorer", options)]


def test_dashboard_reports_a_serve_error_in_one_line(mnuts, fake_serve):
    assert mnuts("dashboard", "nope") == (2, "", "mnuts: app must be one of explorer\n")


def test_a_pool_is_shown_by_its_sources_and_not_called_optimistic(mnuts, tmp_path):
    pool = make_pool(n=90, m=60, sources=3)
    path, settled = pool.save(tmp_path / "pool.safetensors"), int(pool.attacked.settled.sum())
    out = " ".join(mnuts("info", path).out.split())
    assert "SYNTHETIC attack 1 on the mix s = 1, α = 0.9" in out
    assert f"{settled} of 60 images are settled" in out
    card = json.loads(mnuts("info", path, "--json").out)
    assert [source["points"] for source in card["sources"]] == [
        (pool.attacked.source == number).sum() for number in range(3)
    ]
    assert (card["settled"], card["optimistic"]) == (settled, False)
    remix = json.loads(mnuts("remix", path, *POINT, "--beta", 0.9, "--json").out)
    assert remix["optimistic"] is False
    assert remix["figures"]["mix"]["attacked"]["value"] == RemixEngine(pool).remix(PARAMS).attacked.value
    assert "optimistic" not in mnuts("remix", path, *POINT, "--beta", 0.9).out


def test_first_points_alone_are_called_optimistic(mnuts, toy, tmp_path):
    assert json.loads(mnuts("info", toy, "--json").out)["optimistic"] is True
    assert json.loads(mnuts("remix", toy, *POINT, "--beta", 0.9, "--json").out)["optimistic"] is True
    search = json.loads(mnuts("search", toy, *SMALL, "--beta", 0.9, "--json").out)
    assert search["mix"]["optimistic"] is True
    out = tmp_path / "mix.json"
    mnuts("export", toy, *POINT, "--beta", 0.9, "--out", out)
    assert json.loads(out.read_text("utf-8"))["estimates"]["optimistic"] is True

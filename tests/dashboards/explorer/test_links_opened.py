"""Links that the open explorer reads and writes."""

from mnuts_core import MixParams, grid_search
from mnuts_dashboards.explorer.app import Explorer
from mnuts_dashboards.explorer.views import ALL


def test_a_link_chooses_the_bundle(path, bundle, tmp_path):
    explorer = Explorer(path, bundle.save(tmp_path / "second.safetensors"))
    explorer.open_link("bundle=second")
    assert explorer.state.bundle == "second"
    explorer.open_link("bundle=../../etc/passwd")
    assert explorer.state.bundle == "second"


def test_the_opening_is_a_short_link(explorer):
    assert explorer.link() == "bundle=made-up"


def test_a_link_sets_everything_and_reads_back(explorer):
    query = (
        "bundle=made-up&s=0.5&p=2&c=-0.4&clamp=relu&k=5&alpha=0.8&T=1&grid=cifar100&shows=attacked&image=7"
        "&snap=s:5,p:4,c:-1.1&hide=T,search"
    )
    explorer.open_link(query)
    assert explorer.state.params == MixParams(
        s=0.5, p=2, c=-0.4, clamp="relu", ln_k=5, alpha=0.8, temperature=1
    )
    assert explorer.selection == ("attacked", 7)
    assert explorer.state.snapshots == (MixParams(s=5, p=4, c=-1.1),)
    assert explorer.link() == query
    assert explorer.header.banner.value == ""


def test_a_link_without_a_transform_opens_on_the_best_at_its_level(explorer, bundle):
    explorer.open_link("beta=0.9")
    best = grid_search(bundle, explorer.opened.grids["cifar10"], 0.9).best.params
    assert explorer.state.params == best.with_(alpha=None)


def test_a_wrong_word_of_a_link_is_reported_until_something_moves(explorer):
    explorer.open_link("s=-1&p=2&c=0.1&shows=clean&image=100000")
    assert (explorer.state.p, explorer.state.row) == (2.0, 0)
    explorer.make(ALL)
    assert "s must be greater than 0 and at most 1,000,000 (the link has −1)." in explorer.header.banner.value
    assert "image must be between 0 and 299 (the link has 100,000)." in explorer.header.banner.value
    explorer.state.c = 0.2
    explorer.make(ALL)
    assert explorer.header.banner.value == ""


def test_a_link_hides_controls_and_their_headings(explorer):
    explorer.open_link("hide=T,snapshots")
    assert explorer.controls.inputs["temperature"].layout.display == "none"
    assert explorer.controls.keep.layout.display == "none"
    headings = {h.value: h.layout.display for h, _ in explorer.controls._headings}
    assert [value for value, display in headings.items() if display == "none"] == [
        "<h2 class='mnuts-group'>Compare</h2>"
    ]
    explorer.open_link("")
    assert explorer.controls.inputs["temperature"].layout.display is None

"""How many may come in, who has left, what wrong tokens cost, and how fast one may send."""

import pytest

from mnuts_dashboards.server import tokens, visits
from mnuts_dashboards.server.channels import BURST, BYTE_BURST, BYTE_RATE, RATE, Pace
from mnuts_dashboards.server.gate import is_local_name
from mnuts_dashboards.server.tokens import TokenError, WrongTokens, given_token
from mnuts_dashboards.server.visits import Visits
from mnuts_dashboards.verification import machine


class Clock:
    """Time as the test says."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


class TestVisits:
    @pytest.fixture
    def here(self, clock):
        return Visits(3, clock)

    def come(self, here, name):
        here.arrive()
        here.use(name)
        here.send(name)

    def test_arrivals_and_kernels_count_once(self, here):
        here.arrive()
        assert len(here) == 1
        here.use("a")
        assert len(here) == 1
        here.arrive()
        here.arrive()
        assert here.full
        here.give_up()
        assert not here.full

    def test_a_page_that_never_connects_is_late_after_a_while(self, here, clock):
        self.come(here, "a")
        self.come(here, "b")
        here.arrive()
        here.use("c")  # its page is still being made
        assert here.connect("b")
        clock.now += visits.CONNECT_WITHIN + 1
        assert here.never_connected() == ["a"]

    def test_the_one_that_left_longest_ago_makes_room(self, here, clock):
        for name in "abc":
            self.come(here, name)
            assert here.connect(name)
        assert here.disconnect("b")
        clock.now += 1
        assert here.disconnect("a")
        assert here.left() is None
        clock.now += visits.GONE_AFTER
        assert here.left() == "b"
        here.connect("b")  # it came back
        clock.now += 1
        assert here.left() == "a"
        here.end("a")
        assert (here.left(), len(here)) == (None, 2)

    def test_few_are_on_their_way_in_at_once(self, clock):
        here = Visits(100, clock)
        for number in range(visits.MAX_PENDING):
            assert not here.crowded
            self.come(here, str(number))
        assert here.crowded
        here.connect("0")
        assert not here.crowded

    def test_a_kernel_takes_few_connections_and_a_strangers_none(self, here):
        self.come(here, "a")
        assert all(here.connect("a") for _ in range(visits.MAX_SOCKETS))
        assert not here.connect("a")
        assert not here.connect("b")
        assert not here.disconnect("b")


def test_as_many_visitors_as_the_memory_holds(monkeypatch):
    for memory, most in ((1, 4), (8, 8), (24, 40), (1000, 100)):
        monkeypatch.setattr(machine, "memory", lambda memory=memory: memory * machine.GIB)
        assert machine.default_visitors() == most


class TestWrongTokens:
    @pytest.fixture
    def wrong(self, clock):
        return WrongTokens(clock)

    def test_each_takes_longer_up_to_a_bound_and_is_forgotten(self, wrong, clock):
        delays = []
        for _ in range(8):
            delays.append(wrong.delay("10.0.0.1"))
            clock.now += delays[-1]
        assert delays == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 2, 2, 2])
        clock.now += tokens.FORGET_AFTER + 1
        assert wrong.delay("10.0.0.1") == pytest.approx(0.1)

    def test_many_at_once_wait_for_each_other_and_then_block_their_own_address(self, wrong, clock):
        while not wrong.blocked("10.0.0.1"):
            wrong.delay("10.0.0.1")
        assert not wrong.blocked("10.0.0.2")
        assert wrong.delay("10.0.0.2") == pytest.approx(0.1)
        clock.now += 60
        assert not wrong.blocked("10.0.0.1")

    def test_ten_thousand_addresses_fill_no_memory(self, wrong):
        for number in range(10_000):
            wrong.delay(f"10.0.{number // 256}.{number % 256}")
        assert len(wrong._wrong) == tokens.MAX_ADDRESSES

    def test_the_addresses_of_one_machine_are_one(self):
        assert tokens.network("fe80::1%eth0") == tokens.network("fe80::2")
        assert tokens.network("2001:db8::1") != tokens.network("2001:db8:0:1::1")
        assert tokens.network("10.0.0.1") != tokens.network("10.0.0.2")


class TestGivenToken:
    @pytest.fixture(autouse=True)
    def variable(self, monkeypatch):
        monkeypatch.setenv(tokens.TOKEN_VARIABLE, " from-the-environment\n")

    def test_the_first_of_file_argument_and_variable(self, tmp_path, monkeypatch):
        file = tmp_path / "token"
        file.write_text("from-a-file\n")
        assert given_token(None, file) == ("from-a-file", True)
        monkeypatch.setenv(tokens.TOKEN_VARIABLE, "again")
        assert given_token("argument", None) == ("argument", False)
        assert given_token(None, None) == (None, False)  # the variable is gone, and no kernel inherits it
        monkeypatch.setenv(tokens.TOKEN_VARIABLE, "again")
        assert given_token(None, None) == ("again", True)
        assert given_token("", None) == ("", False)

    @pytest.mark.parametrize("content", [b"", b" \n", b"two words", b"\xff\xfe", b"x" * 2000, b"a\nb"])
    def test_a_file_without_a_token_is_named(self, tmp_path, content):
        file = tmp_path / "token"
        file.write_bytes(content)
        with pytest.raises(TokenError, match="token file") as caught:
            given_token(None, file)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("path", ["/dev/zero", "/nowhere/token", "/"])
    def test_only_a_regular_file_is_read(self, path):
        with pytest.raises(TokenError, match="token file"):
            given_token(None, path)

    def test_two_tokens_are_one_too_many(self, tmp_path):
        with pytest.raises(TokenError, match="one of the two"):
            given_token("a", tmp_path)


class TestPace:
    def test_a_burst_is_free_and_then_the_pace_holds(self, clock):
        pace = Pace(clock)
        assert all(pace.wait(1) == 0 for _ in range(int(BURST)))
        assert pace.wait(1) == pytest.approx(1 / RATE)
        clock.now += 10
        assert pace.wait(1) == 0

    def test_bytes_count_too(self, clock):
        pace = Pace(clock)
        assert pace.wait(int(BYTE_BURST)) == 0
        assert pace.wait(2**20) == pytest.approx(2**20 / BYTE_RATE)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True), ("localhost:8866", True), ("127.0.0.1:80", True), ("127.9.9.9", True),
        ("[::1]:8866", True), ("LOCALHOST", True), ("evil.example", False), ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False), ("10.0.0.1", False), ("[::ffff:10.0.0.1]", False), ("", False),
        ("[", False), ("localhost@evil.example", False), ("evil.example@localhost", True),
    ],
)  # fmt: skip
def test_only_the_names_of_this_machine_are_local(host, local):
    assert is_local_name(host) == local

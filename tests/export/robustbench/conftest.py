from tests.hand_ins import made, small_leaderboard  # noqa: F401  # fixtures

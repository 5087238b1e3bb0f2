"""The lesson *Why a robust model knows when it is wrong*."""

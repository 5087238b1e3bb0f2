"""`python -m mnuts_core.cli`."""

from mnuts_core.cli.app import main

if __name__ == "__main__":
    main()

"""`python -m bridge.cli` is `causeway`."""

from bridge.cli import main

main()

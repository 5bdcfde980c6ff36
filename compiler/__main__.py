"""`python -m tellegen`."""

from tellegen.cli import main

main()

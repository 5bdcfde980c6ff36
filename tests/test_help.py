"""What `--help` shows: the first thing that a user reads."""

import click
import pytest
from click.testing import CliRunner

from tellegen.cli import main

COMMANDS = [[], *([name] for name in main.list_commands(click.Context(main)))]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0] if c else "tellegen")
def test_help_is_laid_out_as_it_was_written(command: list[str]) -> None:
    shown = CliRunner().invoke(main, [*command, "--help"])
    assert shown.exit_code == 0
    # In a raw docstring click's mark for a block is two letters, and the block is filled as one paragraph.
    assert "\\b" not in shown.output

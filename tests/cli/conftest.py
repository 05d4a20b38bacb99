"""The command line, run in the process of the tests."""

import pytest

from adamjax.__main__ import main


@pytest.fixture
def cli(capsys):
    """Run the command line: arguments to (exit code, stdout, stderr)."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        return (code, *capsys.readouterr())

    return call


@pytest.fixture
def output(cli):
    """Run a command that has to succeed: arguments to stdout."""

    def call(*arguments):
        code, out, err = cli(*arguments)
        assert (code, err) == (0, "")
        return out

    return call

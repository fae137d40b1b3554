import sys

import pytest

from hwsim.cli import main


@pytest.fixture
def hwsim_cli(monkeypatch, capsys, tmp_path):
    """Run the command line in an empty folder; return (exit code, stdout, stderr)."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["hwsim", *map(str, arguments)])
        monkeypatch.chdir(tmp_path)
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return call

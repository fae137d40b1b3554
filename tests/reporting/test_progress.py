"""Is the progress bar silent when nobody watches?"""

import io
import sys

from hwsim.reporting.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_pipe_gets_nothing(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    assert list(progress(range(3), "work")) == [0, 1, 2]
    assert stream.getvalue() == ""


def test_a_terminal_gets_a_bar_with_its_description_as_it_is(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    assert list(progress((i for i in range(3)), "layer [conv1]", total=3)) == [0, 1, 2]
    assert "layer [conv1]" in stream.getvalue()
    assert "3/3" in stream.getvalue()

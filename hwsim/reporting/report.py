"""``hwsim.report``: everything a run leaves behind, in one folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hwsim.reporting.files import output_folder
from hwsim.reporting.tables import write_tables
from hwsim.simulation.result import Result

if TYPE_CHECKING:
    from hwsim.hardware import Accelerator


def report(result: Result, folder: str | os.PathLike[str], *, accelerator: Accelerator | None = None) -> Path:
    """Write the tables, the manifest and a self-contained ``index.html``; return the path of that page.

    Args:
        result: what ``hwsim.simulate`` returned.
        folder: made if it does not exist; files of an earlier report are replaced.
        accelerator: the machine, for the roofline and its description.

    Raises:
        HwsimError: the folder cannot be written; the message says why.
    """
    from hwsim.reporting.html import write_html

    with output_folder(folder) as path:
        write_tables(result, path)
        return write_html(result, accelerator, path)

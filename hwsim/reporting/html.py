"""One self-contained page about a Result: no request leaves it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import hwsim
from hwsim.hardware import describe, dump_toml
from hwsim.reporting import figures
from hwsim.reporting.files import output_folder, write_text
from hwsim.reporting.grids import area_grid, energy_grid, text_grid, traffic_grid
from hwsim.reporting.layer_grid import layer_grid
from hwsim.reporting.overview import facts
from hwsim.reporting.plain import plain, to_json
from hwsim.reporting.words import visible
from hwsim.simulation.result import Result

if TYPE_CHECKING:
    from hwsim.hardware import Accelerator

PROVENANCE = "energy_provenance"


class Drawn(NamedTuple):
    """A figure in the page; without ``svg``, ``caption`` says why."""

    name: str
    title: str
    caption: str
    svg: Any


def write_html(result: Result, accelerator: Accelerator | None, folder: str | os.PathLike[str]) -> Path:
    """Write ``index.html`` into ``folder`` and return its path.

    Raises:
        HwsimError: the folder cannot be written.
    """
    with output_folder(folder) as path:
        return write_text(path / "index.html", page(result, accelerator))


def page(result: Result, accelerator: Accelerator | None = None) -> str:
    """Return the page as text; every name, note and value is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("hwsim.reporting", "page")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    content = _content(result, accelerator)
    return environment.get_template("index.html").render(content, sections=list(_sections(content)))


def _content(result: Result, accelerator: Accelerator | None) -> dict[str, Any]:
    manifest = plain(result.manifest)
    network = manifest.get("network")
    machine = accelerator.name if accelerator else _name_of(manifest.get("accelerator"))
    subtitle = [word for word in (accelerator.description if accelerator else "", manifest.get("time")) if word]
    rest = {key: value for key, value in manifest.items() if key != PROVENANCE}
    return {
        "title": visible(" on ".join(word for word in (network, machine) if word) or "hwsim report"),
        "subtitle": visible(" · ".join(subtitle)),
        "command": visible(manifest.get("command") or ""),
        "facts": facts(result),
        "notes": [visible(note) for note in result.notes],
        "figures": list(_figures(result, accelerator)),
        "layers": layer_grid(result),
        "energy": energy_grid(result),
        "traffic": traffic_grid(result),
        "area": area_grid(result),
        "provenance": text_grid(manifest.get(PROVENANCE) or ()),
        "machine": _machine(accelerator),
        "machine_text": dump_toml(accelerator) if accelerator else _json_of(manifest.get("accelerator")),
        "manifest": to_json(rest),
        "version": hwsim.__version__,
    }


def _name_of(machine: Any) -> str:
    return str(machine.get("name", "")) if isinstance(machine, Mapping) else str(machine or "")


def _json_of(machine: Any) -> str:
    return to_json(machine) if isinstance(machine, Mapping) else ""


def _machine(accelerator: Accelerator | None) -> Any:
    rows = describe(accelerator) if accelerator else ()
    return text_grid({"part": label, "what it is": text} for label, text in rows if text)


def _figures(result: Result, accelerator: Accelerator | None) -> Iterator[Drawn]:
    from markupsafe import Markup

    for name in figures.names("result"):
        module = figures.figure(name)
        try:
            svg = figures.to_inline_svg(module.draw(result, accelerator), name, module.TITLE)
        except figures.NothingToDraw as nothing:
            yield Drawn(name, module.TITLE, str(nothing), None)
        else:
            yield Drawn(name, module.TITLE, module.CAPTION, Markup(svg))  # escaped by the SVG writer


def _sections(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from (("figures", "Figures"), ("layers", "Layers"), ("energy", "Energy"))
    if content["area"].rows:
        yield ("area", "Area")
    if content["provenance"]:
        yield ("provenance", "Sources")
    if content["machine"] or content["machine_text"]:
        yield ("machine", "Machine")
    yield ("manifest", "Manifest")

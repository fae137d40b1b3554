"""The README's commands are the ones that CI runs, and its scripts run."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SCRIPTS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL) for line in block.splitlines()]


def test_the_two_commands_come_first_and_stand_in_ci():
    assert COMMANDS[:2] == ["pip install . && hwsim run", "pip install '.[test]' && pytest"]
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "hwsim run" in ci
    assert "pip install --quiet '.[test]'\npytest" in ci


@pytest.mark.parametrize("script", SCRIPTS, ids=range(len(SCRIPTS)))
def test_scripts_run(script, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = [line for line in script.splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) <= 12
    exec(compile(script, "README.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out


def test_layers_and_recipes_of_the_commands_exist():
    import hwsim
    from hwsim.quantization.recipes import recipe_of

    for network, layer in re.findall(r"hwsim vectors (\w+) --layers (\S+)", README):
        assert layer in {node.name for node in hwsim.load(network).nodes}
    for names in re.findall(r"--recipe ([a-z_,]+)", README):
        assert all(recipe_of(name) for name in names.split(","))


def test_there_is_a_script_for_every_verb():
    import hwsim

    shown = "\n".join(SCRIPTS)
    for verb in hwsim.__all__:
        assert f"hwsim.{verb}(" in shown


def test_pictures_and_files_that_are_named_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target

"""`.ci/prepare` on machines that lack something, played by stand-ins for their programs."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
FRAMEWORKS = "tests/interop/requirements.txt"
USED = ("bash", "dirname", "env", "cat", "sed", "sha256sum", "ls", "mkdir", "cp")
"""Programs that the script may find as they are; everything else on the PATH is a stand-in."""

PYTHON = """
echo "python $*" >>"$HERE/calls"
case "$*" in
    *version_info*) exit {too_old} ;;
    *platform*) echo 3.9.2 ;;
    *ensurepip*) [ -e "$HERE/ensurepip" ] ;;
    *"-m venv"*) mkdir -p "$4/bin" && cp "$HERE/bin/python3" "$4/bin/python" ;;
    *"pip install"*)
        for refused in "$HERE"/refuses/*; do
            case "$*" in *"${{refused##*/}}"*) cat "$refused"; exit 1 ;; esac
        done ;;
esac
"""
CI_STEP = """
echo "===== 3 passed $1 in 1.50s ====="
echo "and more"
[ "$1" != "$BROKEN" ]
"""
APT = 'echo "apt-get $*" >>"$HERE/calls"; case "$*" in *python3-venv*) : >"$HERE/ensurepip" ;; esac'


@dataclass(frozen=True, slots=True)
class Machine:
    """A copy of the repository's set-up, and a PATH with stand-ins only."""

    home: Path

    def has(self, program: str, script: str) -> None:
        """Put a stand-in on the PATH."""
        path = self.home / "bin" / program
        path.write_text(f"#!{shutil.which('bash')}\n{script}\n")
        path.chmod(0o755)

    def prepare(self, what: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run `.ci/prepare` there."""
        return self.runs("prepare", what, **settings)

    def runs(
        self, script: str, *arguments: str, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script of `.ci` there."""
        return subprocess.run(
            [self.home / "clone" / ".ci" / script, *arguments],
            check=False,
            capture_output=True,
            text=True,
            env={"PATH": str(self.home / "bin"), "HERE": str(self.home), **settings},
        )

    def refuses(self, requirement: str, answer: str) -> None:
        """Let pip answer so when it is asked for something with this in it."""
        (self.home / "refuses").mkdir(exist_ok=True)
        (self.home / "refuses" / requirement).write_text(answer)

    def calls(self) -> list[str]:
        """List what the stand-ins were asked."""
        log = self.home / "calls"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Give a machine with a sound Python, root rights and nothing else."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "clone" / ".ci").mkdir(parents=True)
    shutil.copy(REPOSITORY / ".ci" / "prepare", tmp_path / "clone" / ".ci")
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path / "clone")
    (tmp_path / "clone" / "schema").mkdir()
    shutil.copy(REPOSITORY / "schema" / "build_core.py", tmp_path / "clone" / "schema")
    (tmp_path / "clone" / "tests" / "interop").mkdir(parents=True)
    shutil.copy(REPOSITORY / FRAMEWORKS, tmp_path / "clone" / FRAMEWORKS)
    (tmp_path / "ensurepip").touch()
    bare = Machine(tmp_path)
    for program in USED:
        # Not a link: a stand-in put in its place later would be written through it.
        bare.has(program, f'exec {shutil.which(program)} "$@"')
    bare.has("python3", PYTHON.format(too_old=0))
    bare.has("id", "echo 0")
    return bare


def test_the_second_time_installs_nothing(machine: Machine) -> None:
    machine.prepare("server")
    first = machine.calls()

    again = machine.prepare("server")

    assert any("pip install" in call for call in first)
    assert (again.returncode, again.stderr) == (0, "")
    assert not any("pip install" in call for call in machine.calls()[len(first) :])


def test_the_frameworks_are_installed_once_and_beside_the_board(machine: Machine) -> None:
    machine.prepare("interop")
    first = machine.calls()

    again = machine.prepare("interop")

    assert [call for call in first if call.endswith("-m venv --clear .venv-interop")]
    assert [call for call in first if call.endswith(f"-r {FRAMEWORKS}")]
    assert (again.returncode, again.stderr) == (0, "")
    assert not any("pip install" in call for call in machine.calls()[len(first) :])


@pytest.mark.parametrize("ci", ["", "true"])
def test_a_framework_that_no_index_offers_is_told_and_loses_no_other(
    machine: Machine, ci: str
) -> None:
    machine.refuses("requirements.txt", "")
    machine.refuses("torch==", "ERROR: No matching distribution found for torch")
    machine.refuses("lightning>=", "ERROR: ResolutionImpossible: it needs torch")

    done = machine.prepare("interop", CI=ci)

    left_out = (machine.home / "clone" / ".venv-interop" / "missing").read_text().split()
    assert done.returncode == 0
    assert [name.partition(">=")[0].partition("==")[0] for name in left_out] == [
        "torch",
        "lightning",
        "pytorch-lightning",
    ]
    assert all(f"{name} cannot be had here" in done.stderr for name in left_out)
    assert any("pip install -qq --no-compile optuna" in call for call in machine.calls())


def test_in_ci_the_frameworks_come_while_the_rest_is_tested(machine: Machine) -> None:
    for program in ("grep", "mktemp", "rm", "tail", "tee"):
        machine.has(program, f'exec {shutil.which(program)} "$@"')
    machine.has("make", 'echo "make $*" >>"$HERE/calls"; ' + CI_STEP)
    shutil.copy(REPOSITORY / ".ci" / "run", machine.home / "clone" / ".ci")

    machine.runs("run", BROKEN="")

    calls = machine.calls()
    came = next(n for n, call in enumerate(calls) if call.endswith(f"-r {FRAMEWORKS}"))
    assert calls.index("make check") < calls.index("make test") < calls.index("make test-interop")
    assert came < calls.index("make test-interop")


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_a_framework_that_fails_to_install_fails_only_in_ci(
    machine: Machine, ci: str, status: int
) -> None:
    machine.refuses("requirements.txt", "")
    machine.refuses("optuna>=", "ERROR: Could not install packages due to an OSError")

    done = machine.prepare("interop", CI=ci)

    assert done.returncode == status
    assert "optuna" in done.stderr


def test_a_changed_pyproject_is_installed_again(machine: Machine) -> None:
    machine.prepare("server")
    before = len(machine.calls())
    with (machine.home / "clone" / "pyproject.toml").open("a") as project:
        project.write("# a new dependency\n")

    machine.prepare("server")

    assert any("pip install" in call for call in machine.calls()[before:])


def test_what_the_tests_need_holds_what_the_board_needs(machine: Machine) -> None:
    machine.prepare("dev")
    before = len(machine.calls())

    machine.prepare("server")

    assert not any("pip install" in call for call in machine.calls()[before:])


def test_too_old_a_python_is_one_clear_line(machine: Machine) -> None:
    machine.has("python3", PYTHON.format(too_old=1))

    done = machine.prepare("server")

    assert done.returncode != 0
    assert done.stderr == (
        "orgboard: needs Python 3.11 or newer, and 'python3' is 3.9.2; "
        "name another: make PYTHON=...\n"
    )


def test_no_python_at_all_is_one_clear_line(machine: Machine) -> None:
    done = machine.prepare("server", PYTHON="python3.77")

    assert done.returncode != 0
    assert done.stderr.startswith("orgboard: there is no 'python3.77'")
    assert done.stderr.count("\n") == 1


def test_root_gets_the_missing_venv_package_by_apt(machine: Machine) -> None:
    (machine.home / "ensurepip").unlink()
    machine.has("apt-get", APT)

    done = machine.prepare("server")

    asked = [call for call in machine.calls() if call.startswith("apt-get")]
    assert done.returncode == 0
    assert [call.split()[1] for call in asked] == ["update", "install"]
    assert asked[1].endswith(" python3-venv")


def test_sudo_is_used_only_when_it_asks_nothing(machine: Machine) -> None:
    (machine.home / "ensurepip").unlink()
    machine.has("apt-get", APT)
    machine.has("id", "echo 1000")
    machine.has("sudo", '[ "$1" = -n ] || exit 1; shift; "$@"')
    machine.has("true", "exit 0")

    done = machine.prepare("server")

    assert done.returncode == 0
    assert any(call.endswith(" python3-venv") for call in machine.calls())


def test_without_rights_one_line_names_the_venv_package(machine: Machine) -> None:
    (machine.home / "ensurepip").unlink()
    machine.has("apt-get", APT)
    machine.has("id", "echo 1000")

    done = machine.prepare("server")

    assert done.returncode != 0
    assert done.stderr.endswith("install the package python3-venv\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("broken", ["", "check", "test", "test-interop"])
def test_ci_ends_with_the_closing_lines_and_fails_when_a_step_does(
    machine: Machine, broken: str
) -> None:
    for program in ("grep", "mktemp", "rm", "tail", "tee"):
        machine.has(program, f'exec {shutil.which(program)} "$@"')
    machine.has("make", CI_STEP)
    shutil.copy(REPOSITORY / ".ci" / "run", machine.home / "clone" / ".ci")

    done = machine.runs("run", BROKEN=broken)

    assert (done.returncode != 0) == bool(broken)
    if not broken:
        assert done.stdout.splitlines()[-2:] == [
            "===== 3 passed test-interop in 1.50s =====",
            "===== 3 passed test in 1.50s =====",
        ]


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_a_part_that_cannot_be_had_is_told_and_fails_only_in_ci(
    machine: Machine, ci: str, status: int
) -> None:
    machine.has("id", "echo 1000")
    machine.has("ls", "exit 1")

    done = machine.prepare("parts", CI=ci)

    assert done.returncode == status
    assert "Chromium is missing" in done.stderr


@pytest.mark.parametrize(("ci", "asked"), [("", []), ("true", ["nginx caddy systemd openssl"])])
def test_web_servers_are_installed_on_no_machine_that_somebody_works_at(
    machine: Machine, ci: str, asked: list[str]
) -> None:
    machine.has("apt-get", APT)
    for program in ("chromium", "chromium-headless-shell", "initdb"):
        machine.has(program, "exit 0")

    done = machine.prepare("parts", CI=ci)

    installed = [call for call in machine.calls() if "apt-get install" in call]
    assert (done.returncode, [call.partition("=120 ")[2] for call in installed]) == (0, asked)

"""Is this ready to be released: archives built, the wheel installed clean, and the tests run against it.

``make release-check`` builds the wheel and the source archive under ``dist/``, rebuilds the wheel from the source
archive (same files), and installs it in two clean environments: with the oldest versions of its dependencies that
``pyproject.toml`` allows, and with the newest there are. In each, the package alone is imported and asked a question
first, without extras; then the tests run against what was installed (warnings of old packages are no errors there).
"""

import argparse
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LARGEST_MB = 3.0
HELP = "tests/test_docs.py::test_pages_made_from_the_package_are_current"
"""Left out: the help of the command line reads differently with every version of the package that writes it."""
QUESTION = (
    "import nearshore_io as nio; model = nio.Leontief(nio.load_table()); "
    "cents = nio.export_content(model, 'MEX', 'USA'); assert abs(float(cents.sum()) - 1) < 1e-6; nio.show_versions()"
)


def call(*command: object, **environment: str) -> str:
    """Run a command and return what it printed; its output is shown where it fails."""
    given = {**os.environ, **environment}
    given.pop("PYTHONPATH", None)
    done = subprocess.run([str(part) for part in command], cwd=ROOT, env=given, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def built(work: Path, python: Path) -> Path:
    """Return the wheel; the one built from the source archive must hold the same files."""
    call(python, "-m", "build", "--outdir", ROOT / "dist", ROOT)
    wheel = max((ROOT / "dist").glob("*.whl"), key=lambda path: path.stat().st_mtime)
    archive = max((ROOT / "dist").glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    call(python, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", work / "again", archive)
    again = next((work / "again").glob("*.whl"))
    names = [{entry.filename: entry.CRC for entry in zipfile.ZipFile(path).infolist()} for path in (wheel, again)]
    if names[0] != names[1]:
        sys.exit(f"the source archive makes another wheel: {set(names[0].items()) ^ set(names[1].items())}")
    size = wheel.stat().st_size / 1e6
    if size > LARGEST_MB:
        sys.exit(f"{wheel.name} has {size:.1f} MB, over {LARGEST_MB}.")
    print(f"{wheel.name}: {size:.2f} MB, {len(names[0])} files; the source archive makes the same")
    return wheel


def environment(folder: Path) -> Path:
    """Return the Python of a new environment."""
    venv.create(folder, with_pip=True, clear=True)
    return folder / "bin" / "python"


def tried(work: Path, tool: Path, wheel: Path, name: str, resolution: str, quick: bool) -> None:
    """Install the wheel at one end of its versions, ask it a question, and run the tests against it."""
    pins = work / f"{name}.txt"
    call(tool, "-m", "uv", "pip", "compile", "pyproject.toml", "--resolution", resolution, "-o", pins)
    python = environment(work / name)
    call(python, "-m", "pip", "install", "--quiet", "--constraint", pins, wheel)
    print(f"\n{name}: installed without extras")
    print(call(python, "-c", QUESTION))
    call(python, "-m", "pip", "install", "--quiet", "--constraint", pins, f"{wheel}[dev,units,docs]")
    given = ["-m", "not slow"] if quick else []
    command = [
        python,
        "-m",
        "pytest",
        "tests",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "default",
        "--deselect",
        HELP,
        *given,
    ]
    where = call(python, "-c", "import nearshore_io; print(nearshore_io.__file__)").strip()
    if "site-packages" not in where:
        sys.exit(f"the tests would run against {where}, not against the wheel.")
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True)
    print(done.stdout[-3000:])
    if done.returncode:
        sys.exit(f"{name}: the tests fail.")


def main() -> None:
    """Build, install, ask, test."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--quick", action="store_true", help="leave out the slow tests")
    parser.add_argument("--only", choices=("oldest", "newest"))
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    tool = environment(given.work / "tools")
    call(tool, "-m", "pip", "install", "--quiet", "build", "uv")
    wheel = built(given.work, tool)
    for name, resolution in (("oldest", "lowest-direct"), ("newest", "highest")):
        if given.only in (None, name):
            tried(given.work, tool, wheel, name, resolution, given.quick)


if __name__ == "__main__":
    main()

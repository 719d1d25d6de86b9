"""What is installed, for reports of faults."""

import importlib.metadata as metadata
import os
import platform

CORE = ("numpy", "scipy", "pandas", "xarray", "pint", "polars", "h5netcdf", "pydantic", "typer", "rich", "jinja2")
OPTIONAL = ("matplotlib", "openpyxl", "pymrio", "clarabel", "distributed", "zarr", "pint-xarray")


def show_versions() -> None:
    """Print the versions of Python, of this package and of what it uses, the BLAS, threads and memory."""
    print("\n".join(f"{name}: {value}" for name, value in versions().items()))


def versions() -> dict[str, str]:
    """Return versions by name; of what is not installed, that."""
    import numpy  # noqa: F401  (its BLAS)
    import psutil
    import scipy.linalg  # noqa: F401  (and that of SciPy, which may be another)
    import threadpoolctl

    found = {
        "nearshore_io": _version("nearshore_io"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
    }
    found |= {name: _version(name) for name in (*CORE, *OPTIONAL)}
    pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    said = [f"{pool['internal_api']} {pool['version']}, {pool['num_threads']} threads" for pool in pools]
    return found | {"blas": "; ".join(said) or "not found"}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"

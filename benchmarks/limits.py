"""The machine's own limits: matrix-multiply rate in both precisions, and the rate at which memory is read."""

import json
import statistics
import time

import numpy as np
from scipy.linalg import blas

N = 4096


def median_of(job: object, repeat: int = 7) -> float:
    """Return the median seconds of a call."""
    times = []
    for _ in range(repeat):
        started = time.perf_counter()
        job()  # type: ignore[operator]
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def limits() -> dict[str, float]:
    """Return gemm rates in GFLOP/s and the read bandwidth in GB/s (a product of a 1 GB matrix with a vector)."""
    rng = np.random.default_rng(0)
    double = np.asfortranarray(rng.random((N, N)))
    single = np.asfortranarray(double, dtype=np.float32)
    wide = np.asfortranarray(rng.random((N, 4 * N)))
    x = rng.random(N)
    return {
        "dgemm_gflops": 2 * N**3 / median_of(lambda: blas.dgemm(1.0, double, double)) / 1e9,
        "sgemm_gflops": 2 * N**3 / median_of(lambda: blas.sgemm(1.0, single, single)) / 1e9,
        "read_gb_per_s": wide.nbytes / median_of(lambda: blas.dgemv(1.0, wide, x, trans=1)) / 1e9,
    }


if __name__ == "__main__":
    print(json.dumps(limits()))

"""Benchmarks: subjects (problems), verbs (cases) and drivers (solvers, peers) apart. They record, they never gate."""

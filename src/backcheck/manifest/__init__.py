"""The digest that proves two tables equal: what it is made of is written down in docs/manifest.md.

encoding -> digest -> (export | scan | files through an engine) -> document -> diff. This package depends on no other
part of backcheck, so that a digest can be recomputed wherever Python runs, a Spark executor included.
"""

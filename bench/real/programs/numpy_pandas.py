"""Work in numpy (with the threads of its BLAS) and pandas."""

import numpy as np
import pandas as pd


def algebra():
    rng = np.random.default_rng(1)
    a = rng.normal(size=(400, 400))
    for _ in range(4):
        u, s, v = np.linalg.svd(a @ a.T)
        a = u * np.sqrt(s) @ v
    return float(np.abs(np.linalg.eigvalsh(a)).sum())


def python_in_numpy():
    rows = np.arange(30_000).reshape(-1, 3)
    return int(np.apply_along_axis(lambda row: row.sum() % 7, 1, rows).sum())


def frames():
    n = 100_000
    i = np.arange(n)
    frame = pd.DataFrame({"key": i * 7919 % 1000, "value": i % 977 / 7, "name": i % 50})
    frame["name"] = frame["name"].map(lambda x: f"name {x}")
    grouped = frame.groupby("key")["value"].agg(["mean", "std", "max"])
    merged = frame.merge(grouped, left_on="key", right_index=True)
    pivot = merged.pivot_table(index="name", values="value", aggfunc="sum")
    applied = frame.head(3000).apply(lambda row: len(row["name"]) + row["value"], axis=1)
    upper = frame["name"].str.upper().str.replace("NAME", "n")
    return round(float(pivot["value"].sum() + applied.sum()), 3), int(upper.str.len().sum())


print(f"{algebra():.3f}")
print(python_in_numpy())
print(frames())

"""Libraries whose own threads work, and call Python back: polars, DuckDB, Arrow, OpenMP, gRPC."""

from __future__ import annotations

import io
from concurrent import futures

import duckdb
import grpc
import numpy
import polars
import pyarrow
import pyarrow.compute
import pyarrow.parquet
from joblib import Parallel, delayed
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier


def digits(value: int) -> int:
    return sum(map(int, str(value)))


def with_polars() -> None:
    numbers = list(range(300_000))
    frame = polars.DataFrame({"key": [n * 7919 % 1000 for n in numbers], "value": numbers})
    for _ in range(10):
        groups = (
            frame.lazy()
            .with_columns((polars.col("value") * 3 % 101).alias("rest"))
            .group_by("key")
            .agg(polars.col("rest").sum(), polars.col("value").max())
            .sort("key")
            .collect()
        )
    column = polars.col("value").map_elements(digits, return_dtype=polars.Int64)
    called = frame.head(20_000).select(column).sum()
    print("polars", groups["rest"].sum(), groups["value"].sum(), called["value"][0])


def with_duckdb() -> None:
    base = duckdb.connect()
    base.execute("set threads = 4")
    base.execute("create table t as select range % 997 as key, range as value from range(1000000)")
    base.create_function("digits", digits, ["BIGINT"], "BIGINT")
    for _ in range(5):
        rows = base.execute("select key, sum(value) from t group by key order by key").fetchall()
    called = base.execute("select sum(digits(value)) from t where value < 20000").fetchone()
    print("duckdb", sum(row[1] for row in rows), called)


def with_arrow() -> None:
    table = pyarrow.table({"a": list(range(400_000)), "b": [str(i % 100) for i in range(400_000)]})
    for _ in range(5):
        file = io.BytesIO()
        pyarrow.parquet.write_table(table, file, compression="zstd")
        back = pyarrow.parquet.read_table(io.BytesIO(file.getvalue()), use_threads=True)
        groups = back.group_by("b").aggregate([("a", "sum")])
    print("arrow", pyarrow.compute.sum(groups["a_sum"]).as_py())


def with_openmp() -> None:
    points = numpy.random.default_rng(1).normal(size=(8000, 10))
    sides = (points[:, 0] * points[:, 1] > 0).astype(int)
    boosted = HistGradientBoostingClassifier(max_iter=30, random_state=0).fit(points, sides)
    forest = RandomForestClassifier(n_estimators=20, n_jobs=3, random_state=0).fit(points, sides)
    print("sklearn", round(boosted.score(points, sides), 3), round(forest.score(points, sides), 3))
    print("joblib", sum(Parallel(n_jobs=2)(delayed(digits)(i) for i in range(200))))


class Reverser(grpc.GenericRpcHandler):
    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        return grpc.unary_unary_rpc_method_handler(lambda request, context: request[::-1])


def with_grpc() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((Reverser(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary("/reverse/word")
        one_by_one = [call(b"%d" % i) for i in range(1500)]
        at_once = [sent.result() for sent in [call.future(b"x%d" % i) for i in range(300)]]
    server.stop(None).wait()
    print("grpc", len(one_by_one), one_by_one[-1], at_once[-1])


if __name__ == "__main__":
    with_polars()
    with_duckdb()
    with_arrow()
    with_openmp()
    with_grpc()

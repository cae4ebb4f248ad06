"""Prints, as JSON, what delta-rs and DuckDB find in a Delta table. Arguments: its folder, and versions to go back to."""

import json
import sys

import duckdb
from deltalake import DeltaTable, QueryBuilder

path, *versions = sys.argv[1:]


def numbers(table):
    """`_seq` of every row that a reader of the log sees."""
    result = QueryBuilder().register("t", table).execute("select _seq from t order by _seq").read_all()
    return result["_seq"].to_pylist() if hasattr(result["_seq"], "to_pylist") else [value.as_py() for value in result["_seq"]]


table = DeltaTable(path)
files = duckdb.sql(f"select * from read_parquet('{path}/date=*/*.parquet', hive_partitioning = true) order by _seq")
earlier = {version: numbers(load) for version in versions for load in [DeltaTable(path, version=int(version))]}
answer = {
    "version": table.version(),
    "delta": numbers(table),
    "types": {field.name: json.loads(field.type.to_json()) for field in table.schema().fields},
    "partitions": table.metadata().partition_columns,
    "earlier": earlier,
    "duckdb": {"columns": dict(zip(files.columns, map(str, files.types))), "rows": files.fetchall()},
}
print(json.dumps(answer, default=str))

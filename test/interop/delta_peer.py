"""Reads and writes Delta tables with delta-rs, DuckDB or Spark, one JSON request a line on stdin, one answer a line on stdout.

Values are told as text that all engines share: integers in decimal, timestamps as microseconds since the epoch, dates as days,
bytes in hex, decimals as written, doubles as Python's repr, structs as lists.
"""

import datetime
import decimal
import glob
import json
import site
import sys

EPOCH = datetime.datetime(1970, 1, 1)


def told(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return str((value - EPOCH) // datetime.timedelta(microseconds=1))
    if isinstance(value, datetime.date):
        return str((value - EPOCH.date()).days)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, dict):
        return [told(member) for member in value.values()]
    if isinstance(value, (list, tuple)):
        return [told(member) for member in value]
    raise TypeError(f"{type(value)} has no shared form")


def rows_of(table):
    names = table.column_names
    return [[told(row[name]) for name in names] for row in table.to_pylist()]


class DeltaRs:
    def __init__(self):
        import deltalake
        import pyarrow

        self.deltalake = deltalake
        self.arrow = pyarrow

    def read(self, path, columns, where):
        import pyarrow.dataset as dataset

        table = self.deltalake.DeltaTable(path)
        expression = None
        if where is not None:
            field = dataset.field(where["column"])
            value = value_of(where)
            expression = {"=": field == value, "<": field < value, ">": field > value}[where["operator"]]
        found = table.to_pyarrow_dataset().to_table(columns=columns, filter=expression)
        return rows_of(found)

    def write(self, path, partitioned):
        arrow = self.arrow
        from deltalake import DeltaTable, write_deltalake

        options = {"partition_by": ["city"]} if partitioned else {}
        for start in range(0, 40, 10):
            write_deltalake(path, sample(arrow, start, 10), mode="append", **options)
        table = DeltaTable(path)
        table.delete("id = 7")
        table.create_checkpoint()
        write_deltalake(path, sample(arrow, 40, 5), mode="append", **options)
        return DeltaTable(path).version()

    def append(self, path, columns):
        arrow = self.arrow
        table = arrow.table({name: arrow.array(values) for name, values in columns.items()})
        self.deltalake.write_deltalake(path, table, mode="append")
        return self.deltalake.DeltaTable(path).version()


def sample(arrow, start, count):
    ids = range(start, start + count)
    at = [EPOCH + datetime.timedelta(microseconds=n * 1_000_001) for n in ids]
    return arrow.table(
        {
            "id": arrow.array(ids, arrow.int64()),
            "city": arrow.array([None if n % 5 == 0 else f"city {n % 3} \u00e6/=" for n in ids], arrow.string()),
            "price": arrow.array([decimal.Decimal(n) / 4 for n in ids], arrow.decimal128(10, 2)),
            "wide": arrow.array([-decimal.Decimal(n) / 4 for n in ids], arrow.decimal128(38, 4)),
            "at": arrow.array(at, arrow.timestamp("us", "UTC")),
            "local": arrow.array(at, arrow.timestamp("us")),
            "day": arrow.array([n * 100 for n in ids], arrow.int32()).cast(arrow.date32()),
            "flag": arrow.array([n % 2 == 0 for n in ids], arrow.bool_()),
            "single": arrow.array([n / 2 for n in ids], arrow.float32()),
            "double": arrow.array([n / 7 for n in ids], arrow.float64()),
            "raw": arrow.array([bytes([n, 255]) for n in ids], arrow.binary()),
            "small": arrow.array([-n for n in ids], arrow.int16()),
        }
    )


def value_of(where):
    return int(where["value"]) if where["kind"] == "integer" else where["value"]


class DuckDb:
    def __init__(self):
        import duckdb

        self.connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
        found = [
            path
            for folder in site.getsitepackages()
            for path in glob.glob(f"{folder}/**/delta.duckdb_extension", recursive=True)
        ]
        self.connection.execute(f"LOAD '{found[0]}'")
        self.connection.execute("SET timezone = 'UTC'")

    def read(self, path, columns, where):
        listed = ", ".join(f'"{name}"' for name in columns)
        query = f"SELECT {listed} FROM delta_scan('{path}')"
        if where is not None:
            query += f' WHERE "{where["column"]}" {where["operator"]} ?'
            return rows_of(self.connection.execute(query, [value_of(where)]).fetch_arrow_table())
        return rows_of(self.connection.execute(query).fetch_arrow_table())


class Spark:
    def __init__(self, jars):
        from pyspark.sql import SparkSession

        self.session = (
            SparkSession.builder.master("local[2]")
            .config("spark.jars", jars)
            .config("spark.driver.memory", "1g")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.databricks.delta.snapshotPartitions", "2")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
            .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
            .getOrCreate()
        )
        self.session.sparkContext.setLogLevel("ERROR")

    def read(self, path, columns, where):
        frame = self.session.read.format("delta").load(path).select(*[f"`{name}`" for name in columns])
        if where is not None:
            value = where["value"] if where["kind"] == "integer" else "'" + where["value"].replace("'", "\\'") + "'"
            frame = frame.where(f"`{where['column']}` {where['operator']} {value}")
        return [[told(self.plain(value)) for value in row] for row in frame.collect()]

    def plain(self, value):
        if hasattr(value, "asDict"):
            return [self.plain(member) for member in value]
        if isinstance(value, dict):
            return [[self.plain(key), self.plain(member)] for key, member in value.items()]
        return [self.plain(member) for member in value] if isinstance(value, list) else value

    def sql(self, statements):
        for statement in statements:
            self.session.sql(statement).collect()
        return True


def main():
    engine = {"delta-rs": DeltaRs, "duckdb": DuckDb, "spark": Spark}[sys.argv[1]](*sys.argv[2:])
    # Only answers go to stdout: engines' own chatter would break the protocol.
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"answer": getattr(engine, request["act"])(*request["arguments"])}
        except Exception as error:  # noqa: BLE001 - told to the test, which fails with it
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


main()

"""DuckDB: an anti-join on the trimmed, lower-cased address, any row of each key, copied to a CSV.

    duckdb_anti_join.py ROSTER ORG OUT

The order is given up (`preserve_insertion_order`), which is what lets it write in parallel.
"""

import sys

import duckdb

NEW_ROWS = """
    COPY (
        SELECT * EXCLUDE key
        FROM (SELECT *, lower(trim("Work Email")) AS key FROM {roster})
        ANTI JOIN (SELECT lower(trim(email)) AS key FROM {org}) USING (key)
        QUALIFY row_number() OVER (PARTITION BY key) = 1
    ) TO {out} (FORMAT csv, HEADER, DELIMITER ',')
"""


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def table(path: str) -> str:
    """Everything as text; the quotes are said, so that a line break inside them is not taken for the end of a record."""
    options = f"header = true, delim = ',', quote = {text(chr(34))}, escape = {text(chr(34))}, all_varchar = true"
    return f"read_csv({text(path)}, {options})"


def main(roster_path: str, org_path: str, out_path: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(NEW_ROWS.format(roster=table(roster_path), org=table(org_path), out=text(out_path)))


if __name__ == "__main__":
    main(*sys.argv[1:4])

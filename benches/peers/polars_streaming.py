"""polars, lazy, on its streaming engine: an anti-join on the trimmed, lower-cased address.

    polars_streaming.py ROSTER ORG OUT

Two things take a third off its time and half off its memory: `is_first_distinct` instead of `unique`, and an order to
keep on the left, which makes the join hash the users (one column) instead of the roster (all of them). The row that
stands for a key is the file's first thereby.
"""

import sys

import polars as pl


def key(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().str.to_lowercase().alias("key")


def main(roster_path: str, org_path: str, out_path: str) -> None:
    # Without inference every column is text: faster, and no cell is changed.
    known = pl.scan_csv(org_path, infer_schema=False).select(key("email"))
    rows = pl.scan_csv(roster_path, infer_schema=False).with_columns(key("Work Email"))
    new = rows.join(known, on="key", how="anti", maintain_order="left")
    new.filter(pl.col("key").is_first_distinct()).drop("key").sink_csv(out_path, engine="streaming")


if __name__ == "__main__":
    main(*sys.argv[1:4])

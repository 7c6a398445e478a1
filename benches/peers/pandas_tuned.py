"""pandas as fast as it goes: the same steps on Arrow's strings, whose reader and `isin` are several times faster.

pandas_tuned.py ROSTER ORG OUT
"""

import sys

import pandas as pd
import pyarrow as pa

TEXT = pd.ArrowDtype(pa.string())


def main(roster_path: str, org_path: str, out_path: str) -> None:
    # Not engine="pyarrow": it stops at a line break inside quotes.
    roster = pd.read_csv(roster_path, dtype=TEXT, keep_default_na=False, na_filter=False)
    org = pd.read_csv(org_path, usecols=["email"], dtype=TEXT, keep_default_na=False, na_filter=False)
    known = org["email"].str.strip().str.lower()
    key = roster["Work Email"].str.strip().str.lower()
    unknown = key[~key.isin(known)]
    roster.loc[unknown.index[~unknown.duplicated()]].to_csv(out_path, index=False)


if __name__ == "__main__":
    main(*sys.argv[1:4])

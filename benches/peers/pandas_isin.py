"""pandas as forums recommend it: everything as text, strip + lower, `isin`, `drop_duplicates`.

pandas_isin.py ROSTER ORG OUT
"""

import sys

import pandas as pd


def main(roster_path: str, org_path: str, out_path: str) -> None:
    # As text: or `00123` becomes 123, and a person called "NA" nobody.
    roster = pd.read_csv(roster_path, dtype=str, keep_default_na=False, na_filter=False)
    org = pd.read_csv(org_path, usecols=["email"], dtype=str, keep_default_na=False, na_filter=False)
    known = org["email"].str.strip().str.lower()
    roster["key"] = roster["Work Email"].str.strip().str.lower()
    new = roster[~roster["key"].isin(known)].drop_duplicates("key")
    new.drop(columns="key").to_csv(out_path, index=False)


if __name__ == "__main__":
    main(*sys.argv[1:4])

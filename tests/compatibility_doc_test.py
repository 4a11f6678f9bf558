"""docs/compatibility.md tells of the very APIs and versions that the code serves."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[1]


def served():
    text = (ROOT / "kafka/api.h").read_text(encoding="utf-8")
    keys = dict(re.findall(r"^\s+(\w+) = (\d+),", text, re.MULTILINE))
    table = text.split("inline constexpr auto apis =")[1].split("});")[0]
    rows = re.findall(r'\{ApiKey::(\w+), "(\w+)", \{(\d+), (\d+)\}', table)
    return [(keys[key], name, low if low == high else f"{low}–{high}")
            for key, name, low, high in rows]


def documented():
    text = (ROOT / "docs/compatibility.md").read_text(encoding="utf-8")
    table = text.split("<!-- apis -->")[1].split("<!-- /apis -->")[0]
    return re.findall(r"^\| (\d+) \| (\w+) \| (\S+) \|$", table, re.MULTILINE)


def test_the_table_is_that_of_the_code():
    assert len(served()) > 20
    assert documented() == served()

#!/usr/bin/env python3
"""Writes a copy of the core's sources in which each mutant of mutants.txt can be switched on.

    mutate.py mutants.txt SOURCE_DIR OUTPUT_DIR [NAMESPACE]

In OUTPUT_DIR: a mutated file for each .cc of SOURCE_DIR that has mutants, and mutants.inc with one
MUTANT(name, seed, script) each. The sources themselves know nothing of all this.
"""

import pathlib
import re
import sys


def read(path):
    mutants = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        key, _, value = line.partition(" ")
        if key == "name":
            mutants.append({})
        mutants[-1][key] = value
    return mutants


def replaced(text, number, mutant):
    was, now = mutant["was"], mutant["now"]
    # However clang-format broke the lines.
    pattern = re.compile(r"\s+".join(map(re.escape, was.split())))
    found = pattern.findall(text)
    if len(found) != 1:
        sys.exit(f"mutant {mutant['name']}: its text is {len(found)} times in {mutant['file']}")
    if was.endswith(";"):
        both = f"{{ if (mutant == {number}) {{ {now} }} else {{ {found[0]} }} }}"
    else:
        both = f"(mutant == {number} ? ({now}) : ({found[0]}))"
    return text.replace(found[0], both)


def main():
    mutants = read(pathlib.Path(sys.argv[1]))
    source, output = map(pathlib.Path, sys.argv[2:4])
    namespace = sys.argv[4] if len(sys.argv) > 4 else "raft"
    output.mkdir(parents=True, exist_ok=True)
    names = {mutant["file"] for mutant in mutants}
    texts = {name: (source / name).read_text(encoding="utf-8") for name in names}
    for number, mutant in enumerate(mutants, 1):
        texts[mutant["file"]] = replaced(texts[mutant["file"]], number, mutant)
    for name, text in texts.items():
        prelude = f"namespace {namespace} {{ extern int mutant; }}\n#line 1\n"
        (output / name).write_text(prelude + text, encoding="utf-8")
    (output / "mutants.inc").write_text("".join(
        f'MUTANT("{m["name"]}", {m.get("seed", 0)}, "{m.get("script", "")}")\n' for m in mutants))


main()

"""What a power loss leaves of a broker's files, by the notes of disk_shim.cc.

A file keeps what was synced; of the bytes after that some part, torn by blocks. Of the entries that
were made, renamed or removed since their directory was synced those up to some moment stay.
"""

import collections
import os
import pathlib
import shutil

BLOCK = 4096
KEPT = ".kept"  # the folder in a data directory where disk_shim.cc keeps what was removed


class Notes:
    """The notes so far: what is safe, and what can be undone."""

    def __init__(self, path):
        self.synced = {}  # inode → bytes
        self.entries = collections.defaultdict(list)  # directory → changes that may be undone
        self.faults = 0
        kept, directories = {}, {}
        if not path.exists():
            return
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            kind, *words = line.split(" ")
            if kind == "S":
                self.synced[int(words[0])] = int(words[1])
            elif kind == "T":
                inode, size = map(int, words)
                self.synced[inode] = min(self.synced.get(inode, 0), size)
            elif kind == "D":
                self.entries.pop(directories.get(int(words[0])), None)
            elif kind == "F":
                self.faults += 1
            elif kind == "K":
                kept[words[1]] = words[0]
            else:
                if kind == "C":
                    self.synced[int(words[0])] = 0
                    change = (number, "made", words[1], None)
                elif kind == "R":
                    change = (number, "renamed", words[1], (words[0], kept.pop(words[1], None)))
                else:
                    change = (number, "removed", words[0], kept.pop(words[0], None))
                parent = os.path.dirname(change[2])
                if os.path.isdir(parent):
                    directories[os.stat(parent).st_ino] = parent
                    self.entries[parent].append(change)


def undo(change):
    _, what, path, before = change
    if what == "made":
        pathlib.Path(path).unlink(missing_ok=True)
    elif what == "removed":
        if before and os.path.exists(before) and not os.path.exists(path):
            os.link(before, path)
    elif os.path.exists(path):
        old, replaced = before
        os.rename(path, old)
        if replaced and os.path.exists(replaced):
            os.link(replaced, path)


def tear(path, synced, chance):
    """Cuts a file to what a power loss leaves; how many bytes that takes."""
    size = path.stat().st_size
    if size <= synced:
        return 0
    left = chance.choice([synced, size, chance.randint(synced, size)])
    with open(path, "r+b") as file:
        for block in range(synced // BLOCK, -(-left // BLOCK)):
            begin, end = max(block * BLOCK, synced), min((block + 1) * BLOCK, left)
            if end > begin and chance.random() < 0.25:
                file.seek(begin)
                file.write(bytes(end - begin))
        file.truncate(left)
    return size - left


def note_all_safe(notes_path, directory):
    """What is there counts as safe."""
    with open(notes_path, "a", encoding="utf-8") as out:
        for path in [directory, *directory.rglob("*")]:
            status = path.stat()
            out.write(f"D {status.st_ino}\n" if path.is_dir() else
                      f"S {status.st_ino} {status.st_size}\n")


def lose_power(notes_path, directory, chance):
    """Changes the files below the directory, whose process is killed; (bytes, entries) that are
    gone. What is left counts as safe from then on."""
    notes = Notes(notes_path)
    below = str(directory) + "/"
    changes = sorted((change for entries in notes.entries.values() for change in entries
                      if change[2].startswith(below)), key=lambda change: change[0])
    undone = changes[chance.randint(0, len(changes)):] if changes else []
    for change in reversed(undone):
        undo(change)
    gone = 0
    shutil.rmtree(directory / KEPT, ignore_errors=True)
    files = [path for path in sorted(directory.rglob("*")) if path.is_file()]
    for path in files:
        gone += tear(path, notes.synced.get(path.stat().st_ino, 0), chance)
    note_all_safe(notes_path, directory)
    return gone, len(undone)

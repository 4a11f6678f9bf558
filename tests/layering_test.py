"""The tree keeps to its layers, and the check would see it if it did not."""

import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import layering


def test_the_tree_keeps_to_its_layers():
    assert list(layering.violations(HERE.parent)) == []


def test_every_layer_of_the_build_is_checked():
    known = {folder for folders in layering.LAYERS for folder in folders} | set(layering.OUTSIDE)
    built = {path.parent.name for path in HERE.parent.glob("*/CMakeLists.txt")} - {"build"}
    assert built - known == set()


def check(tmp_path, files):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(layering.violations(tmp_path))


def test_includes_that_are_in_order(tmp_path):
    assert check(tmp_path, {
        "base/varint.h": "#pragma once\n",
        "storage/log.h": '#include "base/varint.h"\n#include "kafka/records/batch.h"\n'
                         '#include "storage/store/store.h"\n#include <vector>\n',
        "broker/node.cc": '#include "groups/group.h"\n#include "controller/topics.h"\n',
        "bench/crc.cc": '#include "broker/node.h"\n',
    }) == []


@pytest.mark.parametrize("file, line", [
    ("base/a.h", '#include "io/disk.h"'),
    ("io/a.cc", '#include "storage/log.h"'),
    ("io/a.cc", '#include "kafka/wire.h"'),
    ("kafka/records/a.h", '#include "metadata/image.h"'),
    ("storage/store/a.cc", '#include "broker/node.h"'),
    ("controller/a.cc", '#include "replication/replica.h"'),
    ("groups/a.cc", '  #  include "broker/node.h"'),
    ("broker/a.cc", '#include "cli/command.h"'),
    ("broker/a.cc", '#include "bench/load.h"'),
    ("broker/a.cc", '#include "tests/cluster.h"'),
])
def test_an_include_that_goes_up_is_found(tmp_path, file, line):
    found = check(tmp_path, {file: f"#pragma once\n{line}\n"})
    assert len(found) == 1 and found[0].startswith(f"{file}:2: "), found


@pytest.mark.parametrize("text", ["#include <grpcpp/server.h>\n", '#include "proto/a.grpc.pb.h"\n'])
def test_grpc_keeps_to_its_place(tmp_path, text):
    assert len(check(tmp_path, {"broker/node.cc": text})) == 1
    assert len(check(tmp_path, {"broker/node.cc": "", "controller/quorum/peers.h": text})) == 1


def test_where_grpc_may_be_used(tmp_path):
    text = '#include <grpcpp/server.h>\n#include "proto/raft.pb.h"\n'
    assert check(tmp_path, {"controller/quorum/server.cc": text, "tests/node/a.cc": text}) == []


@pytest.mark.parametrize("text", [
    "#include <thread>\n",
    "#include <mutex>\n",
    "#include <random>\n",
    '#include "absl/time/clock.h"\n',
    "auto t = std::chrono::steady_clock::now();\n",
    "auto t = absl::Now();\n",
    "std::random_device seed;\n",
    "absl::BitGen random;\n",
    "std::unordered_map<int, int> m;\nvoid f() { for (auto& [k, v] : m) g(k); }\n",
    "absl::flat_hash_set<std::pair<int, std::vector<int>>> seen_;\n"
    "void f() {\n    for (const auto& s : seen_) {\n    }\n}\n",
    "using Table = absl::flat_hash_map<int, int>;\nTable table;\n"
    "void f() { for (auto& row : table) { g(row); } }\n",
    "struct S { const absl::flat_hash_map<int, int>& rows() const; };\n"
    "void f(S& s) { for (auto& row : s.rows()) { g(row); } }\n",
])
@pytest.mark.parametrize("file", ["controller/topics.cc", "replication/replica.h",
                                  "groups/group.cc", "metadata/image.cc", "storage/retention.cc"])
def test_an_impure_core_is_found(tmp_path, file, text):
    assert len(check(tmp_path, {file: text})) == 1


def test_a_member_of_an_included_header_is_known(tmp_path):
    found = check(tmp_path, {
        "groups/group.h": "class Group { absl::flat_hash_map<int, int> members_; };\n",
        "groups/join.cc": '#include "groups/group.h"\n'
                          "void Group::f() { for (auto& m : members_) { g(m); } }\n",
    })
    assert [line.split(": ")[0] for line in found] == ["groups/join.cc:2"]


def test_shells_and_tests_may_do_what_cores_may_not(tmp_path):
    text = "#include <thread>\nauto t = std::chrono::steady_clock::now();\n"
    assert check(tmp_path, {"broker/node.cc": text, "groups/coordinator.cc": text,
                            "groups/group_test.cc": text, "storage/segment.cc": text}) == []


def test_a_pure_core_may_be_pure(tmp_path):
    assert check(tmp_path, {"metadata/image.cc": """
        // A comment may say now() and random_device.
        std::map<int, int> rows;
        absl::flat_hash_map<int, int> by_name;
        void f(base::Time now) {
            for (auto& row : rows) { g(row); }
            if (auto it = by_name.find(1); it != by_name.end()) { g(*it); }
        }
    """}) == []

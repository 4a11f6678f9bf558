// meta.properties, the mark of a directory: whatever it holds, the node takes the directory as its
// own or refuses it with a message. It never writes to it, but for an id of the directory where one
// of its own has none.
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "broker/directories.h"
#include "io/memory_disk.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string mark = "/data/meta.properties";
    const base::View bytes = std::as_bytes(std::span(data, size));
    io::MemoryDisk disk{1};
    CHECK(disk.make_directories("/data/store").ok());
    CHECK(io::replace_file(disk, mark, bytes).ok());
    CHECK(io::replace_file(disk, "/data/store/CURRENT", base::as_bytes("x")).ok());
    broker::Settings settings;
    settings.id = base::BrokerId{1};
    settings.log_dirs = {"/data"};
    settings.metadata_dir = "/data";
    const auto opened = broker::Directories::open(disk, settings);
    if (opened.ok()) {
        CHECK(!(*opened)->cluster_id().empty());
        CHECK(!(*opened)->belong_to((*opened)->cluster_id() + "x").ok());
        CHECK((*opened)->belong_to((*opened)->cluster_id()).ok());
    } else {
        CHECK(!base::message(opened.status()).empty());
    }
    const auto after = io::read_file(disk, mark, 1u << 20);
    CHECK(after.ok());
    if (base::as_text(*after) == base::as_text(bytes)) return 0;
    CHECK(opened.ok() && base::as_text(bytes).find("directory.id") == std::string_view::npos);
    const std::string text(base::as_text(*after));
    CHECK(text.find("cluster.id=" + (*opened)->cluster_id() + "\n") != std::string::npos);
    CHECK(text.find("node.id=1\n") != std::string::npos);
    CHECK(text.find("directory.id=") != std::string::npos);
    return 0;
}

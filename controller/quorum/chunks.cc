#include "controller/quorum/chunks.h"

#include <climits>
#include <utility>

#include "base/check.h"
#include "controller/quorum/sealed.h"
#include "metadata/snapshot.h"
#include "proto/metadata.pb.h"

namespace quorum {

namespace v1 = ::moldau::metadata::v1;

std::vector<std::string> chunks_of(const metadata::Image& image, size_t chunk_bytes) {
    std::vector<std::string> out;
    v1::Entry chunk;
    size_t bytes = 0;
    const auto close = [&] {
        CHECK(chunk.SerializeToString(&out.emplace_back())) << "part of a snapshot";
        chunk.Clear();
        bytes = 0;
    };
    metadata::for_each_record(image, [&](const v1::Record& record) {
        *chunk.add_records() = record;
        bytes += record.ByteSizeLong();
        if (bytes >= chunk_bytes) close();
    });
    if (bytes > 0 || out.empty()) close();
    return out;
}

base::Status ImageReader::add(std::string_view chunk) {
    v1::Entry entry;
    if (chunk.size() > INT_MAX ||
        !entry.ParseFromArray(chunk.data(), static_cast<int>(chunk.size())))
        return damaged("a part of its snapshot can't be read");
    for (const auto& record : entry.records()) RETURN_IF_ERROR(delta_.replay(record));
    return base::ok();
}

}  // namespace quorum

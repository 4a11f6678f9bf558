#include "controller/quorum/sealed.h"

#include "base/crc32c.h"

namespace quorum {

namespace {

uint32_t checksum(std::string_view key, std::string_view body) {
    return base::crc32c_extend(base::crc32c(base::as_bytes(key)), base::as_bytes(body));
}

}  // namespace

std::string seal(std::string_view key, std::string_view body) {
    std::string out;
    out.reserve(sizeof(uint32_t) + body.size());
    put(out, checksum(key, body));
    return out.append(body);
}

std::optional<std::string_view> unseal(std::string_view key, std::string_view row) {
    Reader in(row);
    const auto crc = in.take<uint32_t>();
    if (!in.complete() || crc != checksum(key, in.rest())) return std::nullopt;
    return in.rest();
}

base::Status damaged(const std::string& what) {
    return base::data_loss(
        "the metadata log of this node is damaged: " + what +
        ". It must not vote or lead with it. If most of the other controllers are up, empty all "
        "log directories of this node and start it again: it joins anew, as another member. If "
        "there are no others, restore the directories from a copy");
}

}  // namespace quorum

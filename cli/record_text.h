#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace cli {

/// A record as `moldau consume` shows it; the views are the client's.
struct RecordView {
    struct Header {
        std::string_view name;
        std::optional<std::string_view> value;
    };
    std::string_view topic;
    int32_t partition = 0;
    int64_t offset = 0;
    base::TimestampMs timestamp = -1;
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;
    std::vector<Header> headers;
};

/// One line of JSON with its newline. What isn't UTF-8 comes base64-coded, under "key_base64",
/// "value_base64".
std::string record_json(const RecordView& record);

/// Fills a format of kcat's kind: %t topic, %p partition, %o offset, %T timestamp, %k key,
/// %s value, %h headers (a=1,b=2), %% percent, \n, \t, \\.
std::string record_text(const RecordView& record, std::string_view format);

}  // namespace cli

#include "cli/record_text.h"

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "kafka/utf8.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

void put(Json& to, const std::string& name, const std::optional<std::string_view>& bytes) {
    if (!bytes) to[name] = nullptr;
    else if (kafka::valid_utf8(*bytes)) to[name] = std::string(*bytes);
    else to[name + "_base64"] = absl::Base64Escape({bytes->data(), bytes->size()});
}

std::string headers_text(const RecordView& record) {
    std::string out;
    for (const RecordView::Header& h : record.headers) {
        if (!out.empty()) out += ',';
        out += h.name;
        out += '=';
        out += h.value.value_or("NULL");
    }
    return out;
}

std::string field(const RecordView& record, char letter) {
    switch (letter) {
        case 't':
            return std::string(record.topic);
        case 'p':
            return std::to_string(record.partition);
        case 'o':
            return std::to_string(record.offset);
        case 'T':
            return std::to_string(record.timestamp);
        case 'k':
            return std::string(record.key.value_or(""));
        case 's':
            return std::string(record.value.value_or(""));
        case 'h':
            return headers_text(record);
        case '%':
            return "%";
        default:
            return {'%', letter};
    }
}

std::string escaped(char letter) {
    switch (letter) {
        case 'n':
            return "\n";
        case 't':
            return "\t";
        case '\\':
            return "\\";
        default:
            return {'\\', letter};
    }
}

}  // namespace

std::string record_json(const RecordView& record) {
    Json out{{"topic", std::string(record.topic)},
             {"partition", record.partition},
             {"offset", record.offset},
             {"timestamp", record.timestamp}};
    put(out, "key", record.key);
    put(out, "value", record.value);
    Json headers = Json::array();
    for (const RecordView::Header& h : record.headers) {
        Json one{{"name", std::string(h.name)}};
        put(one, "value", h.value);
        headers.push_back(std::move(one));
    }
    out["headers"] = std::move(headers);
    return out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string record_text(const RecordView& record, std::string_view format) {
    std::string out;
    for (size_t i = 0; i < format.size(); ++i) {
        const bool last = i + 1 == format.size();
        if (format[i] == '%' && !last) out += field(record, format[++i]);
        else if (format[i] == '\\' && !last) out += escaped(format[++i]);
        else out += format[i];
    }
    return out;
}

}  // namespace cli

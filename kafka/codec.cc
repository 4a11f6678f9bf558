#include "kafka/codec.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "kafka/utf8.h"

namespace kafka::wire {
namespace {

std::string_view trimmed_continuation(std::string_view text) {
    while (!text.empty() && (text.back() & 0xc0) == 0x80) text.remove_suffix(1);
    if (!text.empty() && (text.back() & 0x80) != 0) text.remove_suffix(1);
    return text;
}

}  // namespace

std::string_view short_text(std::string_view text) {
    if (text.size() <= max_string) [[likely]]
        return text;
    const bool cuts_character = (text[max_string] & 0xc0) == 0x80;
    text = text.substr(0, max_string);
    return cuts_character ? trimmed_continuation(text) : text;
}

base::Status check_version(Versions versions, Version version) {
    if (versions.has(version)) [[likely]]
        return base::ok();
    return base::invalid(absl::StrCat("version ", version, " is not supported"));
}

// ------------------------------------------------------------------------------------- reading

base::Status Reader::status() const {
    if (!failed_) return base::ok();
    return base::invalid(path_.empty() ? why_ : path_ + ": " + why_);
}

void Reader::fail(std::string_view why) {
    if (failed_) return;
    failed_ = true;
    why_ = why;
}

void Reader::within(std::string_view name) {
    const bool joined = path_.empty() || path_.front() == '[';
    path_ = absl::StrCat(absl::string_view(name.data(), name.size()), joined ? "" : ".", path_);
}

void Reader::within(size_t index) {
    const bool joined = path_.empty() || path_.front() == '[';
    path_ = absl::StrCat("[", index, joined ? "]" : "].", path_);
}

base::View Reader::take(size_t n) {
    if (n > in_.size()) [[unlikely]] {
        fail("truncated");
        return {};
    }
    const base::View taken = in_.first(n);
    in_ = in_.subspan(n);
    return taken;
}

uint32_t Reader::long_varint() {
    constexpr size_t longest = 5;
    if (const auto v = base::take_varint(in_, longest)) return static_cast<uint32_t>(*v);
    fail(in_.size() < longest ? "truncated" : "varint too long");
    return 0;
}

bool Reader::charge(size_t bytes) {
    if (bytes > budget_) [[unlikely]] {
        fail("over the memory budget of the message");
        return false;
    }
    budget_ -= bytes;
    return true;
}

bool Reader::admit(size_t n, size_t element_size) {
    if (failed_) return false;
    if (n > in_.size()) [[unlikely]] {  // each element takes a byte or more
        fail(absl::StrCat("truncated: ", n, " elements in ", in_.size(), " bytes"));
        return false;
    }
    return charge(n * element_size);
}

void Reader::content(std::string& v, size_t n) {
    const base::View bytes = take(n);
    if (failed_) return;
    if (n > max_string) return fail("string too long");
    if (!valid_utf8(base::as_text(bytes))) return fail("not UTF-8");
    if (charge(n)) v.assign(base::as_text(bytes));
}

void Reader::content(base::Bytes& v, size_t n) {
    const base::View bytes = take(n);
    if (!failed_ && charge(n)) v.assign(bytes.begin(), bytes.end());
}

// ------------------------------------------------------------------------------------ printing

void Printer::comma() {
    if (out_.back() != '{' && out_.back() != '[') out_ += ',';
}

void Printer::key(std::string_view name, bool of_size) {
    comma();
    out_ += '"';
    out_ += name;
    out_ += of_size ? "_size_in_bytes\":" : "\":";
}

void Printer::number(int64_t v) { absl::StrAppend(&out_, v); }
void Printer::number(double v) { absl::StrAppend(&out_, v); }
void Printer::null() { out_ += "null"; }

void Printer::text(std::string_view v) {
    constexpr std::string_view digits = "0123456789abcdef";
    out_ += '"';
    for (const char c : v) {
        if (c == '"' || c == '\\') (out_ += '\\') += c;
        else if (static_cast<unsigned char>(c) >= 0x20) out_ += c;
        else ((out_ += "\\u00") += digits[c >> 4]) += digits[c & 15];
    }
    out_ += '"';
}

void Printer::base64(base::View v) {
    const std::string_view bytes = base::as_text(v);
    out_ += '"';
    out_ += absl::Base64Escape(absl::string_view(bytes.data(), bytes.size()));
    out_ += '"';
}

}  // namespace kafka::wire

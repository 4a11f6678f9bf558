#pragma once
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "google/protobuf/io/coded_stream.h"

namespace broker::rpc {

/// The tags of Protocol Buffers' encoding: a field's number and how its value is written.
constexpr uint32_t varint_tag(uint32_t number) { return number << 3; }
constexpr uint32_t bytes_tag(uint32_t number) { return number << 3 | 2; }

/// Goes through the fields of a message in place. Generated code would make an object of each
/// record, which takes many times the memory that it took on the wire, and would copy the payload.
///
///     Fields fields(message);
///     while (fields.next()) switch (fields.tag()) { case varint_tag(3): use(fields.value()); … }
///     if (!fields.ok()) …
///
/// What nobody asks for, unknown fields among them, is skipped.
class Fields {
  public:
    explicit Fields(base::View message)
        : message_(message),
          in_(reinterpret_cast<const uint8_t*>(message.data()), static_cast<int>(message.size())) {}

    /// Moves to the next field; false at the end and at the first fault.
    bool next();
    uint32_t tag() const { return tag_; }
    uint64_t value() const { return value_; }  // of a varint
    /// Of strings, bytes and messages; a view into the message.
    base::View bytes() const { return bytes_; }
    std::string_view text() const {
        return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
    }
    bool ok() const { return ok_; }

  private:
    bool fail() { return ok_ = false; }

    base::View message_;
    google::protobuf::io::CodedInputStream in_;
    uint32_t tag_ = 0;
    uint64_t value_ = 0;
    base::View bytes_;
    bool ok_ = true;
};

/// Appends fields to a message.
void put_field(base::Bytes& out, uint32_t number, uint64_t value);
/// Only tag and length: `size` bytes are to follow.
void put_bytes_head(base::Bytes& out, uint32_t number, size_t size);
void put_field(base::Bytes& out, uint32_t number, base::View bytes);

}  // namespace broker::rpc

#include "broker/rpc/fields.h"

#include <gtest/gtest.h>

namespace broker::rpc {
namespace {

base::Bytes bytes(std::initializer_list<int> values) {
    base::Bytes out;
    for (const int v : values) out.push_back(static_cast<std::byte>(v));
    return out;
}

TEST(Fields, ComeInOrderWithTheirValues) {
    base::Bytes message;
    put_field(message, 3, uint64_t{300});
    put_field(message, 6, base::as_bytes("abc"));
    Fields fields(message);
    ASSERT_TRUE(fields.next());
    EXPECT_EQ(fields.tag(), varint_tag(3));
    EXPECT_EQ(fields.value(), 300);
    ASSERT_TRUE(fields.next());
    EXPECT_EQ(fields.tag(), bytes_tag(6));
    EXPECT_EQ(fields.text(), "abc");
    EXPECT_FALSE(fields.next());
    EXPECT_TRUE(fields.ok());
}

TEST(Fields, OtherKindsAreSkipped) {
    // 1: fixed64, 2: a group with a varint in it, 3: fixed32, 4: varint 1.
    const auto message =
        bytes({0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x13, 0x08, 5, 0x14, 0x1d, 1, 2, 3, 4, 0x20, 1});
    Fields fields(message);
    uint64_t last = 0;
    while (fields.next())
        if (fields.tag() == varint_tag(4)) last = fields.value();
    EXPECT_TRUE(fields.ok());
    EXPECT_EQ(last, 1);
}

TEST(Fields, NonsenseIsToldApartFromTheEnd) {
    for (const auto& message : {
             bytes({0x32, 5, 'a'}),                        // longer than the message
             bytes({0x32, 0xff, 0xff, 0xff, 0xff, 0x0f}),  // 4 GiB
             bytes({0x18}),                                // no value
             bytes({0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}),
             bytes({0x00}),              // field 0
             bytes({0x13, 0x13, 0x13}),  // groups without an end
             bytes({0x14}),              // an end without a group
             bytes({0xff, 0xff}),        // half a tag
         }) {
        Fields fields(message);
        while (fields.next()) {
        }
        EXPECT_FALSE(fields.ok()) << "first byte " << static_cast<int>(message[0]);
    }
}

}  // namespace
}  // namespace broker::rpc

#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "kafka/records/batch.h"

namespace kafka {

struct RecordHeader {
    std::string_view key;
    std::optional<base::View> value;  // nothing: null
};

/// The headers of a record, read on the way. Made by RecordReader, which has checked the bytes.
class RecordHeaders {
  public:
    RecordHeaders() = default;
    RecordHeaders(base::View bytes, int32_t count) : bytes_(bytes), count_(count) {}

    int32_t count() const { return count_; }
    bool empty() const { return count_ == 0; }

    class Iterator {
      public:
        Iterator(base::View rest, int32_t left);
        const RecordHeader& operator*() const { return header_; }
        const RecordHeader* operator->() const { return &header_; }
        Iterator& operator++();
        bool operator==(const Iterator& other) const { return left_ == other.left_; }

      private:
        void take();
        base::View rest_;
        int32_t left_;
        RecordHeader header_;
    };
    Iterator begin() const { return {bytes_, count_}; }
    Iterator end() const { return {{}, 0}; }

  private:
    base::View bytes_;
    int32_t count_ = 0;
};

/// A record in place: views into the bytes that the reader goes through.
struct Record {
    base::Offset offset = 0;
    base::TimestampMs timestamp = -1;
    std::optional<base::View> key;    // nothing: null
    std::optional<base::View> value;  // nothing: null (a tombstone, in a compacted topic)
    RecordHeaders headers;
    int32_t offset_delta = 0;
};

/// Goes through the records of a batch without allocating.
///
///     RecordReader reader(batch, batch.records());   // or its decompressed records
///     while (reader.next()) use(reader.record());
///     if (!reader.ok()) … reader.error() …
///
/// Strict: every length lies within its record, the record fills its length, header keys are not
/// null, offsets grow and stay in the batch's range, there are as many records as the batch counts
/// and no byte is left over. Compacted batches (with gaps between offsets) are fine.
class RecordReader {
  public:
    /// `records` are the batch's records, decompressed; both stay valid while the reader is used.
    RecordReader(const BatchView& batch, base::View records);

    /// Moves to the next record; false at the end and at the first fault.
    bool next();
    const Record& record() const { return record_; }

    bool ok() const { return error_.empty(); }
    /// What is wrong with the record of number index(), or with the end; empty: nothing.
    std::string_view error() const { return error_; }
    /// Number of the current record, or of the one that failed, from 0.
    int32_t index() const { return index_; }

  private:
    bool fail(std::string_view why) {
        error_ = why;
        return false;
    }
    bool parse(base::View body);
    bool skip_headers(base::View& body, int32_t count);

    base::View rest_;
    Record record_;
    std::string_view error_;
    base::Offset base_offset_;
    base::TimestampMs base_timestamp_;
    base::TimestampMs append_time_;  // of every record, if the batch has LogAppendTime
    int32_t last_delta_;
    int32_t count_;
    int32_t index_ = -1;
    int32_t previous_delta_ = -1;
    bool log_append_time_;
};

}  // namespace kafka

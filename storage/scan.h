#pragma once
#include <cstdint>

#include "base/bytes.h"
#include "base/status.h"
#include "io/disk.h"
#include "kafka/records/batch.h"

namespace storage {

/// Goes through the batches of a segment file in order, reading ahead in pieces of bounded size.
/// Each must begin at the offset after the last of the one before; the first is the caller's to
/// compare, as are leader epochs.
class Scan {
  public:
    enum class Depth : uint8_t {
        headers,  // sizes and headers make sense; records are skipped, not read
        whole,    // the checksum of each batch is verified as well
    };

    /// [from, to) of the file; `from` is where a batch begins.
    Scan(const io::File& file, uint64_t from, uint64_t to, Depth);

    /// Moves to the next batch; false at `to`. kDataLoss, naming file and position, for bytes that
    /// are no batch; position() is then where they begin. Any other error is the disk's.
    base::Result<bool> next();

    /// Of the current batch. Only the header is there: records() and crc_ok() must not be called.
    const kafka::BatchView& header() const { return header_; }
    uint64_t position() const { return position_; }
    uint32_t size() const { return size_; }
    uint64_t end() const { return position_ + size_; }

  private:
    /// At least `size` bytes from `at`, or all up to `to_`.
    base::Result<base::View> bytes(uint64_t at, size_t size);
    base::Result<bool> checksum_ok();
    base::Status damage(const std::string& why) const;

    const io::File& file_;
    uint64_t to_;
    Depth depth_;
    uint64_t position_;
    uint32_t size_ = 0;
    base::Offset expected_ = -1;  // of the next batch; -1: any
    base::Bytes buffer_;
    uint64_t buffer_at_ = 0;
    size_t buffered_ = 0;
    std::array<std::byte, kafka::batch_header_size> header_bytes_{};
    kafka::BatchView header_{header_bytes_};
};

/// Reads the whole batch at `position` and verifies its checksum.
base::Result<base::Bytes> read_batch(const io::File&, uint64_t position, uint32_t size);

}  // namespace storage

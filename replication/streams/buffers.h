#pragma once
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace grpc {
class ByteBuffer;
class Slice;
}  // namespace grpc

/// Between gRPC's messages and ours, without a copy of what is large.
namespace replication::streams {

/// The pieces, which it keeps alive.
grpc::ByteBuffer to_buffer(const std::vector<base::Slice>& pieces);

/// What came in, in the pieces in which it came.
class Received {
  public:
    Received();
    ~Received();
    Received(Received&&) noexcept;
    Received& operator=(Received&&) noexcept;

    /// Empties the buffer. kInvalidArgument: it can't be read.
    base::Status take(grpc::ByteBuffer&);
    /// Valid until the next call.
    const std::vector<base::View>& pieces() const { return pieces_; }
    /// As one piece: copied only if it is more.
    base::View whole();
    void clear();

  private:
    std::vector<grpc::Slice> slices_;
    std::vector<base::View> pieces_;
    base::Bytes joined_;
};

}  // namespace replication::streams

#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/function.h"
#include "base/status.h"
#include "io/disk.h"
#include "io/shard.h"

namespace io {

/// A part of a file to send. What it names must stay as it is until the write is done; if the file
/// got shorter meanwhile, the write fails.
struct FileRange {
    std::shared_ptr<const File> file;
    uint64_t position = 0;
    uint64_t size = 0;  // bytes
};

/// A part of what is written to a socket, kept alive until it is sent.
using Piece = std::variant<base::Slice, FileRange>;

/// A TCP connection on a shard, with TCP_NODELAY. Used and destroyed on its shard only (or after
/// the shards have stopped). At most one read and one write are outstanding at a time.
///
/// A completion is called exactly once, from the event loop and never inside the call that asked
/// for it; only work that is left when the shards stop is destroyed without a call. After an error
/// the stream is closed. Errors: kUnavailable (reset, closed, timed out), and those of the file
/// read.
class Stream {
  public:
    virtual ~Stream() = default;  // closes

    virtual Shard& shard() = 0;
    /// Reads what has come, at least one byte; 0: the peer sends no more. `to` is not empty, and
    /// stays valid until `done` is called or the stream is closed.
    virtual void read_some(base::MutableView to,
                           base::Function<void(base::Result<size_t>)> done) = 0;
    /// Sends the pieces in order: memory without a copy, files by sendfile where they have a
    /// descriptor, otherwise by way of a buffer of at most 256 KiB. OK once the system has them
    /// all.
    virtual void write(std::vector<Piece> pieces, base::Function<void(base::Status)> done) = 0;
    /// Nothing more is written: the peer reads to the end of what was. Not while a write is out.
    virtual void end_writing() = 0;
    /// What is outstanding ends with kUnavailable. What was written before is still delivered,
    /// unless the peer has sent what was not read: then TCP resets the connection.
    virtual void close() = 0;
    virtual bool is_open() const = 0;
    /// The peer's "address:port"; "[address]:port" for IPv6.
    virtual const std::string& peer() const = 0;
};

/// Accepts connections on one port, hands them to the shards in turn, and goes on when it runs out
/// of descriptors, once there are some again.
///
/// One accept queue, not one for each shard by SO_REUSEPORT: that would spread few connections
/// unevenly (by hash), leave those waiting that fell to a stalled shard, and let a second process
/// bind the same port unnoticed.
class Listener {
  public:
    /// Called on the shard of the new stream, so from several threads, until the listener is
    /// destroyed and every shard has run what was posted to it by then.
    using Accept = base::Function<void(std::unique_ptr<Stream>) const>;

    /// Listens on `host` (a name or an address; empty: all of this machine's) and `port` (0: any
    /// free one). kFailedPrecondition if the address is in use or not of this machine. Not from a
    /// shard.
    static base::Result<std::unique_ptr<Listener>> start(Shards&, const std::string& host,
                                                         uint16_t port, Accept accept);
    /// Stops accepting; streams live on. On any thread, before the shards are destroyed.
    virtual ~Listener() = default;

    virtual uint16_t port() const = 0;
};

}  // namespace io

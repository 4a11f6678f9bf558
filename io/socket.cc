#include "io/socket.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <optional>

#include "base/check.h"
#include "io/errno_status.h"
#include "io/tcp_stream.h"

namespace io {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// Bytes that one connection may send before the others of its shard have their turn.
constexpr uint64_t kTurnBytes = 1 << 20;
constexpr uint64_t kBufferBytes = 256 << 10;

uint64_t size_of(const Piece& piece) {
    const auto* memory = std::get_if<base::Slice>(&piece);
    return memory ? memory->size() : std::get<FileRange>(piece).size;
}

/// The pieces of one write, on their way into a socket that does not block.
class Outgoing {
  public:
    Outgoing(std::vector<Piece> pieces, base::Function<void(base::Status)> done)
        : pieces_(std::move(pieces)), done_(std::move(done)) {
        settle();
    }

    bool finished() const { return next_ == pieces_.size(); }
    base::Function<void(base::Status)> take_done() { return std::move(done_); }
    /// Sends some bytes, at most about `most`; returns how many, 0 if the socket takes none now.
    base::Result<uint64_t> send(int socket, uint64_t most);

  private:
    base::Result<uint64_t> send_memory(int socket);
    base::Result<uint64_t> send_file(int socket, const FileRange& range, uint64_t most);
    base::Result<uint64_t> send_buffered(int socket, const FileRange& range);
    base::Status shorter(const FileRange& range) const {
        return base::data_loss(range.file->path() + ": shorter than the part to send");
    }
    /// Skips pieces that are sent, and lets go of them.
    void settle() {
        while (!finished() && sent_ == size_of(pieces_[next_])) {
            pieces_[next_++] = base::Slice();
            sent_ = 0;
        }
    }

    std::vector<Piece> pieces_;
    base::Function<void(base::Status)> done_;
    size_t next_ = 0;
    uint64_t sent_ = 0;  // of pieces_[next_]
    base::Bytes buffer_;
    base::View buffered_;  // the part of buffer_ still to send, of pieces_[next_] from sent_ on
};

base::Result<uint64_t> would_block_or(const char* what) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return uint64_t{0};
    return errno_status(errno, what);
}

base::Result<uint64_t> Outgoing::send(int socket, uint64_t most) {
    const auto* range = std::get_if<FileRange>(&pieces_[next_]);
    if (!range) return send_memory(socket);
    auto sent = range->file->descriptor() >= 0 ? send_file(socket, *range, most)
                                               : send_buffered(socket, *range);
    if (sent.ok()) sent_ += *sent;
    settle();
    return sent;
}

base::Result<uint64_t> Outgoing::send_memory(int socket) {
    std::array<iovec, 64> vectors;
    size_t count = 0, at = next_;
    for (; at < pieces_.size() && count < vectors.size(); ++at) {
        const auto* slice = std::get_if<base::Slice>(&pieces_[at]);
        if (!slice) break;
        base::View rest = slice->bytes().subspan(at == next_ ? sent_ : 0);
        vectors[count++] = {const_cast<std::byte*>(rest.data()), rest.size()};
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    // With more to come, a header need not go out in a packet of its own.
    int more = at < pieces_.size() ? MSG_MORE : 0;
    ssize_t n = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT | more);
    if (n < 0) return would_block_or("send");
    for (auto left = static_cast<uint64_t>(n); left > 0; settle()) {
        uint64_t taken = std::min(left, size_of(pieces_[next_]) - sent_);
        sent_ += taken;
        left -= taken;
    }
    return static_cast<uint64_t>(n);
}

base::Result<uint64_t> Outgoing::send_file(int socket, const FileRange& range, uint64_t most) {
    auto offset = static_cast<off_t>(range.position + sent_);
    size_t count = std::min(range.size - sent_, most);
    ssize_t n = ::sendfile(socket, range.file->descriptor(), &offset, count);
    if (n < 0) return would_block_or("send file");
    if (n == 0) return shorter(range);
    return static_cast<uint64_t>(n);
}

base::Result<uint64_t> Outgoing::send_buffered(int socket, const FileRange& range) {
    if (buffered_.empty()) {
        buffer_.resize(std::min(range.size - sent_, kBufferBytes));
        ASSIGN_OR_RETURN(size_t read, range.file->read_at(range.position + sent_, buffer_));
        if (read == 0) return shorter(range);
        buffered_ = std::span(buffer_).first(read);
    }
    ssize_t n = ::send(socket, buffered_.data(), buffered_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) return would_block_or("send");
    buffered_ = buffered_.subspan(static_cast<size_t>(n));
    return static_cast<uint64_t>(n);
}

base::Status status_of(const boost::system::error_code& error, const char* what) {
    if (error == asio::error::operation_aborted) return base::unavailable("closed");
    return errno_status(error.value(), what);
}

/// What outstanding operations keep alive when the stream itself is gone.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(Shard& shard, tcp::socket socket) : shard_(shard), socket_(std::move(socket)) {
        boost::system::error_code ignored;  // a socket that broke already shows at the first read
        socket_.non_blocking(true, ignored);
        socket_.set_option(tcp::no_delay(true), ignored);
        socket_.set_option(asio::socket_base::keep_alive(true), ignored);
        auto peer = socket_.remote_endpoint(ignored);
        peer_ = text_of(peer);
    }

    Shard& shard() { return shard_; }
    const std::string& peer() const { return peer_; }
    bool is_open() const { return socket_.is_open(); }
    void close() {
        boost::system::error_code ignored;
        socket_.close(ignored);
    }
    void end_writing() {
        CHECK(shard_.here() && !writing_);
        boost::system::error_code ignored;  // what broke shows at the next read
        if (is_open()) socket_.shutdown(tcp::socket::shutdown_send, ignored);
    }

    void read_some(base::MutableView to, base::Function<void(base::Result<size_t>)> done) {
        CHECK(shard_.here() && !reading_ && !to.empty());
        reading_ = true;
        if (!is_open())
            return asio::post(socket_.get_executor(),
                              [self = shared_from_this(), done = std::move(done)]() mutable {
                                  self->reading_ = false;
                                  done(base::unavailable("closed"));
                              });
        socket_.async_read_some(asio::buffer(to.data(), to.size()),
                                [self = shared_from_this(), done = std::move(done)](
                                    const boost::system::error_code& error, size_t read) mutable {
                                    self->reading_ = false;
                                    if (!error) return done(read);
                                    if (error == asio::error::eof) return done(size_t{0});
                                    self->close();
                                    done(status_of(error, "receive"));
                                });
    }

    void write(std::vector<Piece> pieces, base::Function<void(base::Status)> done) {
        CHECK(shard_.here() && !writing_);
        writing_.emplace(std::move(pieces), std::move(done));
        // The first try is made at once; its end is told from the loop all the same.
        if (auto end = send_a_turn())
            asio::post(socket_.get_executor(),
                       [self = shared_from_this(), end = *end] { self->finish(end); });
    }

  private:
    /// Sends until the socket takes no more, or for one turn. The status if the write has ended;
    /// otherwise it goes on by itself.
    std::optional<base::Status> send_a_turn() {
        if (!is_open()) return base::unavailable("closed");
        for (uint64_t turn = kTurnBytes; !writing_->finished();) {
            auto sent = writing_->send(socket_.native_handle(), turn);
            if (!sent.ok()) return sent.status();
            if (*sent == 0) {
                socket_.async_wait(tcp::socket::wait_write,
                                   [self = shared_from_this()](const auto&) { self->go_on(); });
                return std::nullopt;
            }
            turn -= std::min(turn, *sent);
            if (turn > 0 || writing_->finished()) continue;
            asio::post(socket_.get_executor(), [self = shared_from_this()] { self->go_on(); });
            return std::nullopt;
        }
        return base::ok();
    }

    void go_on() {
        if (auto end = send_a_turn()) finish(*end);
    }

    void finish(const base::Status& status) {
        if (!status.ok()) close();
        auto done = writing_->take_done();
        writing_.reset();
        done(status);
    }

    Shard& shard_;
    tcp::socket socket_;
    std::string peer_;
    bool reading_ = false;
    std::optional<Outgoing> writing_;
};

class TcpStream : public Stream {
  public:
    TcpStream(Shard& shard, tcp::socket socket)
        : connection_(std::make_shared<Connection>(shard, std::move(socket))) {}
    ~TcpStream() override { connection_->close(); }

    Shard& shard() override { return connection_->shard(); }
    void read_some(base::MutableView to, base::Function<void(base::Result<size_t>)> done) override {
        connection_->read_some(to, std::move(done));
    }
    void write(std::vector<Piece> pieces, base::Function<void(base::Status)> done) override {
        connection_->write(std::move(pieces), std::move(done));
    }
    void end_writing() override { connection_->end_writing(); }
    void close() override { connection_->close(); }
    bool is_open() const override { return connection_->is_open(); }
    const std::string& peer() const override { return connection_->peer(); }

  private:
    std::shared_ptr<Connection> connection_;
};

}  // namespace

std::string text_of(const tcp::endpoint& endpoint) {
    auto address = endpoint.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    std::string host = address.to_string();
    if (address.is_v6()) host = "[" + host + "]";
    return host + ":" + std::to_string(endpoint.port());
}

std::unique_ptr<Stream> make_stream(Shard& shard, tcp::socket socket) {
    return std::make_unique<TcpStream>(shard, std::move(socket));
}

}  // namespace io

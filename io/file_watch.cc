#include "io/file_watch.h"

#include <sys/inotify.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <string>
#include <utility>

#include "io/errno_status.h"

namespace io {

namespace asio = boost::asio;

struct FileWatch::State : std::enable_shared_from_this<State> {
    State(Shard& shard, int fd, std::string file, base::Function<void()> tell)
        : events(shard.context(), fd), name(std::move(file)), changed(std::move(tell)) {}

    void wait() {
        events.async_wait(asio::posix::stream_descriptor::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& failed) {
                              if (failed || !self->changed) return;
                              if (self->take()) self->changed();
                              self->wait();
                          });
    }

    /// Whether one of the events is of the file.
    bool take() {
        alignas(inotify_event) std::array<char, 4096> buffer;
        bool found = false;
        for (;;) {
            const ssize_t size = ::read(events.native_handle(), buffer.data(), buffer.size());
            if (size <= 0) return found;
            for (ssize_t at = 0; at < size;) {
                const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
                // Of an overflow nothing is known but that there were events.
                found |= (event->mask & IN_Q_OVERFLOW) != 0 ||
                         (event->len > 0 && name == static_cast<const char*>(event->name));
                at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
            }
        }
    }

    asio::posix::stream_descriptor events;
    const std::string name;
    base::Function<void()> changed;
};

FileWatch::FileWatch(std::shared_ptr<State> state) : state_(std::move(state)) {}

FileWatch::~FileWatch() {
    state_->changed = nullptr;
    boost::system::error_code ignored;
    state_->events.close(ignored);
}

base::Result<std::unique_ptr<FileWatch>> FileWatch::start(Shard& shard,
                                                          const std::filesystem::path& file,
                                                          base::Function<void()> changed) {
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) return errno_status(errno, "inotify");
    auto state = std::make_shared<State>(shard, fd, file.filename(), std::move(changed));
    const auto folder = std::filesystem::absolute(file).parent_path();
    if (::inotify_add_watch(fd, folder.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
        return errno_status(errno, folder.string() + ": watch");
    auto out = std::unique_ptr<FileWatch>(new FileWatch(std::move(state)));
    shard.run([state = out->state_] { state->wait(); });
    return out;
}

}  // namespace io

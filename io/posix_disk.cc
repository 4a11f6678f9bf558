#include "io/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <filesystem>

#include "io/errno_status.h"

namespace io {

namespace {

constexpr const char* kLockFile = ".lock";

/// An open file descriptor, closed when destroyed; -1: none.
class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& from) noexcept : fd_(std::exchange(from.fd_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }
    bool is_open() const { return fd_ >= 0; }

  private:
    int fd_;
};

/// Calls until it is not interrupted by a signal; -1 and errno as the call says.
template <class Call>
auto uninterrupted(Call call) {
    for (;;) {
        auto result = call();
        if (result != -1 || errno != EINTR) return result;
    }
}

class PosixFile : public File {
  public:
    PosixFile(Descriptor fd, uint64_t size, std::string path)
        : fd_(std::move(fd)), size_(size), path_(std::move(path)) {}

    base::Status append(std::span<const base::View> pieces) override {
        std::array<iovec, 64> window;
        size_t piece = 0, done = 0;  // pieces written whole, and bytes written of the next
        while (true) {
            size_t n = 0;
            for (size_t i = piece; i < pieces.size() && n < window.size(); ++i) {
                base::View rest = pieces[i].subspan(i == piece ? done : 0);
                window[n++] = {const_cast<std::byte*>(rest.data()), rest.size()};
            }
            if (n == 0) return base::ok();
            RETURN_IF_ERROR(write_some({window.data(), n}, pieces, piece, done));
        }
    }

    base::Result<size_t> read_at(uint64_t position, base::MutableView to) const override {
        size_t done = 0;
        while (done < to.size()) {
            ssize_t n = uninterrupted([&] {
                return ::pread(fd_.get(), to.data() + done, to.size() - done,
                               static_cast<off_t>(position + done));
            });
            if (n < 0) return errno_status(errno, path_ + ": read");
            if (n == 0) break;
            done += static_cast<size_t>(n);
        }
        return done;
    }

    base::Status sync() override {
        if (uninterrupted([&] { return ::fdatasync(fd_.get()); }) == 0) return base::ok();
        // Whatever the errno, the content of the page cache can't be trusted from here on.
        return base::unavailable(std::string(errno_status(errno, path_ + ": sync").message()));
    }

    base::Status truncate(uint64_t size) override {
        if (uninterrupted([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }) != 0)
            return errno_status(errno, path_ + ": truncate");
        size_ = size;
        return base::ok();
    }

    uint64_t size() const override { return size_; }
    int descriptor() const override { return fd_.get(); }
    const std::string& path() const override { return path_; }

  private:
    /// One system call; moves `piece` and `done` on by what it took.
    base::Status write_some(std::span<const iovec> window, std::span<const base::View> pieces,
                            size_t& piece, size_t& done) {
        ssize_t n = uninterrupted([&] {
            return ::pwritev(fd_.get(), window.data(), static_cast<int>(window.size()),
                             static_cast<off_t>(size_.load()));
        });
        if (n < 0) return errno_status(errno, path_ + ": append");
        if (n == 0 && done < pieces[piece].size())
            return base::unavailable(path_ + ": append: nothing written");
        size_ += static_cast<uint64_t>(n);
        done += static_cast<size_t>(n);
        while (piece < pieces.size() && done >= pieces[piece].size())
            done -= pieces[piece++].size();
        return base::ok();
    }

    Descriptor fd_;
    std::atomic<uint64_t> size_;  // written by the owner, read by anyone
    std::string path_;
};

class PosixLock : public DirectoryLock {
  public:
    explicit PosixLock(Descriptor fd) : fd_(std::move(fd)) {}

  private:
    Descriptor fd_;
};

int flags_of(Open how) {
    switch (how) {
        case Open::existing:
            return O_RDWR;
        case Open::create:
            return O_RDWR | O_CREAT;
        case Open::create_new:
            return O_RDWR | O_CREAT | O_EXCL;
        case Open::read_only:
            return O_RDONLY;
    }
    return O_RDONLY;
}

class PosixDisk : public Disk {
  public:
    base::Result<std::unique_ptr<File>> open(const std::string& path, Open how) override {
        Descriptor fd(
            uninterrupted([&] { return ::open(path.c_str(), flags_of(how) | O_CLOEXEC, 0644); }));
        if (!fd.is_open()) return errno_status(errno, path + ": open");
        struct stat info {};
        if (::fstat(fd.get(), &info) != 0) return errno_status(errno, path + ": stat");
        if (!S_ISREG(info.st_mode)) return base::precondition(path + ": not a regular file");
        return std::make_unique<PosixFile>(std::move(fd), static_cast<uint64_t>(info.st_size),
                                           path);
    }

    base::Status remove(const std::string& path) override {
        if (::unlink(path.c_str()) != 0) return errno_status(errno, path + ": remove");
        return base::ok();
    }

    base::Status remove_all(const std::string& path) override {
        std::error_code error;
        std::filesystem::remove_all(path, error);
        return error ? errno_status(error.value(), path + ": remove") : base::ok();
    }

    base::Status rename(const std::string& from, const std::string& to) override {
        if (::rename(from.c_str(), to.c_str()) != 0)
            return errno_status(errno, from + ": rename to " + to);
        return base::ok();
    }

    base::Status make_directories(const std::string& path) override {
        for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
            std::string part = path.substr(0, end);
            if (::mkdir(part.c_str(), 0755) != 0) {
                int error = errno;  // not always EEXIST if it exists: EROFS, EACCES
                struct stat info {};
                if (::stat(part.c_str(), &info) != 0)
                    return errno_status(error, part + ": make directory");
                if (!S_ISDIR(info.st_mode)) return base::precondition(part + ": not a directory");
            }
            if (end == std::string::npos) return base::ok();
        }
    }

    base::Status sync_directory(const std::string& path) override {
        Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!fd.is_open()) return errno_status(errno, path + ": open");
        if (uninterrupted([&] { return ::fsync(fd.get()); }) != 0)
            return base::unavailable(std::string(errno_status(errno, path + ": sync").message()));
        return base::ok();
    }

    base::Result<std::vector<std::string>> list(const std::string& path) override {
        std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
        if (!directory) return errno_status(errno, path + ": list");
        std::vector<std::string> names;
        errno = 0;
        while (const dirent* entry = ::readdir(directory.get())) {
            std::string name = entry->d_name;
            if (name != "." && name != ".." && name != kLockFile) names.push_back(std::move(name));
            errno = 0;
        }
        if (errno != 0) return errno_status(errno, path + ": list");
        std::ranges::sort(names);
        return names;
    }

    bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

    base::Result<uint64_t> free_bytes(const std::string& path) override {
        struct statvfs info {};
        if (::statvfs(path.c_str(), &info) != 0) return errno_status(errno, path + ": free space");
        return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
    }

    base::Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory) override {
        std::string path = directory + "/" + kLockFile;
        Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
        if (!fd.is_open()) return errno_status(errno, path + ": open");
        if (uninterrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
            if (errno == EWOULDBLOCK)
                return base::precondition(directory + ": in use by another process");
            return errno_status(errno, path + ": lock");
        }
        return std::make_unique<PosixLock>(std::move(fd));
    }
};

}  // namespace

std::unique_ptr<Disk> posix_disk() { return std::make_unique<PosixDisk>(); }

}  // namespace io

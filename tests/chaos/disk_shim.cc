// Preloaded into a broker's process (LD_PRELOAD), this notes what of its files a power loss could
// not take: power_loss.py cuts back the rest. It also makes syncs slow, or fail, on demand. At the
// level of system calls it sees all that RocksDB does too.
//
// DISK_SHIM_NOTES names the file of notes, of one file system, to which lines are appended:
//   S INODE SIZE    the file survives up to SIZE
//   T INODE SIZE    it was cut to SIZE, which is taken to survive
//   D INODE         the entries of the directory survive
//   C INODE PATH    a new file, of which nothing survives yet
//   R FROM TO       renamed; if TO was there, "K LINK TO" came before: it can be had back
//   U PATH          removed; the same
//   F INODE         a sync was slow, or failed, on purpose
// DISK_SHIM_KEPT names a folder on that file system for what is removed or replaced.
// DISK_SHIM_FAULT names a file that may be there or not: "slow MILLISECONDS", or "fail".
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

template <class F>
F next(const char* name) {
    return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

int notes() {
    static const int descriptor = [] {
        const char* path = std::getenv("DISK_SHIM_NOTES");
        using Open = int (*)(const char*, int, ...);
        return path == nullptr
                   ? -1
                   : next<Open>("open")(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    }();
    return descriptor;
}

[[gnu::format(printf, 1, 2)]] void note(const char* format, ...) {
    if (notes() < 0) return;
    const int before = errno;
    char line[2 * PATH_MAX + 64];
    va_list arguments;
    va_start(arguments, format);
    const int size = std::vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    // One write of a line: it can't be torn between those of other threads and processes.
    if (write(notes(), line, static_cast<size_t>(size)) != size) std::abort();
    errno = before;
}

/// Keeps what is at `path` by another link, so that it can come back.
void keep(const char* path) {
    const char* const folder = std::getenv("DISK_SHIM_KEPT");
    if (notes() < 0 || folder == nullptr) return;
    static std::atomic<unsigned> number{0};
    const int before = errno;
    mkdir(folder, 0755);
    char kept[PATH_MAX];
    const unsigned mine = number++;
    std::snprintf(kept, sizeof kept, "%s/%d.%u", folder, getpid(), mine);
    if (link(path, kept) == 0) note("K %s %s\n", kept, path);
    errno = before;
}

/// Waits, or says that the sync is to fail.
bool fault_of_sync(unsigned long inode) {
    static const char* const path = std::getenv("DISK_SHIM_FAULT");
    if (path == nullptr) return false;
    using Open = int (*)(const char*, int, ...);
    const int before = errno;
    const int file = next<Open>("open")(path, O_RDONLY | O_CLOEXEC);
    errno = before;
    if (file < 0) return false;
    char text[64] = {};
    const ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    errno = before;
    note("F %lu\n", inode);
    if (size >= 4 && std::strncmp(text, "fail", 4) == 0) return true;
    long ms = 0;
    if (std::sscanf(text, "slow %ld", &ms) == 1) {
        timespec time{ms / 1000, ms % 1000 * 1'000'000};
        nanosleep(&time, nullptr);
        errno = before;
    }
    return false;
}

int synced(int file, const char* name) {
    using Sync = int (*)(int);
    if (notes() < 0) return next<Sync>(name)(file);
    struct stat status {};
    const bool known = fstat(file, &status) == 0;
    if (known && fault_of_sync(status.st_ino)) {
        errno = EIO;
        return -1;
    }
    const int result = next<Sync>(name)(file);
    if (result == 0 && known && S_ISREG(status.st_mode))
        note("S %lu %ld\n", status.st_ino, status.st_size);
    if (result == 0 && known && S_ISDIR(status.st_mode)) note("D %lu\n", status.st_ino);
    return result;
}

int cut(int file, off_t size, const char* name) {
    using Cut = int (*)(int, off_t);
    const int result = next<Cut>(name)(file, size);
    struct stat status {};
    if (result == 0 && notes() >= 0 && fstat(file, &status) == 0)
        note("T %lu %ld\n", status.st_ino, static_cast<long>(size));
    return result;
}

template <class Open>
int opened(const char* path, int flags, Open open) {
    const int before = errno;
    const bool is_new = notes() >= 0 && (flags & O_CREAT) != 0 && access(path, F_OK) != 0;
    errno = before;
    const int file = open();
    struct stat status {};
    if (file >= 0 && is_new && fstat(file, &status) == 0) note("C %lu %s\n", status.st_ino, path);
    return file;
}

/// The mode that open() was given after the flags, if any.
#define MODE_OF(flags)                                      \
    mode_t mode = 0;                                        \
    if (((flags) & (O_CREAT | O_TMPFILE)) != 0) {           \
        va_list arguments;                                  \
        va_start(arguments, flags);                         \
        mode = static_cast<mode_t>(va_arg(arguments, int)); \
        va_end(arguments);                                  \
    }

}  // namespace

extern "C" {

int fsync(int file) { return synced(file, "fsync"); }
int fdatasync(int file) { return synced(file, "fdatasync"); }
int ftruncate(int file, off_t size) noexcept { return cut(file, size, "ftruncate"); }
int ftruncate64(int file, off64_t size) noexcept { return cut(file, size, "ftruncate64"); }

int open(const char* path, int flags, ...) {
    MODE_OF(flags)
    return opened(path, flags,
                  [&] { return next<int (*)(const char*, int, ...)>("open")(path, flags, mode); });
}
int open64(const char* path, int flags, ...) {
    MODE_OF(flags)
    return opened(path, flags, [&] {
        return next<int (*)(const char*, int, ...)>("open64")(path, flags, mode);
    });
}
int rename(const char* from, const char* to) noexcept {
    keep(to);
    const int result = next<int (*)(const char*, const char*)>("rename")(from, to);
    if (result == 0) note("R %s %s\n", from, to);
    return result;
}
int unlink(const char* path) noexcept {
    keep(path);
    const int result = next<int (*)(const char*)>("unlink")(path);
    if (result == 0) note("U %s\n", path);
    return result;
}

}  // extern "C"

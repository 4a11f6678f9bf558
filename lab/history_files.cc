#include "lab/history_files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <map>
#include <optional>
#include <utility>

#include "base/check.h"

namespace lab {
namespace {

constexpr size_t written_at_once = 256 << 10;

base::Status failed(const std::string& what, const std::string& path) {
    return base::internal("can't " + what + " " + path + ": " + std::strerror(errno));
}

/// The bytes of a file that nobody cuts meanwhile.
class Mapped {
  public:
    static base::Result<Mapped> open(const std::string& path) {
        const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor < 0) return failed("open", path);
        struct stat status {};
        if (::fstat(descriptor, &status) != 0) {
            ::close(descriptor);
            return failed("look at", path);
        }
        const auto size = static_cast<size_t>(status.st_size);
        void* const at =
            size == 0 ? nullptr : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        ::close(descriptor);
        if (at == MAP_FAILED) return failed("read", path);
        return Mapped(at, size);
    }
    ~Mapped() {
        if (at_ != nullptr) ::munmap(at_, size_);
    }
    Mapped(Mapped&& other) noexcept : at_(std::exchange(other.at_, nullptr)), size_(other.size_) {}
    Mapped& operator=(Mapped&&) = delete;

    base::View bytes() const { return {static_cast<const std::byte*>(at_), size_}; }

  private:
    Mapped(void* at, size_t size) : at_(at), size_(size) {}
    void* at_;
    size_t size_;
};

/// One of the files that are read side by side.
struct Source {
    std::string path;
    Mapped file;
    HistoryDecoder decoder;
    std::map<uint32_t, uint32_t> partitions;  // their numbers here → overall
    Event event;
    bool ended = false;

    base::Status advance() {
        auto more = decoder.next(event);
        if (!more.ok()) return base::data_loss(path + ": " + base::message(more.status()));
        ended = !*more;
        return base::ok();
    }
};

base::Result<std::vector<Source>> open_all(const std::vector<std::string>& paths) {
    std::vector<Source> out;
    out.reserve(paths.size());
    for (const std::string& path : paths) {
        ASSIGN_OR_RETURN(Mapped file, Mapped::open(path));
        auto decoder = HistoryDecoder::begin(file.bytes());
        if (!decoder.ok()) return base::invalid(path + ": " + base::message(decoder.status()));
        if (!out.empty() && decoder->run() != out.front().decoder.run())
            return base::invalid(path + " is of another run than " + out.front().path);
        out.push_back({path, std::move(file), *decoder, {}, {}, false});
        RETURN_IF_ERROR(out.back().advance());
    }
    return out;
}

/// Numbers partitions by their names, the same in all files.
class PartitionNumbers {
  public:
    base::Status renumber(Source& source) {
        Event& event = source.event;
        if (event.op == Op::name_process || event.op == Op::name_group) return base::ok();
        if (event.op == Op::name_partition)
            source.partitions[event.partition] =
                numbers_.try_emplace(event.name, static_cast<uint32_t>(numbers_.size()))
                    .first->second;
        const auto number = source.partitions.find(event.partition);
        if (number == source.partitions.end())
            return base::data_loss(source.path + ": partition " + std::to_string(event.partition) +
                                   " has no name");
        event.partition = number->second;
        return base::ok();
    }

  private:
    std::map<std::string, uint32_t> numbers_;
};

}  // namespace

base::Result<std::unique_ptr<HistoryFile>> HistoryFile::create(const std::string& path,
                                                               uint64_t run) {
    const int descriptor =
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    if (descriptor < 0) return failed("make", path);
    return std::unique_ptr<HistoryFile>(new HistoryFile(descriptor, run));
}

HistoryFile::HistoryFile(int descriptor, uint64_t run)
    : descriptor_(descriptor), run_(run), encoder_(run) {}

HistoryFile::~HistoryFile() {
    write_out();
    ::close(descriptor_);
}

void HistoryFile::add(Event event) {
    const std::lock_guard lock(mutex_);
    timespec now{};
    CHECK(::clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    event.time_ns = now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
    encoder_.add(event);
    if (encoder_.size() >= written_at_once) write_out();
}

base::Status HistoryFile::flush() {
    const std::lock_guard lock(mutex_);
    write_out();
    return health_;
}

void HistoryFile::write_out() {
    const base::Bytes bytes = encoder_.take();
    for (base::View rest = bytes; !rest.empty() && health_.ok();) {
        const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
        if (written >= 0) rest = rest.subspan(static_cast<size_t>(written));
        else if (errno != EINTR) health_ = failed("write", "the history");
    }
}

base::Status read_histories(const std::vector<std::string>& paths,
                            base::Function<base::Status(const Event&)> each) {
    ASSIGN_OR_RETURN(std::vector<Source> sources, open_all(paths));
    PartitionNumbers numbers;
    while (true) {
        Source* first = nullptr;
        for (Source& source : sources)
            if (!source.ended && (first == nullptr || source.event.time_ns < first->event.time_ns))
                first = &source;
        if (first == nullptr) return base::ok();
        RETURN_IF_ERROR(numbers.renumber(*first));
        if (base::Status taken = each(first->event); !taken.ok())
            return base::data_loss(first->path + ": " + base::message(taken));
        RETURN_IF_ERROR(first->advance());
    }
}

base::Result<Report> check_files(const std::vector<std::string>& paths) {
    Checker checker;
    RETURN_IF_ERROR(read_histories(paths, [&](const Event& e) { return checker.add(e); }));
    return checker.finish();
}

}  // namespace lab

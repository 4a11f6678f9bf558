// What the streams between brokers cost: the bytes of a leader's log to a follower's, and the same
// bytes over a plain gRPC stream. Both ends in one process, over loopback.
//
//     streams_bench [MEGABYTES [DIRECTORY]]
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/client_callback.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>

#include "io/posix_disk.h"
#include "io/transport/channel.h"
#include "proto/replication.grpc.pb.h"
#include "replication/streams/chunks.h"
#include "replication/streams/test_broker.h"

namespace replication::streams {
namespace {

namespace v1 = moldau::replication::v1;

constexpr size_t kMessageBytes = 1 << 20;
constexpr size_t kBatchBytes = 64 << 10;
constexpr int kPartitions = 4;

double cpu_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

template <class Work>
void measure(const char* name, double megabytes, Work work) {
    const double cpu = cpu_seconds();
    const auto begun = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    std::printf("%-44s %7.0f MB/s  %.3f CPU s/GB\n", name, megabytes / took.count(),
                (cpu_seconds() - cpu) / megabytes * 1000);
    std::fflush(stdout);
}

/// Sends one buffer so many times.
class Source final
    : public v1::Replication::WithRawCallbackMethod_Follow<v1::Replication::Service> {
  public:
    explicit Source(int messages) : messages_(messages) {}
    grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Follow(
        grpc::CallbackServerContext*) override {
        class Call final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
          public:
            explicit Call(int left) : left_(left) { StartWrite(&buffer_); }
            void OnWriteDone(bool ok) override {
                if (ok && --left_ > 0) StartWrite(&buffer_);
                else Finish(grpc::Status::OK);
            }
            void OnDone() override { delete this; }

          private:
            int left_;
            const grpc::Slice slice_{std::string(kMessageBytes, 'x')};
            grpc::ByteBuffer buffer_{&slice_, 1};
        };
        return new Call(messages_);
    }

  private:
    const int messages_;
};

class Sink final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
  public:
    explicit Sink(const std::shared_ptr<grpc::Channel>& channel) : stub_(channel) {
        stub_.PrepareBidiStreamingCall(&context_, kMethod, {}, this);
        StartRead(&in_);
        StartCall();
    }
    void OnReadDone(bool ok) override {
        if (ok) StartRead(&in_);
    }
    void OnDone(const grpc::Status&) override { done_.set_value(); }
    void wait() { done_.get_future().wait(); }

  private:
    grpc::GenericStub stub_;
    grpc::ClientContext context_;
    grpc::ByteBuffer in_;
    std::promise<void> done_;
};

void plain(const char* name, int megabytes, bool bulk) {
    Source source(megabytes);
    auto server = transport::Server::start({.address = "127.0.0.1:0"}, {&source});
    CHECK(server.ok());
    const auto channel =
        transport::connect("127.0.0.1:" + std::to_string((*server)->port()), {.bulk = bulk});
    measure(name, megabytes * 1.048576, [&] { Sink(channel).wait(); });
    (*server)->stop();
}

void copy(const storage::Log& from, const std::string& directory) {
    storage::MemoryStore store;
    const auto disk = io::posix_disk();
    auto to = storage::Log::open(
        {.directory = directory, .id = {{3, 4}, 0}, .disk = disk.get(), .store = &store}, {}, 0);
    CHECK(to.ok()) << to.status();
    while ((*to)->end() < from.end()) {
        const auto read = from.read((*to)->end(), from.end(), kMessageBytes, true);
        CHECK(read.ok());
        const auto bytes = load(*read);
        CHECK(bytes.ok() && (*to)->append_replicated(bytes->bytes(), 1, 0).ok());
    }
}

void run(int megabytes, const std::string& directory) {
    for (int round = 0; round < 2; ++round) {
        plain("plain gRPC stream, gRPC's settings", megabytes, false);
        plain("plain gRPC stream, settings for bulk", megabytes, true);
    }
    TestBroker a(1, 1, TestBroker::quick(), io::posix_disk(), directory + "/a");
    TestBroker b(2, 1, TestBroker::quick(), io::posix_disk(), directory + "/b");
    TestBroker c(3, 1, TestBroker::quick(), io::posix_disk(), directory + "/c");
    const TestBroker::Ids all{{1}, {2}, {3}};
    for (auto* broker : {&a, &b, &c}) broker->know({&a, &b, &c});
    const auto batches = static_cast<int>(megabytes * (1 << 20) / kBatchBytes / kPartitions);
    for (int i = 0; i < kPartitions; ++i) {
        a.assign(i, {1}, 1, all, {{1}});
        a.append(i, kBatchBytes, batches);
    }
    const double mb = megabytes * 1.048576;
    measure("a log read and appended to another", mb / kPartitions,
            [&] { a.at(0, [&](Partition& p) { copy(p.log(), directory + "/copy"); }); });
    const auto follow = [&](TestBroker& follower) {
        for (int i = 0; i < kPartitions; ++i) follower.assign(i, {1}, 1, all, {{1}});
        for (int i = 0; i < kPartitions; ++i)
            CHECK(soon([&] { return follower.end(i) == batches; }, 600s));
    };
    measure("a follower catches up: read, sent, appended", mb, [&] { follow(b); });
    follow(c);
    measure("appended, and pushed to two followers", mb, [&] {
        for (int n = 0; n < batches; n += 8)
            for (int i = 0; i < kPartitions; ++i) a.append(i, kBatchBytes, 8);
        for (auto* follower : {&b, &c})
            for (int i = 0; i < kPartitions; ++i)
                CHECK(soon([&] { return follower->end(i) == a.end(i); }, 600s));
    });
}

}  // namespace
}  // namespace replication::streams

int main(int argc, char** argv) {
    const int megabytes = argc > 1 ? std::atoi(argv[1]) : 1024;
    const std::filesystem::path base = argc > 2 ? argv[2] : "/tmp";
    const auto directory = base / ("streams_bench." + std::to_string(getpid()));
    std::filesystem::create_directories(directory);
    replication::streams::run(megabytes, directory.string());
    std::filesystem::remove_all(directory);
}

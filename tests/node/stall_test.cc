// A disk that stalls or fails under one of two nodes.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>

#include "broker/node.h"
#include "io/disk_view.h"
#include "io/posix_disk.h"
#include "kafka/messages/create_topics.h"
#include "kafka/messages/metadata.h"
#include "tests/node/node_fixture.h"
#include "tests/node/requests.h"

namespace tests {
namespace {

using kafka::ErrorCode;
using std::chrono::milliseconds;

/// Syncs of files wait while it stalls, and fail where it fails.
class StallingDisk final : public io::DiskView {
  public:
    explicit StallingDisk(std::shared_ptr<io::Disk> disk) : DiskView(*disk), disk_(disk) {}

    /// From now on, of files whose path holds that.
    void fail(const std::string& path) {
        const std::scoped_lock lock(mutex_);
        failing_ = path;
    }
    bool failed() {
        const std::scoped_lock lock(mutex_);
        return !failing_.empty();
    }
    /// New logs go there.
    void prefer(const std::string& path) {
        const std::scoped_lock lock(mutex_);
        preferred_ = path;
    }
    base::Result<uint64_t> free_bytes(const std::string& path) override {
        const std::scoped_lock lock(mutex_);
        return uint64_t{path.find(preferred_) == std::string::npos ? 10u : 20u} << 30;
    }

    void stall(bool stalls) {
        const std::scoped_lock lock(mutex_);
        stalls_ = stalls;
        changed_.notify_all();
    }
    base::Result<std::unique_ptr<io::File>> open(const std::string& path, io::Open how) override {
        ASSIGN_OR_RETURN(auto file, DiskView::open(path, how));
        return std::make_unique<Slow>(std::move(file), *this);
    }

  private:
    class Slow final : public io::File {
      public:
        Slow(std::unique_ptr<io::File> file, StallingDisk& disk)
            : file_(std::move(file)), disk_(disk) {}
        base::Status append(std::span<const base::View> pieces) override {
            return file_->append(pieces);
        }
        base::Result<size_t> read_at(uint64_t position, base::MutableView to) const override {
            return file_->read_at(position, to);
        }
        base::Status sync() override {
            RETURN_IF_ERROR(disk_.wait(path()));
            return file_->sync();
        }
        base::Status truncate(uint64_t size) override { return file_->truncate(size); }
        uint64_t size() const override { return file_->size(); }
        int descriptor() const override { return file_->descriptor(); }
        const std::string& path() const override { return file_->path(); }

      private:
        const std::unique_ptr<io::File> file_;
        StallingDisk& disk_;
    };
    base::Status wait(const std::string& path) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !stalls_; });
        const bool fails = !failing_.empty() && path.find(failing_) != std::string::npos;
        return fails ? base::unavailable(path + ": input/output error") : base::ok();
    }

    const std::shared_ptr<io::Disk> disk_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stalls_ = false;
    std::string failing_, preferred_;
};

uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
    CHECK(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    ::close(fd);
    return ntohs(address.sin_port);
}

class TwoNodes : public testing::Test {
  protected:
    TwoNodes() {
        std::string path = std::filesystem::temp_directory_path() / "moldau-stall-XXXXXX";
        CHECK(::mkdtemp(path.data()) != nullptr);
        folder_ = path;
        for (int32_t id : {0, 1})
            voters_.push_back({base::BrokerId{id}, "127.0.0.1:" + std::to_string(free_port())});
        auto other = std::async(std::launch::async, [&] { return start(1, io::posix_disk()); });
        nodes_.push_back(start(0, disk));
        nodes_.push_back(other.get());
    }
    ~TwoNodes() override {
        disk->stall(false);
        clients_.clear();
        // At once, as neither alone can decide that the other may stop.
        auto other = std::async(std::launch::async, [&] { return nodes_[1]->stop(); });
        EXPECT_EQ(nodes_[0]->stop().ok(), !disk->failed());
        EXPECT_TRUE(other.get().ok());
        nodes_.clear();
        std::filesystem::remove_all(folder_);
    }

    Peer& client(size_t id) {
        clients_.resize(2);
        if (!clients_[id]) clients_[id] = std::make_unique<Peer>(nodes_[id]->addresses().front());
        return *clients_[id];
    }
    /// Of one partition, with a replica on each, of which one is enough.
    void create(const std::string& name, int32_t leader) {
        kafka::CreateTopicsRequest request;
        auto& topic = request.topics.emplace_back();
        topic.name = name;
        topic.num_partitions = -1;
        topic.replication_factor = -1;
        topic.assignments = {{0, {leader, 1 - leader}}};
        topic.configs = {{"min.insync.replicas", "1"}};
        ASSERT_EQ(client(0).call<kafka::CreateTopicsResponse>(request, 7).topics.at(0).error_code,
                  ErrorCode::none);
        ASSERT_TRUE(comes_to_lead(leader, name));
    }
    ErrorCode produced(const std::string& topic, size_t to) {
        const auto batch = batch_of({"value"});
        return client(to)
            .call<kafka::ProduceResponse>(produce(topic, 0, batch), 9)
            .responses.at(0)
            .partition_responses.at(0)
            .error_code;
    }
    kafka::MetadataResponse metadata(size_t of, const std::string& topic) {
        kafka::MetadataRequest request;
        request.topics->push_back({.topic_id = {}, .name = topic});
        request.allow_auto_topic_creation = false;
        return client(of).call<kafka::MetadataResponse>(request, 12);
    }
    template <class Condition>
    bool comes(Condition condition, const std::string& topic = "t") {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (std::chrono::steady_clock::now() < end) {
            if (condition(metadata(1, topic))) return true;
            std::this_thread::sleep_for(milliseconds(20));
        }
        return false;
    }
    bool comes_to_lead(int32_t id, const std::string& topic = "t") {
        return comes(
            [&](const auto& now) {
                return now.topics.at(0).partitions.size() == 1 &&
                       now.topics[0].partitions[0].leader_id == id;
            },
            topic);
    }
    bool comes_to_be_alone(int32_t id, const std::string& topic) {
        return comes(
            [&](const auto& now) {
                return now.topics.at(0).partitions.at(0).isr_nodes == std::vector<int32_t>{id};
            },
            topic);
    }

    std::shared_ptr<StallingDisk> disk = std::make_shared<StallingDisk>(io::posix_disk());

  private:
    std::unique_ptr<broker::Node> start(int32_t id, std::shared_ptr<io::Disk> on) {
        broker::Settings s;
        s.id = base::BrokerId{id};
        s.cluster.voters = voters_;
        s.cluster.listen = s.cluster.address = voters_[static_cast<size_t>(id)].address;
        s.cluster.heartbeat = milliseconds(100);
        s.cluster.session = milliseconds(6000);
        s.cluster.stall = milliseconds(1000);
        s.listeners = {
            {.host = "127.0.0.1", .port = 0, .advertised_host = "127.0.0.1", .advertised_port = 0}};
        s.log_dirs = {folder_ + "/" + std::to_string(id),
                      folder_ + "/second-" + std::to_string(id)};
        s.metadata_dir = s.log_dirs.front();
        s.shards = 2;
        auto node = broker::Node::start(s, std::move(on));
        CHECK(node.ok()) << node.status();
        return *std::move(node);
    }

    std::string folder_;
    std::vector<broker::VoterSettings> voters_;
    std::vector<std::unique_ptr<broker::Node>> nodes_;
    std::vector<std::unique_ptr<Peer>> clients_;
};

TEST_F(TwoNodes, ALeaderWhoseDiskStallsLosesLeadershipAndComesBack) {
    create("t", 0);
    disk->stall(true);
    const auto batch = batch_of({"waits for the disk"});
    client(0).send(produce("t", 0, batch), 9);
    EXPECT_TRUE(comes_to_lead(1));
    EXPECT_TRUE(comes([](const auto& now) { return now.brokers.size() == 1; })) << "it is fenced";

    disk->stall(false);
    EXPECT_TRUE(comes([](const auto& now) { return now.brokers.size() == 2; })) << "it is back";
}

TEST_F(TwoNodes, ALogDirectoryThatFailsLosesItsLeadershipsAndNoOthers) {
    disk->prefer("/second-0");
    create("hit", 0);
    create("beside", 0);
    create("followed", 1);
    disk->prefer("nothing");
    create("elsewhere", 0);
    for (const auto* topic : {"hit", "beside", "elsewhere"})
        ASSERT_EQ(produced(topic, 0), ErrorCode::none) << topic;
    ASSERT_EQ(produced("followed", 1), ErrorCode::none);

    disk->fail("/second-0");
    EXPECT_EQ(produced("hit", 0), ErrorCode::kafka_storage_error);
    for (const auto* topic : {"hit", "beside", "followed"}) {
        EXPECT_TRUE(comes_to_lead(1, topic)) << topic;
        EXPECT_TRUE(comes_to_be_alone(1, topic)) << topic;
        EXPECT_EQ(produced(topic, 1), ErrorCode::none) << topic;
    }
    EXPECT_TRUE(comes_to_lead(0, "elsewhere"));
    EXPECT_EQ(produced("elsewhere", 0), ErrorCode::none);
    EXPECT_TRUE(comes([](const auto& now) { return now.brokers.size() == 2; }, "elsewhere"));
}

}  // namespace
}  // namespace tests

#include "tests/node/node_fixture.h"

#include <array>
#include <cstdlib>
#include <filesystem>

#include "base/endian.h"
#include "kafka/messages/create_topics.h"
#include "kafka/records/batch.h"
#include "kafka/records/builder.h"
#include "kafka/records/records.h"

namespace tests {

namespace {

cli::Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(30); }

cli::Socket connect_to(const std::string& address) {
    const auto endpoints = cli::parse_endpoints(address);
    CHECK(endpoints.ok());
    auto socket = cli::Socket::connect(endpoints->front(), soon());
    CHECK(socket.ok()) << socket.status();
    return *std::move(socket);
}

}  // namespace

Peer::Peer(const std::string& address) : socket_(connect_to(address)) {}

void Peer::write(base::View bytes) {
    const auto status = socket_.write(bytes, soon());
    EXPECT_TRUE(status.ok()) << status;
}

base::Bytes Peer::read_frame() {
    std::array<std::byte, 4> length;
    const auto status = socket_.read(length, soon());
    EXPECT_TRUE(status.ok()) << status;
    if (!status.ok()) return {};
    base::Bytes frame(static_cast<size_t>(base::load_be<int32_t>(length.data())));
    EXPECT_TRUE(socket_.read(frame, soon()).ok());
    return frame;
}

bool Peer::closed() {
    std::array<std::byte, 1> one;
    return socket_.read(one, soon()).code() == absl::StatusCode::kUnavailable;
}

NodeTest::NodeTest() {
    std::string path = std::filesystem::temp_directory_path() / "moldau-node-XXXXXX";
    CHECK(::mkdtemp(path.data()) != nullptr);
    folder_ = path;
    settings_.listeners = {
        {.host = "127.0.0.1", .port = 0, .advertised_host = "127.0.0.1", .advertised_port = 0}};
    settings_.log_dirs = {folder_ + "/data"};
    settings_.metadata_dir = settings_.log_dirs.front();
    settings_.shards = 2;
    settings_.offsets_partitions = 2;
    settings_.static_configs = {{"offsets.topic.num.partitions", "2"},
                                {"default.replication.factor", "1"}};
    settings_.groups.initial_rebalance_delay_ms = 0;
    start();
}

NodeTest::~NodeTest() {
    stop();
    std::filesystem::remove_all(folder_);
}

void NodeTest::start() {
    auto node = disk_ ? broker::Node::start(settings_, disk_) : broker::Node::start(settings_);
    ASSERT_TRUE(node.ok()) << node.status();
    node_ = *std::move(node);
}

Peer& NodeTest::client() {
    if (!client_) client_ = std::make_unique<Peer>(connect());
    return *client_;
}

void NodeTest::stop(bool clean) {
    client_.reset();
    if (node_) {
        const auto status = node_->stop();
        EXPECT_EQ(status.ok(), clean) << status;
    }
    node_.reset();
}

void NodeTest::create_topic(const std::string& name, int32_t partitions,
                            const std::vector<std::pair<std::string, std::string>>& configs) {
    kafka::CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = partitions;
    topic.replication_factor = 1;
    for (const auto& [key, value] : configs) topic.configs.push_back({key, value});
    const auto response = client().call<kafka::CreateTopicsResponse>(request, 7);
    ASSERT_EQ(response.topics.size(), 1u);
    ASSERT_EQ(response.topics[0].error_code, kafka::ErrorCode::none)
        << response.topics[0].error_message.value_or("");
}

base::Bytes batch_of(const std::vector<std::string>& values) {
    kafka::BatchBuilder builder;
    for (const auto& value : values)
        builder.add({.timestamp = 1'700'000'000'000, .value = base::as_bytes(value)});
    return std::move(builder).build();
}

std::vector<std::string> values_in(base::View batches) {
    std::vector<std::string> values;
    while (const auto batch = kafka::take_batch(batches)) {
        kafka::RecordReader reader(*batch, batch->records());
        while (reader.next()) values.emplace_back(base::as_text(*reader.record().value));
        EXPECT_TRUE(reader.ok()) << reader.error();
    }
    return values;
}

}  // namespace tests

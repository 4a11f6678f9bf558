#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "broker/node.h"
#include "cli/socket.h"
#include "io/disk.h"
#include "kafka/header.h"

namespace tests {

/// A client's connection that sends what it is told to, several requests at once if need be.
class Peer {
  public:
    explicit Peer(const std::string& address);

    template <class Request>
    int32_t send(const Request& request, kafka::Version version) {
        write(kafka::encode_request(++correlation_id_, "peer", request, version).bytes);
        return correlation_id_;
    }
    /// The next answer, which must be to `correlation_id`.
    template <class Response>
    Response receive(int32_t correlation_id, kafka::Version version) {
        frames_.push_back(read_frame());
        base::View in = frames_.back();
        const auto id = kafka::read_response_header(in, Response::api, version);
        EXPECT_TRUE(id.ok() && *id == correlation_id) << "answers come in the order of requests";
        auto response = kafka::decode<Response>(in, version);
        EXPECT_TRUE(response.ok()) << response.status();
        return response.ok() ? *std::move(response) : Response{};
    }
    template <class Response, class Request>
    Response call(const Request& request, kafka::Version version) {
        return receive<Response>(send(request, version), version);
    }

    void write(base::View bytes);
    /// The next frame, without its length.
    base::Bytes read_frame();
    /// Whether the broker drops the connection (and does not answer before).
    bool closed();

  private:
    cli::Socket socket_;
    int32_t correlation_id_ = 0;
    std::vector<base::Bytes> frames_;  // records of responses point into them
};

/// A node of its own for each test, in a folder that goes with it.
class NodeTest : public testing::Test {
  protected:
    NodeTest();
    ~NodeTest() override;

    void start();
    /// `clean`: closes without an error.
    void stop(bool clean = true);
    Peer connect() { return Peer(node_->addresses().front()); }
    /// A connection that lasts until the node stops, and with it what it received.
    Peer& client();
    void create_topic(const std::string& name, int32_t partitions = 1,
                      const std::vector<std::pair<std::string, std::string>>& configs = {});

    broker::Settings settings_;
    std::shared_ptr<io::Disk> disk_;  // none: the real one

  private:
    std::string folder_;
    std::unique_ptr<broker::Node> node_;
    std::unique_ptr<Peer> client_;
};

/// A batch of records with these values.
base::Bytes batch_of(const std::vector<std::string>& values);
/// The values of all records in the batches.
std::vector<std::string> values_in(base::View batches);

}  // namespace tests

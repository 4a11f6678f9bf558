#pragma once
#include <memory>
#include <string>
#include <vector>

namespace grpc {
class Service;
}

namespace transport {

/// Tells tools what a server serves (proto/reflection_v1.proto). gRPC's own would hold a thread for
/// each that asks.
class Reflection {
  public:
    /// `services` by their full names; their .proto files are told, and what these import.
    explicit Reflection(const std::vector<std::string>& services);
    ~Reflection();

    /// For the server, which is stopped before this is destroyed.
    std::vector<grpc::Service*> services();

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace transport

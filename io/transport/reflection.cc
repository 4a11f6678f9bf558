#include "io/transport/reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/status.h>

#include <set>

#include "proto/reflection_v1.grpc.pb.h"
#include "proto/reflection_v1alpha.grpc.pb.h"

namespace transport {

namespace {

namespace v1 = grpc::reflection::v1;
namespace v1alpha = grpc::reflection::v1alpha;
using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using Request = v1::ServerReflectionRequest;
using Response = v1::ServerReflectionResponse;
using Reactor = grpc::ServerBidiReactor<Request, Response>;

// Nobody has longer names.
constexpr size_t kMostRequestBytes = 4096;

/// What may be told.
struct Known {
    std::vector<std::string> services;
    std::set<const FileDescriptor*> files;

    void add(const FileDescriptor* file) {
        if (file == nullptr || !files.insert(file).second) return;
        for (int i = 0; i < file->dependency_count(); ++i) add(file->dependency(i));
    }

    void put(const FileDescriptor* file, std::set<const FileDescriptor*>& told,
             Response& out) const {
        if (!files.contains(file) || !told.insert(file).second) return;
        google::protobuf::FileDescriptorProto proto;
        file->CopyTo(&proto);
        proto.SerializeToString(
            out.mutable_file_descriptor_response()->add_file_descriptor_proto());
        for (int i = 0; i < file->dependency_count(); ++i) put(file->dependency(i), told, out);
    }

    Response answer(const Request& request) const {
        Response out;
        const auto& pool = *DescriptorPool::generated_pool();
        std::set<const FileDescriptor*> told;
        if (request.ByteSizeLong() > kMostRequestBytes)
            return refused(grpc::StatusCode::INVALID_ARGUMENT, "the request is too long");
        *out.mutable_original_request() = request;
        switch (request.message_request_case()) {
            case Request::kListServices:
                for (const auto& name : services)
                    out.mutable_list_services_response()->add_service()->set_name(name);
                return out;
            case Request::kFileByFilename:
                put(pool.FindFileByName(request.file_by_filename()), told, out);
                break;
            case Request::kFileContainingSymbol:
                put(pool.FindFileContainingSymbol(request.file_containing_symbol()), told, out);
                break;
            default:
                return refused(grpc::StatusCode::UNIMPLEMENTED, "extensions are not used");
        }
        return told.empty() ? refused(grpc::StatusCode::NOT_FOUND, "it is not known here") : out;
    }

    static Response refused(grpc::StatusCode code, const char* why) {
        Response out;
        out.mutable_error_response()->set_error_code(code);
        out.mutable_error_response()->set_error_message(why);
        return out;
    }
};

/// One tool's questions, one at a time.
class Questions final : public Reactor {
  public:
    explicit Questions(const Known& known) : known_(known) { StartRead(&request_); }

    void OnReadDone(bool ok) override {
        if (!ok) return Finish(grpc::Status::OK);
        response_ = known_.answer(request_);
        StartWrite(&response_);
    }
    void OnWriteDone(bool ok) override {
        if (!ok) return Finish(grpc::Status::CANCELLED);
        StartRead(&request_);
    }
    void OnDone() override { delete this; }

  private:
    const Known& known_;
    Request request_;
    Response response_;
};

template <class Service>
class Answering final : public Service::CallbackService {
  public:
    explicit Answering(const Known& known) : known_(known) {}
    Reactor* ServerReflectionInfo(grpc::CallbackServerContext*) override {
        return new Questions(known_);
    }

  private:
    const Known& known_;
};

}  // namespace

struct Reflection::Parts {
    Known known;
    Answering<v1::ServerReflection> newer{known};
    Answering<v1alpha::ServerReflection> older{known};
};

Reflection::Reflection(const std::vector<std::string>& services)
    : parts_(std::make_unique<Parts>()) {
    parts_->known.services = services;
    for (const auto& name : services)
        parts_->known.add(DescriptorPool::generated_pool()->FindFileContainingSymbol(name));
}

Reflection::~Reflection() = default;

std::vector<grpc::Service*> Reflection::services() { return {&parts_->newer, &parts_->older}; }

}  // namespace transport

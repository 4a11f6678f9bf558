#include "io/transport/connection.h"

#include <grpc/grpc.h>

namespace transport {

std::span<const std::pair<const char*, int>> connection_arguments() {
    static constexpr std::pair<const char*, int> kArguments[] = {
        // Most streams are silent in one direction, so nothing may limit the keep-alive probes.
        {GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0},
        {GRPC_ARG_ENABLE_CHANNELZ, 0},
        // Probes of the bandwidth are pings after reads: in an idle cluster they cost more than all
        // that it has to say. Without them a connection's window is 64 KiB and what the message in
        // work still lacks, so batches of 1 MiB take one and a half round trips each; in gRPC 1.51
        // no argument makes it larger.
        {GRPC_ARG_HTTP2_BDP_PROBE, 0},
    };
    return kArguments;
}

}  // namespace transport

#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "io/socket.h"

namespace io {

/// "address:port", "[address]:port" for IPv6; an IPv4 address mapped into IPv6 shows as IPv4.
std::string text_of(const boost::asio::ip::tcp::endpoint&);

/// A stream on a connected socket of the shard's event loop.
std::unique_ptr<Stream> make_stream(Shard&, boost::asio::ip::tcp::socket socket);

}  // namespace io

// How TLS to a server is verified: the system's authorities or a PEM file, the host's name, TLS 1.2
// at least. One TlsClient a transport, on one worker's thread.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "base/result.h"
#include "downstream/http_socket.h"

namespace switchyard::downstream {

using TlsStream = net::ssl::stream<HttpSocket&>;

class TlsClient {
 public:
  // `authorities`: a PEM file, "" = the system's.
  static Result<std::unique_ptr<TlsClient>> Make(const std::string& authorities);

  // A stream over a connected socket, which outlives it, ready to shake hands with `host`.
  Result<std::unique_ptr<TlsStream>> Wrap(HttpSocket& socket, const std::string& host);

 private:
  TlsClient();
  net::ssl::context context_;
};

// Why a handshake failed, in words: the certificate's fault when it was that.
std::string HandshakeProblem(TlsStream& stream, const boost::system::error_code& error);

}  // namespace switchyard::downstream

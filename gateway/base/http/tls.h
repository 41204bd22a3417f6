// How TLS to a server is verified: the system's authorities or a PEM file, and the host's name; or
// the one certificate that it may show, whatever name and authority that has. TLS 1.2 at least. One
// TlsClient a transport, made once; Wrap() may be called on any thread, and what it gives is used
// on one.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <openssl/x509.h>

#include "base/http/socket.h"
#include "base/result.h"

namespace switchyard::http {

using TlsStream = net::ssl::stream<Socket&>;

struct TlsTrust {
  std::string authorities = {};  // a PEM file, "" = the system's
  std::string pin = {};          // a PEM file of the certificate, "" = by authorities and name
};

class TlsClient {
 public:
  static Result<std::unique_ptr<TlsClient>> Make(const TlsTrust& trust);

  // A stream over a connected socket, which outlives it, ready to shake hands with `host`.
  Result<std::unique_ptr<TlsStream>> Wrap(Socket& socket, const std::string& host);

 private:
  struct FreeCertificate {
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  TlsClient();
  Result<void> Pin(const std::string& file);

  net::ssl::context context_;
  std::unique_ptr<X509, FreeCertificate> pinned_;  // the context's callback has it
};

// Why a handshake failed, in words: the certificate's fault when it was that.
std::string HandshakeProblem(TlsStream& stream, const boost::system::error_code& error);

}  // namespace switchyard::http

#include "base/http/tls.h"

#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace switchyard::http {
namespace {

// Instead of OpenSSL's own verification: is it that very certificate.
int IsPinned(X509_STORE_CTX* store, void* pinned) {
  const X509* const shown = X509_STORE_CTX_get0_cert(store);
  const bool same = shown != nullptr && X509_cmp(shown, static_cast<const X509*>(pinned)) == 0;
  X509_STORE_CTX_set_error(store, same ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
  return same ? 1 : 0;
}

}  // namespace

TlsClient::TlsClient() : context_(net::ssl::context::tls_client) {}

Result<void> TlsClient::Pin(const std::string& file) {
  const std::unique_ptr<BIO, int (*)(BIO*)> from(BIO_new_file(file.c_str(), "r"), BIO_free);
  if (from != nullptr) pinned_.reset(PEM_read_bio_X509(from.get(), nullptr, nullptr, nullptr));
  if (pinned_ == nullptr) {
    return Failure(Code::kInternal, Origin::kGateway, "the pinned TLS certificate cannot be read",
                   file);
  }
  SSL_CTX_set_cert_verify_callback(context_.native_handle(), IsPinned, pinned_.get());
  return {};
}

Result<std::unique_ptr<TlsClient>> TlsClient::Make(const TlsTrust& trust) {
  const std::string& authorities = trust.authorities;
  std::unique_ptr<TlsClient> client(new TlsClient);
  boost::system::error_code error;
  if (!trust.pin.empty()) {
    if (Result<void> pinned = client->Pin(trust.pin); !pinned) {
      return Failure(std::move(pinned.error()));
    }
  } else if (authorities.empty()) {
    static_cast<void>(client->context_.set_default_verify_paths(error));
  } else {
    static_cast<void>(client->context_.load_verify_file(authorities, error));
  }
  if (error) {
    return Failure(Code::kInternal, Origin::kGateway, "TLS authorities cannot be read",
                   authorities + ": " + error.message());
  }
  SSL_CTX* native = client->context_.native_handle();
  constexpr unsigned char kAlpn[] = "\x08http/1.1";
  // SSL_CTX_set_alpn_protos gives 0 for success.
  if (SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_alpn_protos(native, kAlpn, sizeof kAlpn - 1) != 0) {
    return Failure(Code::kInternal, Origin::kGateway, "TLS cannot be set up");
  }
  static_cast<void>(client->context_.set_verify_mode(net::ssl::verify_peer, error));
  return client;
}

Result<std::unique_ptr<TlsStream>> TlsClient::Wrap(Socket& socket, const std::string& host) {
  auto stream = std::make_unique<TlsStream>(socket, context_);
  boost::system::error_code error;
  static_cast<void>(net::ip::make_address(host, error));
  const bool is_name = error.failed();
  // An address never goes into SNI (RFC 6066, 3).
  if (is_name && SSL_set_tlsext_host_name(stream->native_handle(), host.c_str()) != 1) {
    return Failure(Code::kInternal, Origin::kGateway, "TLS server name cannot be set");
  }
  if (pinned_ != nullptr) return stream;
  static_cast<void>(stream->set_verify_callback(net::ssl::host_name_verification(host), error));
  if (error) return Failure(Code::kInternal, Origin::kGateway, "TLS cannot be set up");
  return stream;
}

std::string HandshakeProblem(TlsStream& stream, const boost::system::error_code& error) {
  const long verified = SSL_get_verify_result(stream.native_handle());
  if (verified != X509_V_OK) {
    return std::string("TLS: ") + X509_verify_cert_error_string(verified);
  }
  // The name check is a callback of ours, which leaves no verify result.
  if (error.message().contains("certificate verify failed")) {
    return "TLS: the certificate is for another host";
  }
  return "TLS: " + error.message();
}

}  // namespace switchyard::http

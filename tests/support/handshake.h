// A client of TLS by OpenSSL's own blocking functions, for what a handshake refuses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "support/scripted_http_server.h"
#include "support/wire.h"

namespace switchyard::tests {

// One connection. Which certificate the peer showed, and what it answered to a request.
class Handshake {
 public:
  struct Options {
    std::string certificate = {}, key = {};  // PEM files
    int newest = TLS1_3_VERSION;
    const char* protocols = "\x08http/1.1";
  };
  Handshake(std::uint16_t port, const Options& options)
      : context_(SSL_CTX_new(TLS_client_method())), wire_(Wire::Connect(port)) {
    SSL_CTX_set_max_proto_version(context_, options.newest);
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_security_level(context_, 0);  // so that old versions are really offered
    SSL_CTX_set_alpn_protos(context_, reinterpret_cast<const unsigned char*>(options.protocols),
                            static_cast<unsigned>(std::string_view(options.protocols).size()));
    if (!options.certificate.empty()) {
      SSL_CTX_use_certificate_chain_file(context_, options.certificate.c_str());
      SSL_CTX_use_PrivateKey_file(context_, options.key.c_str(), SSL_FILETYPE_PEM);
    }
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, wire_.fd());
    connected_ = SSL_connect(ssl_) == 1;
  }
  Handshake(const Handshake&) = delete;
  ~Handshake() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ERR_clear_error();
  }

  bool connected() const { return connected_; }
  std::string Ask(std::string_view request) {
    std::string answer;
    if (!connected_ || SSL_write(ssl_, request.data(), static_cast<int>(request.size())) <= 0) {
      return answer;
    }
    char some[4096];
    for (int count = 0; (count = SSL_read(ssl_, some, sizeof some)) > 0;) {
      answer.append(some, static_cast<std::size_t>(count));
      ++reads_;
    }
    ended_in_order_ = SSL_get_error(ssl_, 0) == SSL_ERROR_ZERO_RETURN;
    return answer;
  }
  int reads() const { return reads_; }  // one gives no more than a record has
  bool ended_in_order() const { return ended_in_order_; }
  bool Showed(const TestCertificate& certificate) const {
    X509* const shown = SSL_get0_peer_certificate(ssl_);
    if (shown == nullptr) return false;
    BIO* const text = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(text, shown);
    char* data = nullptr;
    const long size = BIO_get_mem_data(text, &data);
    const bool same =
        certificate.certificate_pem == std::string_view(data, static_cast<std::size_t>(size));
    BIO_free(text);
    return same;
  }

 private:
  SSL_CTX* context_;
  SSL* ssl_ = nullptr;
  Wire wire_;
  bool connected_ = false, ended_in_order_ = false;
  int reads_ = 0;
};

}  // namespace switchyard::tests

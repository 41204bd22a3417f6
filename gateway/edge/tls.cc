#include "edge/tls.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <iterator>
#include <utility>

#include <climits>
#include <openssl/bio.h>
#include <openssl/buffer.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <spdlog/spdlog.h>

#include "config/config.h"
#include "edge/tls_certificate.h"

namespace switchyard::edge {
namespace {

// What a client of plain HTTP is told: the most common mistake.
constexpr std::string_view kSpeakHttps =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 48\r\n"
    "Connection: close\r\n\r\nthis port speaks TLS: write https:// in the URL\n";

constexpr std::size_t kTrim = 16 * 1024;
constexpr std::size_t kKept = 4 * 1024;  // by a buffer that holds nothing

// Of OpenSSL, which gives back no room of a BIO in memory.
bool IsLargeAndEmpty(BIO* bio) {
  BUF_MEM* memory = nullptr;
  BIO_get_mem_ptr(bio, &memory);
  return BIO_pending(bio) == 0 && memory->max > kKept;
}

// The newest problem of this thread in words; the others are dropped with it.
std::string Problem() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown error";
}

std::unexpected<Error> Broken(const char* key, const std::string& file) {
  return Failure(Code::kInvalid, Origin::kGateway,
                 std::string("listen.tls.") + key + ": " + file + ": " + Problem());
}

int SelectHttp(SSL* /*ssl*/, const unsigned char** out, unsigned char* size,
               const unsigned char* offered, unsigned offered_size, void* /*unused*/) {
  static constexpr std::array<unsigned char, 9> kHttp = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, size, kHttp.data(), kHttp.size(), offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// What cannot be read is an error of what comes next.
std::string TextOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TlsServer::TlsServer() : context_(SSL_CTX_new(TLS_server_method())) {}

TlsServer::~TlsServer() { SSL_CTX_free(context_); }

Result<std::shared_ptr<const TlsServer>> TlsServer::Make(const config::Tls& settings) {
  const std::shared_ptr<TlsServer> server(new TlsServer);
  SSL_CTX* const context = server->context_;
  ERR_clear_error();
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
    return Failure(Code::kInternal, Origin::kGateway, "TLS cannot be set up: " + Problem());
  }
  // A client cannot make the server compute anew at will, and an end without notice is one as well:
  // HTTP says itself how long a message is.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, SelectHttp, nullptr);
  // There is nobody to ask for the password of a key.
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return -1; });
  if (SSL_CTX_use_certificate_chain_file(context, settings.certificate.c_str()) != 1) {
    return Broken("certificate", settings.certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(context, settings.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {  // that certificate's
    return Broken("key", settings.key);
  }
  if (settings.client_ca.empty()) return server;
  const std::string authorities = TextOf(settings.client_ca);
  if (SSL_CTX_load_verify_file(context, settings.client_ca.c_str()) != 1) {
    return Broken("client_ca", settings.client_ca);
  }
  // So that clients with several certificates know which one is meant.
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(settings.client_ca.c_str()));
  static constexpr unsigned char kName[] = "switchyard";  // of sessions that are resumed
  SSL_CTX_set_session_id_context(context, kName, sizeof kName - 1);
  const bool required = settings.client_certificate == config::Tls::ClientCertificate::kRequired;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  server->trust_ =
      std::hash<std::string>()(authorities + (required ? "required" : "optional")) | 1U;
  return server;
}

std::unique_ptr<TlsSession> TlsServer::Accept() const {
  SSL* const ssl = SSL_new(context_);
  return ssl == nullptr ? nullptr : std::make_unique<TlsSession>(ssl, trust_);
}

TlsSession::TlsSession(SSL* ssl, std::size_t trust) : ssl_(ssl), trust_(trust) {
  SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_accept_state(ssl_);
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

bool TlsSession::Put(std::string_view received) {
  if (ended_) return false;
  BIO_write(SSL_get_rbio(ssl_), received.data(), static_cast<int>(received.size()));
  if (!open_) Advance();
  return !ended_;
}

void TlsSession::Advance() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  open_ = result == 1;
  if (!open_) Judge(result);
  Collect();
}

// Waiting for more is no end.
void TlsSession::Judge(int result) {
  const int why = SSL_get_error(ssl_, result);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return;
  ended_ = true;
  if (why == SSL_ERROR_ZERO_RETURN) return;
  if (!open_ && ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) {
    BIO_reset(SSL_get_wbio(ssl_));  // an alert that nobody would understand
    to_send_ = kSpeakHttps;
  }
  spdlog::debug("TLS with a client ended: {}", Problem());
}

std::size_t TlsSession::Take(char* into, std::size_t room) {
  std::size_t taken = 0;
  while (open_ && !ended_ && taken < room) {
    ERR_clear_error();
    const int result = SSL_read(ssl_, into + taken,
                                static_cast<int>(std::min<std::size_t>(room - taken, INT_MAX)));
    if (result <= 0) {
      Judge(result);
      break;
    }
    taken += static_cast<std::size_t>(result);
  }
  Collect();  // a change of keys is answered
  return taken;
}

bool TlsSession::Write(std::string_view text) {
  if (!open_ || ended_) return false;
  ERR_clear_error();
  const int result = SSL_write(ssl_, text.data(), static_cast<int>(text.size()));
  if (result <= 0) Judge(result);
  Collect();
  return result > 0;
}

const auth::ClientCertificate* TlsSession::certificate() {
  if (open_ && !std::exchange(looked_, true)) certificate_ = CertificateOf(ssl_);
  return certificate_.get();
}

void TlsSession::End() {
  if (!open_ || ended_) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
  Collect();
}

void TlsSession::Collect() {
  BIO* const out = SSL_get_wbio(ssl_);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  if (size <= 0) return;
  to_send_.append(data, static_cast<std::size_t>(size));
  BIO_reset(out);
}

void TlsSession::Shrink() {
  if (IsLargeAndEmpty(SSL_get_rbio(ssl_))) SSL_set0_rbio(ssl_, BIO_new(BIO_s_mem()));
  if (IsLargeAndEmpty(SSL_get_wbio(ssl_))) SSL_set0_wbio(ssl_, BIO_new(BIO_s_mem()));
}

std::string_view TlsSession::ToSend() const { return std::string_view(to_send_).substr(sent_); }

void TlsSession::Sent(std::size_t bytes) {
  sent_ += bytes;
  if (sent_ < to_send_.size()) {
    // A client that always leaves something unread does not make it grow.
    if (sent_ < kTrim) return;
    to_send_.erase(0, sent_);
    sent_ = 0;
    return;
  }
  // Kept for the next record, unless it was a big one.
  if (to_send_.capacity() > kKept) to_send_ = {};
  to_send_.clear();
  sent_ = 0;
}

}  // namespace switchyard::edge

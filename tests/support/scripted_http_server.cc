#include "support/scripted_http_server.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace switchyard::tests {
namespace {

template <class T, auto kFree>
struct Freer {
  void operator()(T* object) const { kFree(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509, X509_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO, BIO_free_all>>;

template <class Write>
std::string Pem(Write write) {
  Bio bio(BIO_new(BIO_s_mem()));
  if (write(bio.get()) != 1) throw std::runtime_error("PEM");
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

void Extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  if (extension == nullptr) throw std::runtime_error("extension " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate MakeCertificate(const std::string& name, EVP_PKEY* key, X509* issuer,
                            EVP_PKEY* issuer_key) {
  Certificate made(X509_new());
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), issuer == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 86400);
  X509_set_pubkey(made.get(), key);
  X509_NAME* subject = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509* const from = issuer == nullptr ? made.get() : issuer;
  X509_set_issuer_name(made.get(), X509_get_subject_name(from));
  if (issuer == nullptr) {
    Extend(made.get(), from, NID_basic_constraints, "critical,CA:TRUE");
  } else {
    Extend(made.get(), from, NID_subject_alt_name, "DNS:" + name);
  }
  X509_sign(made.get(), issuer_key, EVP_sha256());
  return made;
}

}  // namespace

TestCertificate TestCertificate::For(const std::string& host) {
  Key authority_key(EVP_EC_gen("P-256"));
  Key key(EVP_EC_gen("P-256"));
  Certificate authority =
      MakeCertificate("test authority", authority_key.get(), nullptr, authority_key.get());
  Certificate leaf = MakeCertificate(host, key.get(), authority.get(), authority_key.get());
  return {
      .authority_pem = Pem([&](BIO* b) { return PEM_write_bio_X509(b, authority.get()); }),
      .certificate_pem = Pem([&](BIO* b) { return PEM_write_bio_X509(b, leaf.get()); }),
      .key_pem = Pem([&](BIO* b) {
        return PEM_write_bio_PrivateKey(b, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
      }),
  };
}

TextFile::TextFile(std::string_view text) {
  const char* folder = std::getenv("TMPDIR");
  path_ = std::string(folder == nullptr ? "/tmp" : folder) + "/switchyard-test-XXXXXX";
  const int file = ::mkstemp(path_.data());
  if (file < 0) throw std::runtime_error("mkstemp");
  const ssize_t written = ::write(file, text.data(), text.size());
  ::close(file);
  if (written != static_cast<ssize_t>(text.size())) throw std::runtime_error("write");
}

TextFile::~TextFile() { ::unlink(path_.c_str()); }

std::string ScriptedHttpServer::Request::Header(std::string_view name) const {
  const std::string line = std::string(name) + ": ";
  const std::size_t at = headers.starts_with(line) ? 0 : headers.find("\r\n" + line);
  if (at == headers.npos) return "";
  const std::size_t begin = headers.find(": ", at) + 2;
  return headers.substr(begin, headers.find("\r\n", begin) - begin);
}

ScriptedHttpServer::ScriptedHttpServer(net::io_context& context, const TestCertificate* tls)
    : acceptor_(context, net::ip::tcp::endpoint(net::ip::address_v4::loopback(), 0)) {
  if (tls != nullptr) {
    tls_ = std::make_unique<net::ssl::context>(net::ssl::context::tls_server);
    tls_->use_certificate_chain(net::buffer(tls->certificate_pem));
    tls_->use_private_key(net::buffer(tls->key_pem), net::ssl::context::pem);
  }
  accepting_ = TaskHandle(context.get_executor(), "scripted server", Accept());
}

ScriptedHttpServer::~ScriptedHttpServer() {
  StopListening();
  for (const std::weak_ptr<Peer>& peer : peers_) {
    if (const std::shared_ptr<Peer> alive = peer.lock()) alive->Close();
  }
}

void ScriptedHttpServer::StopListening() {
  boost::system::error_code ignored;
  static_cast<void>(acceptor_.close(ignored));
}

void ScriptedHttpServer::CloseIdle() {
  for (const std::weak_ptr<Peer>& peer : peers_) {
    const std::shared_ptr<Peer> alive = peer.lock();
    if (alive && alive->waiting_) alive->Close();
  }
}

std::uint16_t ScriptedHttpServer::port() const { return acceptor_.local_endpoint().port(); }

std::string ScriptedHttpServer::Url(std::string_view host, std::string_view path) const {
  return fmt::format("{}://{}:{}{}", tls_ ? "https" : "http", host, port(), path);
}

void ScriptedHttpServer::ThenSend(std::string bytes, std::size_t piece) {
  Then([bytes = std::move(bytes), piece](Peer& peer, const Request&) {
    return peer.Send(bytes, piece);
  });
}

void ScriptedHttpServer::ThenSendAndClose(std::string bytes) {
  Then([bytes = std::move(bytes)](Peer& peer, const Request&) -> Task<void> {
    co_await peer.Send(bytes);
    peer.Close();
  });
}

Task<void> ScriptedHttpServer::Accept() {
  for (;;) {
    boost::system::error_code error;
    Socket socket(acceptor_.get_executor());
    co_await acceptor_.async_accept(socket, net::redirect_error(use_task, error));
    if (error) co_return;
    std::shared_ptr<Peer> peer(new Peer(std::move(socket), tls_.get()));
    peers_.push_back(peer);
    Spawn(acceptor_.get_executor(), "scripted connection", Serve(std::move(peer), connections_++));
  }
}

Task<void> ScriptedHttpServer::Serve(std::shared_ptr<Peer> peer, int connection) {
  if (peer->tls_) {
    boost::system::error_code error;
    co_await peer->tls_->async_handshake(net::ssl::stream_base::server,
                                         net::redirect_error(use_task, error));
    if (error) co_return;
  }
  Request request{.start = {}, .headers = {}, .body = {}, .connection = connection};
  for (;;) {
    peer->waiting_ = true;
    const bool got = co_await ReadRequest(*peer, request);
    peer->waiting_ = false;
    if (!got) co_return;
    requests_.push_back(request);
    Step step = [](Peer& p, const Request&) {
      return p.Send("HTTP/1.1 500 No Script\r\nContent-Length: 0\r\n\r\n");
    };
    if (!script_.empty()) {
      step = std::move(script_.front());
      script_.pop_front();
    }
    co_await step(*peer, request);
    if (!peer->socket_.is_open()) co_return;
  }
}

Task<bool> ScriptedHttpServer::ReadRequest(Peer& peer, Request& request) {
  std::size_t end;
  while ((end = peer.input_.find("\r\n\r\n")) == std::string::npos) {
    if (!co_await peer.ReadMore()) co_return false;
  }
  const std::size_t line = peer.input_.find("\r\n");
  request.start = peer.input_.substr(0, line);
  request.headers = peer.input_.substr(line + 2, end - line);
  peer.input_.erase(0, end + 4);
  const std::string length = request.Header("Content-Length");
  const std::size_t size = length.empty() ? 0 : std::stoul(length);
  while (peer.input_.size() < size) {
    if (!co_await peer.ReadMore()) co_return false;
  }
  request.body = peer.input_.substr(0, size);
  peer.input_.erase(0, size);
  co_return true;
}

ScriptedHttpServer::Peer::Peer(Socket socket, net::ssl::context* tls) : socket_(std::move(socket)) {
  socket_.set_option(net::ip::tcp::no_delay(true));
  if (tls != nullptr) {
    tls_ = std::make_unique<net::ssl::stream<Socket&>>(socket_, *tls);
  }
}

Task<bool> ScriptedHttpServer::Peer::ReadMore() {
  char buffer[8192];
  boost::system::error_code error;
  auto token = net::redirect_error(use_task, error);
  std::size_t got;
  if (tls_) {
    got = co_await tls_->async_read_some(net::buffer(buffer), token);
  } else {
    got = co_await socket_.async_read_some(net::buffer(buffer), token);
  }
  input_.append(buffer, got);
  co_return !error;
}

Task<void> ScriptedHttpServer::Peer::Send(std::string bytes, std::size_t piece) {
  if (piece == 0) piece = std::max<std::size_t>(bytes.size(), 1);
  boost::system::error_code error;
  auto token = net::redirect_error(use_task, error);
  for (std::size_t at = 0; at < bytes.size() && !error; at += piece) {
    const auto part = net::buffer(bytes.data() + at, std::min(piece, bytes.size() - at));
    if (tls_) {
      co_await net::async_write(*tls_, part, token);
    } else {
      co_await net::async_write(socket_, part, token);
    }
    if (error) break;
    // The reader's turn, so that each piece arrives by itself.
    for (int turn = 0; turn < 4; ++turn) co_await net::post(socket_.get_executor(), use_task);
  }
}

Task<void> ScriptedHttpServer::Peer::UntilClosed() {
  while (co_await ReadMore()) input_.clear();
}

void ScriptedHttpServer::Peer::Close() {
  boost::system::error_code ignored;
  static_cast<void>(socket_.close(ignored));
}

void ScriptedHttpServer::Peer::Reset() {
  socket_.set_option(net::socket_base::linger(true, 0));
  Close();
}

void ScriptedHttpServer::Peer::HalfClose() {
  boost::system::error_code ignored;
  static_cast<void>(socket_.shutdown(net::socket_base::shutdown_send, ignored));
}

std::string JsonAnswer(std::string_view body, std::string_view more_headers) {
  return fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{}Content-Length: {}\r\n\r\n{}",
      more_headers, body.size(), body);
}

std::string EventsStart(std::string_view more_headers) {
  return fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{}Transfer-Encoding: chunked\r\n\r\n",
      more_headers);
}

std::string Chunk(std::string_view bytes) {
  return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
}

std::string EventsAnswer(std::string_view events) {
  return EventsStart() + Chunk(events) + Chunk("");
}

std::string EventOf(std::string_view data, std::string_view id) {
  return (id.empty() ? std::string() : fmt::format("id: {}\n", id)) +
         fmt::format("event: message\ndata: {}\n\n", data);
}

}  // namespace switchyard::tests

// TLS of the listener (RFC 8446, RFC 5246): 1.2 at least, HTTP/1.1 by ALPN, certificates from PEM
// files, and where wanted a certificate of the client.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/types.h>

#include "auth/evidence.h"
#include "base/result.h"

namespace switchyard::config {
struct Tls;
}

namespace switchyard::edge {

class TlsSession;

// What all connections share. Immutable, so any thread may use it; a reload makes a new one, and
// connections keep the one that they began with.
class TlsServer {
 public:
  // Reads the files. The error says which one, what is wrong with it and where it is set.
  static Result<std::shared_ptr<const TlsServer>> Make(const config::Tls& settings);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;

  std::unique_ptr<TlsSession> Accept() const;

  // Whom it lets in: another number for other authorities or another rule, never 0.
  std::size_t trust() const { return trust_; }

 private:
  TlsServer();
  SSL_CTX* const context_;
  std::size_t trust_ = 1;
};

// One connection's TLS, over bytes that others carry: it knows no socket and no thread, so it can
// move with its connection. One thread at a time.
class TlsSession {
 public:
  TlsSession(SSL* ssl, std::size_t trust);  // `ssl` is owned from now on
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;

  // What came from the client. False: nothing more can come (the peer closed, or broke the
  // protocol; ToSend() may have an alert for it).
  bool Put(std::string_view received);
  // The next bytes that the client meant, as many as fit; 0 = none yet. They wait until taken.
  std::size_t Take(char* into, std::size_t room);

  // Encrypts; goes to the end of ToSend(). False: the connection is broken.
  bool Write(std::string_view text);
  // Tells the client that nothing more comes.
  void End();

  std::string_view ToSend() const;
  void Sent(std::size_t bytes);

  // Gives room back that large messages took.
  void Shrink();

  // Of the client, once the handshake is done and if it showed one, which is then a good one. Null:
  // it did not.
  const auth::ClientCertificate* certificate();

  // Of the TlsServer that it began with.
  std::size_t trust() const { return trust_; }

  bool open() const { return open_; }  // the handshake is done
  bool ended() const { return ended_; }

 private:
  void Advance();  // the handshake
  void Judge(int result);
  void Collect();

  SSL* const ssl_;
  const std::size_t trust_;
  std::string to_send_;
  std::size_t sent_ = 0;  // of to_send_
  bool open_ = false, ended_ = false;
  bool looked_ = false;  // for a certificate
  std::unique_ptr<const auth::ClientCertificate> certificate_;
};

}  // namespace switchyard::edge

#include "edge/tls_certificate.h"

#include <algorithm>
#include <ctime>
#include <string>
#include <utility>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace switchyard::edge {
namespace {

constexpr std::size_t kMaxNames = 64;
constexpr std::size_t kMaxName = 1024;

// "" for what is not fit to be anybody's name.
std::string Checked(std::string text) {
  const bool good = text.size() <= kMaxName && std::ranges::none_of(text, [](unsigned char c) {
                      return c < 0x20 || c == 0x7F;
                    });
  return good ? std::move(text) : "";
}

std::string TextOf(const ASN1_STRING* string) {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, string);
  if (size < 0) return "";
  std::string out(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return Checked(std::move(out));
}

std::string CommonNameOf(const X509* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return "";
  return TextOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

void AddNames(const X509* certificate, auth::ClientCertificate& into) {
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names, i);
    std::vector<std::string>* const list = name->type == GEN_DNS   ? &into.dns
                                           : name->type == GEN_URI ? &into.uris
                                                                   : nullptr;
    if (list == nullptr || list->size() >= kMaxNames) continue;
    std::string text = TextOf(name->d.ia5);
    if (!text.empty()) list->push_back(std::move(text));
  }
  GENERAL_NAMES_free(names);
}

auth::WallTime EndOf(const X509* certificate) {
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return {};
  const std::chrono::sys_days day =
      std::chrono::year(end.tm_year + 1900) / (end.tm_mon + 1) / end.tm_mday;
  if (day.time_since_epoch() > std::chrono::days(84'000)) return auth::WallTime::max();  // 2199
  return day + std::chrono::hours(end.tm_hour) + std::chrono::minutes(end.tm_min) +
         std::chrono::seconds(end.tm_sec);
}

}  // namespace

std::unique_ptr<const auth::ClientCertificate> CertificateOf(const SSL* ssl) {
  const X509* const shown = SSL_get0_peer_certificate(ssl);
  if (shown == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return nullptr;
  auto certificate = std::make_unique<auth::ClientCertificate>();
  unsigned size = 0;
  if (X509_digest(shown, EVP_sha256(), certificate->fingerprint.data(), &size) != 1) return nullptr;
  certificate->common_name = CommonNameOf(shown);
  AddNames(shown, *certificate);
  certificate->expires = EndOf(shown);
  ERR_clear_error();
  return certificate;
}

}  // namespace switchyard::edge

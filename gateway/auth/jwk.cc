#include "auth/jwk.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "auth/openssl.h"
#include "auth/refusal.h"
#include "auth/strict_json.h"
#include "base/base64url.h"

namespace switchyard::auth {
namespace {

namespace json = boost::json;

using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, FreeWith<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>>;

// The bytes of a member that must be there.
Result<std::string> BytesIn(const json::object& jwk, std::string_view name) {
  const json::string* text = StringIn(jwk, name);
  if (text == nullptr || text->empty()) return Unusable("has no " + std::string(name));
  std::optional<std::string> bytes = DecodeBase64Url(*text);
  if (!bytes) return Unusable(std::string(name) + " is not base64url");
  return std::move(*bytes);
}

Result<PublicKey> FromParams(const char* type, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return Unusable("not a key that OpenSSL can read");
  }
  return PublicKey(key, EVP_PKEY_free);
}

Result<Key::Material> Rsa(const json::object& jwk, unsigned max_bits) {
  const Result<std::string> n = BytesIn(jwk, "n"), e = BytesIn(jwk, "e");
  if (!n) return Failure(n.error());
  if (!e) return Failure(e.error());
  // Before any arithmetic; one byte more than the bits need, for a leading zero that some write.
  const std::string too_large = "an RSA key of more than " + std::to_string(max_bits) + " bits";
  if (n->size() > max_bits / 8 + 1 || e->size() > n->size()) return Unusable(too_large);
  const Number modulus(BN_bin2bn(Bytes(*n), static_cast<int>(n->size()), nullptr));
  if (modulus && BN_num_bits(modulus.get()) > static_cast<int>(max_bits)) {
    return Unusable(too_large);
  }
  const Number exponent(BN_bin2bn(Bytes(*e), static_cast<int>(e->size()), nullptr));
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!modulus || !exponent || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return Unusable("not a key that OpenSSL can read");
  }
  Result<PublicKey> key = FromParams("RSA", builder.get());
  if (!key) return Failure(std::move(key.error()));
  return MaterialOf(std::move(*key));
}

struct CurveRow {
  std::string_view name;
  const char* group;
  std::size_t size;  // of a coordinate
};
constexpr std::array<CurveRow, 3> kCurves{
    {{"P-256", "P-256", 32}, {"P-384", "P-384", 48}, {"P-521", "P-521", 66}}};

Result<Key::Material> Ec(const json::object& jwk) {
  const json::string* name = StringIn(jwk, "crv");
  if (name == nullptr) return Unusable("has no crv");
  const auto* const curve = std::ranges::find(kCurves, std::string_view(*name), &CurveRow::name);
  if (curve == kCurves.end()) {
    return Unusable("curve " + Shown(*name) + ", must be P-256, P-384 or P-521");
  }
  const Result<std::string> x = BytesIn(jwk, "x"), y = BytesIn(jwk, "y");
  if (!x) return Failure(x.error());
  if (!y) return Failure(y.error());
  if (x->size() != curve->size || y->size() != curve->size) {
    return Unusable("x and y must have " + std::to_string(curve->size) + " bytes each");
  }
  const std::string point = "\x04" + *x + *y;  // both coordinates follow
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return Unusable("not a key that OpenSSL can read");
  }
  Result<PublicKey> key = FromParams("EC", builder.get());
  if (!key) return Unusable("a key that is no point of its curve");
  return MaterialOf(std::move(*key));
}

Result<Key::Material> Okp(const json::object& jwk) {
  const json::string* curve = StringIn(jwk, "crv");
  if (curve == nullptr) return Unusable("has no crv");
  if (*curve != "Ed25519") return Unusable("curve " + Shown(*curve) + ", must be Ed25519");
  const Result<std::string> x = BytesIn(jwk, "x");
  if (!x) return Failure(x.error());
  if (x->size() != 32) return Unusable("x must have 32 bytes");
  PublicKey key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, Bytes(*x), x->size()),
                EVP_PKEY_free);
  if (!key) return Unusable("not a key that OpenSSL can read");
  return MaterialOf(std::move(key));
}

Result<Key::Material> MaterialIn(const json::object& jwk, const KeyRules& rules) {
  const json::string* type = StringIn(jwk, "kty");
  if (type == nullptr) return Unusable("has no kty");
  if (*type == "oct") {
    if (!rules.secrets) {
      return Unusable("a secret (kty oct) where only public keys are taken");
    }
    Result<std::string> secret = BytesIn(jwk, "k");
    if (!secret) return Failure(std::move(secret.error()));
    return HmacSecret{.bytes = std::move(*secret)};
  }
  // What was published with its private half is nobody's key any more.
  for (const char* name : {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
    if (jwk.contains(name)) {
      return Unusable("holds a private key (" + std::string(name) + "): give the public one");
    }
  }
  if (*type == "RSA") return Rsa(jwk, rules.max_rsa_bits);
  if (*type == "EC") return Ec(jwk);
  if (*type == "OKP") return Okp(jwk);
  return Unusable("kty " + Shown(*type) + ", must be RSA, EC, OKP or oct");
}

// "" = the key may check signatures.
std::string WrongUse(const json::object& jwk) {
  if (jwk.contains("use")) {
    const json::string* use = StringIn(jwk, "use");
    if (use == nullptr || *use != "sig") return "use is not sig";
  }
  const json::value* operations = jwk.if_contains("key_ops");
  if (operations == nullptr) return "";
  const json::array* list = operations->if_array();
  const bool verifies = list != nullptr && std::ranges::any_of(*list, [](const json::value& one) {
                          return one.is_string() && one.get_string() == "verify";
                        });
  return verifies ? "" : "key_ops has no verify";
}

Result<AlgorithmSet> Pinned(const json::object& jwk, const KeyRules& rules) {
  if (!jwk.contains("alg")) return rules.algorithms;
  const json::string* name = StringIn(jwk, "alg");
  const std::optional<Algorithm> algorithm = name == nullptr ? std::nullopt : AlgorithmOf(*name);
  if (!algorithm) {
    return Unusable(name == nullptr ? "alg is not a text"
                                    : "alg " + Shown(*name) + " is not known here");
  }
  return rules.algorithms & AlgorithmSet{*algorithm};
}

Result<Key> ReadJwk(const json::object& jwk, const KeyRules& rules) {
  std::string id;
  if (jwk.contains("kid")) {
    const json::string* text = StringIn(jwk, "kid");
    if (text == nullptr || text->size() > 512)
      return Unusable("kid is not a text of up to 512 bytes");
    id = *text;
  }
  if (std::string why = WrongUse(jwk); !why.empty()) return Unusable(std::move(why));
  Result<AlgorithmSet> algorithms = Pinned(jwk, rules);
  if (!algorithms) return Failure(std::move(algorithms.error()));
  Result<Key::Material> material = MaterialIn(jwk, rules);
  if (!material) return Failure(std::move(material.error()));
  return Key::Make(std::move(*material), std::move(id), *algorithms);
}

// Its place, and its name if it has one.
std::string NameOf(const json::value& jwk, std::size_t index) {
  const json::object* object = jwk.if_object();
  const json::string* id = object == nullptr ? nullptr : StringIn(*object, "kid");
  return "key " + std::to_string(index + 1) + (id == nullptr ? "" : " (" + Shown(*id) + ")");
}

}  // namespace

Result<KeysRead> ReadJwks(std::string_view text, const KeyRules& rules) {
  if (text.size() > kMaxKeysText) {
    return Unusable("the keys have " + std::to_string(text.size()) + " bytes, at most " +
                    std::to_string(kMaxKeysText));
  }
  auto object = ReadObject(std::string(text));
  if (!object) return Unusable("the keys: " + object.error());
  json::array list;
  if (const json::value* keys = object->if_contains("keys")) {
    if (!keys->is_array()) return Unusable("keys is not an array");
    list = keys->get_array();
  } else {
    list.emplace_back(std::move(*object));
  }
  if (list.size() > kMaxKeys) {
    return Unusable(std::to_string(list.size()) + " keys, at most " + std::to_string(kMaxKeys));
  }
  const ForgetErrors forget;
  KeysRead read;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const json::object* jwk = list[i].if_object();
    Result<Key> key =
        jwk == nullptr ? Result<Key>(Unusable("not an object")) : ReadJwk(*jwk, rules);
    if (key) {
      read.keys.push_back(std::move(*key));
    } else {
      read.skipped.push_back(NameOf(list[i], i) + ": " + key.error().message);
    }
  }
  if (!read.keys.empty()) return read;
  return Unusable(read.skipped.empty() ? "no keys" : "no usable key: " + read.skipped.front());
}

Result<KeysRead> ReadKeys(std::string_view text, const KeyRules& rules) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  const bool is_json = start != std::string_view::npos && text[start] == '{';
  return is_json ? ReadJwks(text, rules) : ReadPem(text, rules);
}

}  // namespace switchyard::auth

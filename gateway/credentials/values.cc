#include "credentials/values.h"

#include <utility>

namespace switchyard::credentials {
namespace {

GrantPtr Lines(std::string lines) {
  return std::make_shared<const Grant>(Grant{.lines = std::move(lines)});
}

// Of a claim with several values none is the caller's name.
const std::string* NameBy(const Principal& caller, const std::string& by) {
  if (by == "subject") return &caller.subject;
  if (by == "client") return &caller.client;
  const auto claim = caller.claims.find(by);
  if (claim == caller.claims.end() || claim->second.size() != 1) return nullptr;
  return &claim->second.front();
}

}  // namespace

Values::Values(std::string server, const config::ServerCredentials& config, std::string own,
               Executor home)
    : server_(std::move(server)),
      issuer_(config.issuer),
      by_(config.by),
      own_(Lines(std::move(own))),
      home_(home) {
  for (const auto& [name, value] : config.values) {
    values_.emplace(
        name, Lines(config.header + ": " + (config.scheme.empty() ? "" : config.scheme + " ") +
                    value.Reveal() + "\r\n"));
  }
}

std::unexpected<Error> Values::Refuse(std::string why) const {
  return Failure(Error{.code = Code::kForbidden,
                       .origin = Origin::kGateway,
                       .retryable = false,
                       .message = "server " + server_ + ": " + std::move(why),
                       .for_agent = true});
}

Result<GrantPtr> Values::Find(const Caller* caller) {
  if (caller == nullptr) return own_;
  const Principal& principal = **caller;
  if (principal.subject.empty()) {
    return Refuse("it is asked in the name of each caller, and this one did not say who it is");
  }
  const std::string* name = principal.issuer == issuer_ ? NameBy(principal, by_) : nullptr;
  const auto found = name == nullptr || name->empty() ? values_.end() : values_.find(*name);
  if (found == values_.end()) return Refuse("has no credentials for this caller");
  return found->second;
}

Task<Result<GrantPtr>> Values::Obtain(Caller, Refusal, Deadline) {
  co_return Refuse("does not take the credentials that are configured for it");
}

}  // namespace switchyard::credentials

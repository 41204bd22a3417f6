// A value for each caller, as the configuration has them. Who has none is refused: nothing of the
// gateway's own, and nobody else's, goes out in its stead.
//
// Immutable; thread-safe.
#pragma once

#include <map>
#include <string>

#include "config/credentials.h"
#include "credentials/source.h"

namespace switchyard::credentials {

class Values final : public Source {
 public:
  // `own`: header lines of the gateway's own requests, "" = none.
  Values(std::string server, const config::ServerCredentials& config, std::string own,
         Executor home);

  bool personal() const override { return true; }
  Result<GrantPtr> Find(const Caller* caller) override;
  // Nothing to try again with: the value is what it is.
  Task<Result<GrantPtr>> Obtain(Caller caller, Refusal refused, Deadline deadline) override;
  Executor home() const override { return home_; }

 private:
  std::unexpected<Error> Refuse(std::string why) const;

  const std::string server_, issuer_, by_;
  const GrantPtr own_;
  std::map<std::string, GrantPtr, std::less<>> values_;
  const Executor home_;
};

}  // namespace switchyard::credentials

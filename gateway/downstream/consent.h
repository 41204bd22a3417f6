// In front of a server whose callers each connect an account in a browser: a call that needs one
// asks its client to have the user open a page (elicitation by URL), and is made again then. Who
// cannot be asked so is told the address in words.
//
// The client is given no state: the call that comes again is judged as any other, and goes on once
// there is an account. protocol.md 6.5-I.
#pragma once

#include <memory>
#include <utility>

#include "core/deps.h"
#include "core/service.h"
#include "credentials/source.h"

namespace switchyard::downstream {

class Consent final : public Service {
 public:
  // `deps` outlives it. `source` is one that connects().
  Consent(std::shared_ptr<Service> inner, credentials::SourcePtr source, const Deps& deps)
      : inner_(std::move(inner)), source_(std::move(source)), deps_(deps) {}

  Task<Result<ReplyPtr>> Handle(Call& call) override;

 private:
  Task<Result<ReplyPtr>> Granted(Call& call);

  const std::shared_ptr<Service> inner_;
  const credentials::SourcePtr source_;
  const Deps deps_;
};

}  // namespace switchyard::downstream

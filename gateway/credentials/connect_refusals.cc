#include "credentials/connect_refusals.h"

#include <spdlog/spdlog.h>

namespace switchyard::credentials {

std::unexpected<Error> LinkIsGone() {
  return Failure(Code::kNotFound, Origin::kClient,
                 "This link was used already, took too long, or never was one. Make the call again "
                 "to get another one.");
}

std::unexpected<Error> IsOtherBrowser() {
  return Failure(Code::kForbidden, Origin::kClient,
                 "This was begun in another browser. Go on there, or wait until the link has ended "
                 "and make the call again.");
}

std::unexpected<Error> NotNow(const std::string& what, const Error& error) {
  spdlog::warn("{}: {}{}{}", what, error.message, error.detail.empty() ? "" : ": ", error.detail);
  return Failure(Code::kUnavailable, Origin::kServer,
                 "The account cannot be connected now. Whoever runs this gateway finds the reason "
                 "in its log.");
}

}  // namespace switchyard::credentials

// What people read who cannot go on at a connect page, where several pages say it. Pure.
#pragma once

#include <expected>
#include <string>

#include "base/result.h"

namespace switchyard::credentials {

// No such link, or it is over.
std::unexpected<Error> LinkIsGone();
// The link is another browser's.
std::unexpected<Error> IsOtherBrowser();
// `error` is for the log: it may be what somebody else said. `what`: could not be done, and is not
// for now.
std::unexpected<Error> NotNow(const std::string& what, const Error& error);

}  // namespace switchyard::credentials

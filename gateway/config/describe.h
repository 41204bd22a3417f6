// The effective configuration for people and programs, fit for any log or screen. Values of env and
// headers, credentials and query values of URLs, and what ${...} stood for in a command, an
// argument or a URL are never in it. Addresses, paths and names stand as they came out: whoever
// prints it hides what was expanded (Remembered::Hide).
#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "config/config.h"

namespace switchyard::config {

std::string Describe(const Config& config);
boost::json::object DescribeJson(const Config& config);

}  // namespace switchyard::config

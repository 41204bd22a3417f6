// What may be shown of texts that people wrote secrets into. Errs on the side of hiding.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "config/secret.h"

namespace switchyard::config {

class Remembered;

// A text that holds a URL, with its user info, query values and fragment replaced by ***.
std::string RedactUrl(std::string_view text);

// A command line: variables as written (${TOKEN}), values that follow a telling name
// (`--api-key x`, `TOKEN=x`, `Authorization: x`) as ***, URLs as above.
std::vector<std::string> RedactArgs(const std::vector<Secret>& args);

// In the strings of a document, what was expanded reads as the file has it.
void HideExpanded(boost::json::value& value, const Remembered& expanded);

}  // namespace switchyard::config

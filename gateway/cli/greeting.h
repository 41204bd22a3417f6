// What `serve` tells a person once it listens: the URL, who may use it without saying who they are,
// a call to paste, a client snippet. Pure.
#pragma once

#include <string>

#include "config/config.h"

namespace switchyard::cli {

// A curl line that works as it stands: a modern tools/call of the bundled example server where the
// configuration serves it, else tools/list.
std::string CurlLine(const config::Config& config, const std::string& url);

// The `mcpServers` entry that most clients understand.
std::string ClientSnippet(const std::string& url);

// `program`: how this program is called from where the user is.
std::string Greeting(const config::Config& config, const std::string& url,
                     const std::string& program);

}  // namespace switchyard::cli

// Flags of the commands that work on files and need no gateway: audit, pins, key. What they do is
// in audit.h, pins.h and key.h.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace switchyard::cli {

// Parsing sets `run` to what was asked for; it outlives the app.
void AddAuditCommands(CLI::App& app, std::function<int()>& run);
void AddPinsCommands(CLI::App& app, std::function<int()>& run);
void AddKeyCommands(CLI::App& app, std::function<int()>& run);

}  // namespace switchyard::cli

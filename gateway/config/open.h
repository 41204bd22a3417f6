// Who can come in without saying who they are. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"

namespace switchyard::config {

// Endpoints, by path, that let in who has not proved who they are: all who reach the gateway's
// address from other machines, or programs on this one alone.
struct OpenPaths {
  std::vector<std::string> network = {}, machine = {};
};
OpenPaths OpenPathsOf(const Config& config);

// Other machines can reach the gateway and nobody said that it is to be open: why it must not be
// served so.
std::optional<std::string> OpenProblem(const Config& config);
// What is open to other machines because the configuration says so.
std::vector<std::string> OpenWarnings(const Config& config);
// What is open to this machine alone, for the log; empty: nothing is.
std::string OpenHere(const Config& config);

// Whether the admin API needs no token: all who reach it are on this machine, under its own name,
// and nobody has to prove who they are anywhere.
bool IsAdminOpen(const Config& config);

// What is to be known of approvals where the policy is set: what is forgotten, who may decide. For
// who checks the configuration, and the log.
std::vector<std::string> ApprovalNotes(const Config& config);

// Whether URLs of the gateway can only be known from the configuration: behind a proxy, or when it
// is asked under any name.
bool NeedsPublicUrl(const Listen& listen);

}  // namespace switchyard::config

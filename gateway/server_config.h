// What each room is told of the configuration and of other rooms. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "admin/page.h"
#include "approvals/desk.h"
#include "auth/authenticator.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "config/problem.h"
#include "downstream/parking.h"
#include "edge/endpoint.h"

namespace switchyard {

downstream::Parking::Limits ParkingLimitsOf(const config::Config& config);
approvals::Desk::Limits ApprovalLimitsOf(const config::Config& config);
// `wanted` 0: as configured, else one a core.
unsigned WorkersOf(const config::Listen& listen, unsigned wanted);
// Of a configuration that takes the place of another one: what holds until a restart stays as it
// `runs`, so that what is judged by it is right, and the log names each key of that that changed.
void KeepWhatRuns(config::Config& config, const config::Config& runs);
// Asked once: the quotas in it are shared by all workers.
edge::Sessions::Options SessionsOf(const config::Sessions& sessions);
edge::Access AccessOf(const config::Config& config, std::uint16_t port);
// How browsers reach it, without a path; "" = they do not. `port`: that was bound.
std::string BaseOf(const config::Config& config, std::uint16_t port);
std::vector<catalog::EndpointView> ViewsOf(const config::Config& config);  // "" = all, at /mcp
bool IsChosenByLoad(const config::Config& config, const std::string& server);
std::vector<catalog::ServerNaming> NamingsOf(const config::Config& config);  // the enabled ones

// By endpoint, "" = /mcp; those that let everybody in have none. Reads key files; `port` is the one
// that was bound. The error says what is wrong and where it is set.
Result<auth::Authenticators> AuthenticatorsOf(const config::Config& config, std::uint16_t port,
                                              const auth::ProviderOf& provider = auth::FixedKeysOf);
// That it reads for this; a change of theirs is one of the configuration.
std::vector<std::string> AuthFilesOf(const config::Config& config);
// For `switchyard check`: what keeps them from being used. Files that are not there are those of
// the machine where it is to run.
std::optional<config::Problem> AuthProblem(const config::Config& config);

std::optional<edge::PlainAnswer> AnswerOf(admin::Page page);

}  // namespace switchyard

// What a limit is kept for each of: the callers, clients, sessions, endpoints, servers, tools, or
// any combination. From the call itself, never from HTTP headers. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "policies/lib/store_key.h"

namespace switchyard::policies {

enum class Per : std::uint8_t { kPrincipal, kClient, kSession, kEndpoint, kServer, kTool };
inline constexpr std::array<std::string_view, 6> kPerWords = {"principal", "client", "session",
                                                              "endpoint",  "server", "tool"};

// "principal and tool"
std::string WordsOf(const std::vector<Per>& per, std::string_view between);

// nullopt: one of the words is none of these; `unknown` is which. Each once, in their order.
std::optional<std::vector<Per>> PerOf(const std::vector<std::string>& words, std::string& unknown);

// What is told apart of one call. Borrowed.
struct Counted {
  std::string_view issuer, subject;
  std::string_view client;       // that authentication names
  std::string_view client_name;  // that it gave itself
  std::string_view session;      // of a legacy client
  std::string_view endpoint, server, method;
  std::string_view listed;  // the tool as its server lists it. Never a name of the client's making:
                            // it would come with a full bucket
};

void AddTo(StoreKey& key, Per per, const Counted& call);

// (A Call is core's and a Section is config's, which lib does not know.)
template <class Call>
Counted CountedOf(const Call& call) {
  const bool told = call.client != nullptr;
  return {.issuer = call.caller->issuer,
          .subject = call.caller->subject,
          .client = call.caller->client,
          .client_name = told ? std::string_view(call.client->name) : "",
          .session = told ? std::string_view(call.client->session) : "",
          .endpoint = call.endpoint,
          .server = call.target.server,
          .method = call.method().name,
          .listed = call.target.definition != nullptr
                        ? std::string_view(call.target.definition->name)
                        : ""};
}

// The key `per`: one of the words, or a list. nullopt: it is not there, or a problem is told.
template <class Section>
std::optional<std::vector<Per>> ParsePer(Section& section) {
  std::optional<std::vector<std::string>> words;
  if (section.IsList("per")) {
    words = section.Strings("per");
  } else if (const auto word = section.String("per")) {
    words.emplace({*word});
  }
  if (!words) return std::nullopt;
  std::string unknown;
  std::optional<std::vector<Per>> per = PerOf(*words, unknown);
  if (!per) {
    section.Error("per", fmt::format("{} is none of {}", unknown, fmt::join(kPerWords, ", ")));
  }
  return per;
}

// Of a limit or budget, in keys, metrics and messages.
inline constexpr std::string_view kLimitNameForm = "1 to 32 of A-Z a-z 0-9 _ -";
bool IsLimitName(std::string_view name);

}  // namespace switchyard::policies

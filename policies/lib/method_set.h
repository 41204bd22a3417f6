// The requests that a limit counts. A value.
#pragma once

#include <bitset>
#include <initializer_list>
#include <string>
#include <string_view>

#include "mcp/method.h"

namespace switchyard::policies {

class MethodSet {
 public:
  MethodSet() = default;
  MethodSet(std::initializer_list<mcp::Method> methods) {
    for (const mcp::Method method : methods) Add(method);
  }

  bool Has(mcp::Method method) const { return bits_[static_cast<std::size_t>(method)]; }
  void Add(mcp::Method method) { bits_[static_cast<std::size_t>(method)] = true; }
  std::string ToText() const;  // [tools/call, prompts/get]

  // Whether the gateway's inside may ask a server for it or answer it itself; the rest cannot be
  // refused, or is turned into one of these before a policy sees it.
  static bool IsCountable(const mcp::MethodInfo& method);

 private:
  std::bitset<64> bits_;
};

// The key `methods`. (A Section is config::Section, which lib does not know.)
template <class Section>
void TakeMethods(Section& section, MethodSet& methods) {
  const auto names = section.Strings("methods");
  if (!names) return section.Shows("methods", methods.ToText());
  methods = {};
  for (const std::string& name : *names) {
    const mcp::MethodInfo& method = mcp::FindMethod(name);
    if (MethodSet::IsCountable(method)) {
      methods.Add(method.method);
    } else {
      section.Error("methods", name +
                                   " is no request that a limit can count, such as tools/call, "
                                   "prompts/get, resources/read or tools/list");
    }
  }
}

}  // namespace switchyard::policies

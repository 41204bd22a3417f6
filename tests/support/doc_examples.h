// The YAML examples of the pages in docs/policies, so that tests load and run what readers copy.
#pragma once

#include <string>
#include <vector>

namespace switchyard::tests {

// What stands between "```yaml" and "```", in order.
std::vector<std::string> ExamplesOf(const std::string& path);

// Of the example with this number (from 0) in docs/policies/PAGE.md: what stands under a key at its
// top, for Gateway::With(). Fails the test when it has none.
std::string FromPolicyPage(const std::string& page, std::size_t example, const std::string& key);

// What stands under a server there, but for where it is: for Gateway::ServesAs(). Fails the test
// when the example has no such server.
std::string ServerFromPolicyPage(const std::string& page, std::size_t example,
                                 const std::string& server);

}  // namespace switchyard::tests

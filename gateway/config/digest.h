// A configuration as a whole, for records of it: a digest by which two are told apart, and what
// changed between two. Pure.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace switchyard::config {

// SHA-256, in hexadecimal digits, of what is in effect, as Describe() has it, of who is let in with
// which rights, and of the whole file as it is written (config/written.h). Keys, headers and other
// secrets are not in it, nor is what ${...} stands for, but where Describe() or who is let in has
// it: who can read the digest cannot try guesses of them.
std::string DigestOf(const Config& config);

// The members of the file at its top of which something changed, also where only a secret did or
// what ${...} stands for: auth, policies, servers. In alphabetical order.
std::vector<std::string> ChangedBetween(const Config& before, const Config& after);

}  // namespace switchyard::config

// What a file says, as digests: by these two files are told apart, also in what no description of a
// configuration has. Of the file and not of what readers made of it, so that no key is left out.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace switchyard::config {

struct Excerpt;
struct Node;

// Members that begin so are nobody's: a place for anchors.
inline constexpr std::string_view kNobodys = "x-";

// One member of the file at its top. SHA-256, in hexadecimal digits.
struct WrittenMember {
  // As anybody may know it: without what ${...} stands for and without what may be secret, but for
  // the places of URLs.
  std::string shown;
  // As it was read. For this process alone: guesses of a secret could be tried.
  std::string whole;
};
using WrittenFile = std::map<std::string, WrittenMember, std::less<>>;  // by name

// `secrets` are scalars of the file. Pure, but for what the environment of the file reads.
WrittenFile WrittenIn(const Excerpt& file, const std::set<const Node*>& secrets);

}  // namespace switchyard::config

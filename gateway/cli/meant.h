// The word that a user meant, where a command line has one that nobody knows. Pure.
#pragma once

#include <span>
#include <string>

namespace CLI {
class App;
}

namespace switchyard::cli {

// Of the first command or option among `words` (those after the program's name) that `app` does not
// have: a line that says so, with the nearest one; "" = it has them all.
std::string Meant(const CLI::App& app, std::span<char* const> words);

}  // namespace switchyard::cli

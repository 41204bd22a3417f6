// Where things are on this machine. Only paths.cc knows, so that everything else compiles the same
// in every checkout, and a compiler cache can serve them all.
#pragma once

#include <string>

namespace switchyard::paths {

std::string SourceDir();         // the checkout
std::string SwitchyardBinary();  // the program under test
std::string FakeStdioServer();   // support/fake_stdio_server.cc

}  // namespace switchyard::paths

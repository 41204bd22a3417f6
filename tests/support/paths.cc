#include "support/paths.h"

namespace switchyard::paths {

std::string SourceDir() { return SOURCE_DIR; }
std::string SwitchyardBinary() { return SWITCHYARD_BINARY; }
std::string FakeStdioServer() { return FAKE_STDIO_SERVER; }

}  // namespace switchyard::paths

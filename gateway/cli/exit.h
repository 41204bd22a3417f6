// What the program's exit status means, the same for every subcommand.
#pragma once

namespace switchyard::cli {

enum Exit : int {
  kOk = 0,
  kFailed = 1,       // refused, not well, or the tool said no
  kUsage = 2,        // the command line is wrong
  kUnreachable = 3,  // no gateway there
};

}  // namespace switchyard::cli

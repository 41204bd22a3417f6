// A caller as those outside may know it who decide or look at calls: all that was proved, and no
// credential. Pure.
#pragma once

#include <boost/json/object.hpp>

#include "core/principal.h"

namespace switchyard {

boost::json::object ViewOf(const Principal& caller);

}  // namespace switchyard

#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "base/task.h"

namespace switchyard::downstream {

// A TCP socket bound to its worker: no type-erased executor.
using HttpSocket = net::basic_stream_socket<net::ip::tcp, Executor>;

}  // namespace switchyard::downstream

#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "base/task.h"

namespace switchyard::http {

// A TCP socket bound to its worker: no type-erased executor.
using Socket = net::basic_stream_socket<net::ip::tcp, Executor>;

}  // namespace switchyard::http

// Memory comes from mimalloc: a call allocates some 40 times, half of that coroutine frames around
// and above the 1 KiB at which malloc's thread cache ends. Defines operator new and delete for the
// whole program, so only the program is linked with it, not the tests.
#include <mimalloc-new-delete.h>

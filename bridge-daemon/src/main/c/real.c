/* Finds libc's definitions of the interposed functions, once, when the library is loaded. */
#include "real.h"

#include <dlfcn.h>

struct real real;

void real_resolve(void)
{
#define RESOLVE(type, name, arguments) real.name = (__typeof__(real.name)) dlsym(RTLD_NEXT, #name);
    REAL_FUNCTIONS(RESOLVE)
#undef RESOLVE
}

__attribute__((constructor)) static void resolve_at_load(void)
{
    real_resolve();
}

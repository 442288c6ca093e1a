/* Forced into every file of Lua by the accuracy harness: whatever depends on
 * an address, the clock or a random seed differs between two builds, and then
 * two builds do not execute the same functions the same number of times. */
#define LUA_CORE
#define LUA_LIB
#include "lprefix.h"
#include "llimits.h"
#undef point2uint
#define point2uint(p) ((void)(p), 0u) /* hash of pointers, cache of C strings */
#define luai_makeseed(L) ((void)(L), 0x5eedu)
#define l_randomizePivot() 0u
#undef LUAI_MAXSTACK
#define LUAI_MAXSTACK 4000 /* a stack overflow must stay affordable under probes */

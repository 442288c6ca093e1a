/* One hash salt in every run. glibc declares arc4random, so its header first. */
#include <stdlib.h>
#define HAVE_ARC4RANDOM 1
#define arc4random() 123456789u

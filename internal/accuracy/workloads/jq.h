/* Forced into every file of jq by the accuracy harness: what its configure
 * script would find on Debian, without oniguruma (no regular expressions) and
 * with few of the mathematical functions: jq binds every one of them to every
 * instruction of a program at each start. */
#define _GNU_SOURCE 1
#define IEEE_8087 1
#define HAVE_MEMMEM 1
#define HAVE_MKSTEMP 1
#define HAVE_ISATTY 1
#define HAVE_STRPTIME 1
#define HAVE_STRFTIME 1
#define HAVE_TIMEGM 1
#define HAVE_GMTIME_R 1
#define HAVE_GMTIME 1
#define HAVE_LOCALTIME_R 1
#define HAVE_LOCALTIME 1
#define HAVE_GETTIMEOFDAY 1
#define HAVE_TM_TM_GMT_OFF 1
#define HAVE_PTHREAD_KEY_CREATE 1
#define HAVE_PTHREAD_ONCE 1
#define HAVE_ATEXIT 1
#define HAVE_ALLOCA_H 1
#define HAVE_ALLOCA 1
#define HAVE_CEIL 1
#define HAVE_EXP10 1
#define HAVE_EXP 1
#define HAVE_FABS 1
#define HAVE_FLOOR 1
#define HAVE_FMA 1
#define HAVE_FREXP 1
#define HAVE_LDEXP 1
#define HAVE_LOG2 1
#define HAVE_LOG 1
#define HAVE_MODF 1
#define HAVE_LGAMMA_R 1
#define HAVE_POW 1
#define HAVE_ROUND 1
#define HAVE_SQRT 1
#define HAVE_TRUNC 1

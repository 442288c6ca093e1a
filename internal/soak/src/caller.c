/* Calls a library and writes down how often: the truth that counters are
 * compared with.
 *
 *   caller LIBRARY TRUTH once N       opens the library, N rounds, ends
 *   caller LIBRARY TRUTH loop N       rounds until SIGTERM; opens it anew after N
 *   caller LIBRARY TRUTH spawn N      runs "once N" again and again until SIGTERM
 *   caller LIBRARY TRUTH keep N       runs "loop N", again if it crashes, until SIGTERM
 *   caller LIBRARY TRUTH step 0       a round for each line of its input
 *
 * A fifth argument is the number, from 0, by which its progress is written down;
 * behind a colon may stand the process without which it is not to run.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ONE, TWO, THREE, FOUR, SMALL, FUNCTIONS, FIRST = 1000, VERSIONS = 2800, CALLERS = 8 };

/* internal/soak/truth.go has the same. All processes share it. */
struct truth {
	uint64_t calls[FUNCTIONS];
	uint64_t wrong;  /* results that were not those of the library's version */
	uint64_t failed; /* times the library could not be opened */
	uint64_t rounds;
	uint64_t crashed;   /* processes that a signal ended */
	uint64_t processes; /* of spawn */
	uint64_t going[CALLERS]; /* rounds, and attempts to open the library, of each */
	uint64_t of[VERSIONS + 1]; /* calls of ONE, TWO, FOUR and SMALL by version */
};

static struct truth *truth;
static volatile sig_atomic_t stop;

static uint64_t none, *going = &none;

static void add(uint64_t *n, uint64_t by) { __atomic_fetch_add(n, by, __ATOMIC_RELAXED); }

static struct {
	void *handle;
	int (*version)(void), (*one)(void), (*two)(int), (*three)(int), (*four)(int);
} lib;

static int load(const char *path)
{
	add(going, 1);
	lib.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!lib.handle) {
		add(&truth->failed, 1);
		return -1;
	}
	lib.version = (int (*)(void))dlsym(lib.handle, "version");
	lib.one = (int (*)(void))dlsym(lib.handle, "one");
	lib.two = (int (*)(int))dlsym(lib.handle, "two");
	lib.three = (int (*)(int))dlsym(lib.handle, "three");
	lib.four = (int (*)(int))dlsym(lib.handle, "four");
	if (!lib.version || !lib.one || !lib.two || !lib.three || !lib.four) {
		add(&truth->failed, 1);
		return -1;
	}
	return 0;
}

static int expect_four(int v, int x)
{
	int i, sum = v;

	for (i = 0; i < (x & 3); i++)
		sum += i + x;
	return sum;
}

/* One call of each. Where the version is another one afterwards, the library
 * was rewritten meanwhile and results may be of either. */
static void round_(int x)
{
	int v = lib.version(), a, b, c, d, bad;

	if (v > FIRST && v <= FIRST + VERSIONS)
		add(&truth->of[v - FIRST], 4 + (x & 1));
	add(&truth->calls[ONE], 1);
	a = lib.one();
	add(&truth->calls[TWO], 1);
	b = lib.two(x);
	add(&truth->calls[THREE], 1);
	add(&truth->calls[SMALL], 1 + (x & 1));
	c = lib.three(x);
	add(&truth->calls[FOUR], 1);
	d = lib.four(x);
	add(&truth->rounds, 1);
	add(going, 1);
	bad = a != v || b != x + v || d != expect_four(v, x) ||
	      c != (x & 1 ? x * 3 + v : 0) + (x + 1) * 3 + v;
	if (bad && lib.version() == v)
		add(&truth->wrong, 1);
}

static void end(int sig)
{
	(void)sig;
	stop = 1;
}

static void loop(const char *path, int n)
{
	struct timespec pause = { 0, 200000 };

	while (!stop) {
		if (load(path)) {
			nanosleep(&pause, 0);
			continue;
		}
		for (int i = 0; i < n && !stop; i++) {
			round_(i);
			nanosleep(&pause, 0);
		}
		dlclose(lib.handle);
	}
}

extern char **environ;

static void spawn(char **argv, char *mode)
{
	char number[64];
	char *args[] = { argv[0], argv[1], argv[2], mode, argv[4], argv[5] ? number : 0, 0 };
	int status;
	pid_t pid;

	if (argv[5])
		snprintf(number, sizeof number, "%d:%d", atoi(argv[5]), (int)getpid());
	while (!stop) {
		if (posix_spawn(&pid, "/proc/self/exe", 0, 0, args, environ))
			exit(2);
		add(&truth->processes, 1);
		while (waitpid(pid, &status, 0) < 0)
			if (stop)
				kill(pid, SIGTERM);
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM)
			add(&truth->crashed, 1);
	}
}

static void step(const char *path)
{
	char line[64];

	while (fgets(line, sizeof line, stdin)) {
		if (!lib.handle || line[0] == 'o')
			if (load(path)) {
				puts("failed");
				fflush(stdout);
				continue;
			}
		round_(3);
		printf("%d\n", lib.version());
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	int fd, n;

	if (argc != 5 && argc != 6)
		return 2;
	if (argc == 6) { /* no numbered one runs on alone */
		const char *parent = strchr(argv[5], ':');

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (parent && getppid() != atoi(parent + 1))
			return 1; /* it had ended before */
	}
	fd = open(argv[2], O_RDWR);
	truth = mmap(0, sizeof *truth, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (truth == MAP_FAILED)
		return 2;
	close(fd);
	n = atoi(argv[4]);
	if (argc == 6)
		going = &truth->going[atoi(argv[5]) % CALLERS];
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = end }, 0);
	if (!strcmp(argv[3], "loop")) {
		loop(argv[1], n);
		return 0;
	}
	if (!strcmp(argv[3], "spawn")) {
		spawn(argv, "once");
		return 0;
	}
	if (!strcmp(argv[3], "keep")) {
		spawn(argv, "loop");
		return 0;
	}
	if (!strcmp(argv[3], "step")) {
		step(argv[1]);
		return 0;
	}
	if (load(argv[1]))
		return 1;
	for (int i = 0; i < n; i++)
		round_(i);
	return 0;
}

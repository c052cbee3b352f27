/*
 * Opening the engine. It must not be there before the VMM forks for the last
 * time, since the Go runtime does not survive a fork; so it is not linked, and
 * comes with the first spice_server_new.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define ENGINE_FILE "libspiceecs-engine.so"

struct engine engine;
static bool opened;
static sigset_t most; /* signals that do not come from what a thread did */
static char beside[PATH_MAX]; /* this library's directory */

void engine_enter(sigset_t *before)
{
    pthread_sigmask(SIG_BLOCK, &most, before);
}

void engine_leave(sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* The place is noted early: the VMM may change its directory. */
__attribute__((constructor)) static void note_place(void)
{
    Dl_info self;
    if (!dladdr((void *)&beside, &self) || !realpath(self.dli_fname, beside)) {
        beside[0] = 0;
        return;
    }
    *(strrchr(beside, '/') + 1) = 0;
}

static bool resolve(void *lib)
{
#define SE_RESOLVE(result, name, params)                                                           \
    if (!(*(void **)&engine.name = dlsym(lib, #name))) {                                           \
        return false;                                                                              \
    }
    SE_FUNCTIONS(SE_RESOLVE)
#undef SE_RESOLVE
    return true;
}

/*
 * The Go runtime has a thread that looks after the others, every 20 microseconds
 * while they work. In a virtual machine that is a fifth of a short session's CPU
 * time. What it is for, turns of 10 milliseconds and processors whose thread
 * waits in the kernel, can wait for as long as this slack of the engine's timers.
 */
#define ENGINE_SLACK 4000000UL /* nanoseconds */

/*
 * The engine's threads inherit the signal mask: they take only what they cause
 * themselves. The runtime's handler for SIGPIPE would be the VMM's, too.
 */
static void load(void)
{
    char path[PATH_MAX + sizeof ENGINE_FILE];
    const char *name = secure_getenv("SPICEECS_ENGINE");
    if (!name) {
        snprintf(path, sizeof path, "%s" ENGINE_FILE, beside);
        name = path;
    }
    sigset_t before;
    struct sigaction pipe_action;
    sigaction(SIGPIPE, NULL, &pipe_action);
    sigfillset(&most);
    sigdelset(&most, SIGILL);
    sigdelset(&most, SIGBUS);
    sigdelset(&most, SIGFPE);
    sigdelset(&most, SIGSEGV);
    engine_enter(&before);
    int slack = prctl(PR_GET_TIMERSLACK);
    prctl(PR_SET_TIMERSLACK, ENGINE_SLACK);
    void *lib = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!lib) {
        fprintf(stderr, "libspice-server: %s\n", dlerror());
    } else if (!resolve(lib) || engine.se_open(SE_ABI, &host)) {
        fprintf(stderr, "libspice-server: %s belongs to another version\n", name);
    } else {
        opened = true;
    }
    prctl(PR_SET_TIMERSLACK, (unsigned long)slack);
    engine_leave(&before);
    sigaction(SIGPIPE, &pipe_action, NULL);
}

/*
 * Of the signals that do not come from what a thread did, the Go runtime opens
 * these on its threads, whose stacks are too small for a handler: it has
 * to use the alternate one. Elsewhere the flag changes nothing, as threads
 * without an alternate stack go on using their own.
 */
void engine_tame_signals(void)
{
    static const int open_signals[] = { SIGCHLD, SIGPROF, SIGURG };
    for (size_t i = 0; i < sizeof open_signals / sizeof *open_signals; i++) {
        struct sigaction a;
        if (sigaction(open_signals[i], NULL, &a) || a.sa_flags & SA_ONSTACK || a.sa_handler == SIG_DFL ||
            a.sa_handler == SIG_IGN) {
            continue;
        }
        a.sa_flags |= SA_ONSTACK;
        sigaction(open_signals[i], &a, NULL);
    }
}

bool engine_open(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    engine_tame_signals();
    return opened;
}

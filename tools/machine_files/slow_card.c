/* Simulate a slow SD card: when preloaded, fsync and fdatasync take SLOW_CARD_MS milliseconds longer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static int slowed(const char *name, int file) {
    const char *milliseconds = getenv("SLOW_CARD_MS");
    if (milliseconds)
        usleep(atoi(milliseconds) * 1000);
    return ((int (*)(int))dlsym(RTLD_NEXT, name))(file);
}

int fsync(int file) { return slowed("fsync", file); }
int fdatasync(int file) { return slowed("fdatasync", file); }

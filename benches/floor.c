/* The floor: what the operating system alone needs from a save to a new process. Raw inotify on one
 * directory (the current one), posix_spawn, nothing else: no filter, no settling, no tree, no words.
 *
 *   floor end   -- ARGV...    reap the command that has ended, spawn it again
 *   floor serve -- ARGV...    kill, waitpid, spawn
 *
 * With `sh -c` the caller gives `sh -c COMMAND` as ARGV. Only names ending in .go count.
 */
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int saved(const char *buffer, ssize_t length) {
    for (ssize_t at = 0; at < length;) {
        const struct inotify_event *event = (const void *)(buffer + at);
        size_t name = event->len ? strlen(event->name) : 0;
        if (name > 3 && strcmp(event->name + name - 3, ".go") == 0) return 1;
        at += sizeof *event + event->len;
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    int serve = strcmp(argv[1], "serve") == 0;
    char buffer[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)]
        __attribute__((aligned(__alignof__(struct inotify_event))));
    int events = inotify_init1(IN_CLOEXEC);
    if (events < 0 || inotify_add_watch(events, ".", IN_CLOSE_WRITE | IN_MOVED_TO) < 0) return 1;
    pid_t child = 0;
    for (;;) {
        if (child > 0) {
            if (serve) kill(child, SIGTERM);
            waitpid(child, NULL, 0);
        }
        if (posix_spawnp(&child, argv[3], NULL, NULL, argv + 3, environ) != 0) return 1;
        ssize_t length;
        do {
            length = read(events, buffer, sizeof buffer);
            if (length <= 0) return 1;
        } while (!saved(buffer, length));
    }
}

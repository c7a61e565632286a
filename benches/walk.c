/* The floor of a start: the system calls alone that have every directory below the current one watched and
 * every file's state known, on all processors. No rules but two ignored names, no memory of what was found,
 * no words but the last line.
 *
 * Without the states a save between the start and a directory's watch would be missed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* Directories to be looked at; `open_ones` are those and the ones that are being looked at. */
static char **todo;
static size_t waiting, room, open_ones, watched;
static int events;

static void put(char *path) {
    pthread_mutex_lock(&lock);
    if (waiting == room && !(todo = realloc(todo, (room = room ? room * 2 : 1024) * sizeof *todo))) abort();
    todo[waiting++] = path;
    open_ones++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

/* The next one; NULL when there will be none. */
static char *take(int done) {
    pthread_mutex_lock(&lock);
    open_ones -= done;
    if (open_ones == 0) pthread_cond_broadcast(&changed);
    while (waiting == 0 && open_ones > 0) pthread_cond_wait(&changed, &lock);
    char *path = waiting > 0 ? todo[--waiting] : NULL;
    watched += path != NULL;
    pthread_mutex_unlock(&lock);
    return path;
}

static void look(const char *path) {
    struct stat state;
    char buffer[32768];
    ssize_t length;
    if (inotify_add_watch(events, path, IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVE | IN_CREATE | IN_DELETE |
                                            IN_DELETE_SELF | IN_MOVE_SELF) < 0)
        abort();
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || fstat(directory, &state) < 0) abort();
    while ((length = getdents64(directory, buffer, sizeof buffer)) > 0) {
        for (ssize_t at = 0; at < length;) {
            const struct dirent64 *entry = (const void *)(buffer + at);
            const char *name = entry->d_name;
            at += entry->d_reclen;
            if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, ".git") || !strcmp(name, "node_modules"))
                continue;
            if (entry->d_type != DT_DIR) {
                fstatat(directory, name, &state, AT_SYMLINK_NOFOLLOW);
                continue;
            }
            char *below;
            if (asprintf(&below, "%s/%s", path, name) < 0) abort();
            put(below);
        }
    }
    close(directory);
}

static void *work(void *unused) {
    (void)unused;
    for (char *path = take(0); path; path = take(1)) {
        look(path);
        free(path);
    }
    return NULL;
}

int main(void) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    char *here = getcwd(NULL, 0);
    if ((events = inotify_init1(IN_CLOEXEC)) < 0 || !here) return 1;
    put(here);
    for (long thread = 1; thread < processors; thread++) {
        pthread_t id;
        if (pthread_create(&id, NULL, work, NULL) != 0) return 1;
    }
    work(NULL);
    fprintf(stderr, "floor: watching %zu directories\n", watched);
    return 0;
}

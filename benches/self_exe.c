/* Under valgrind, `/proc/self/exe` is valgrind, and a child's own name is lost. Preloaded, this lets a program
 * that starts itself by that link, under another name, do so all the same: SELF_EXE holds its path.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define NAME "SELF_NAME="

/* In a child that shares our memory: nothing is allocated, and the lists are on the stack. */
int execve(const char *path, char *const argv[], char *const env[]) {
    int (*real)(const char *, char *const[], char *const[]) = dlsym(RTLD_NEXT, "execve");
    const char *self = getenv("SELF_EXE");
    if (!self || strcmp(path, "/proc/self/exe") != 0) return real(path, argv, env);
    size_t count = 0;
    while (env[count]) count++;
    char *with_name[count + 2], name[sizeof NAME + 32] = NAME;
    memcpy(with_name, env, count * sizeof *env);
    strncat(name, argv[0], 32);
    with_name[count] = name;
    with_name[count + 1] = NULL;
    return real(self, argv, with_name);
}

__attribute__((constructor)) static void take_name(int argc, char **argv, char **env) {
    (void)env;
    char *name = getenv("SELF_NAME");
    if (name && argc > 0) argv[0] = name;
}

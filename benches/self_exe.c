/* Under valgrind, `/proc/self/exe` is valgrind. Preloaded, this lets a program that starts itself by that
 * name start itself all the same: SELF_EXE holds the path.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

int execve(const char *path, char *const argv[], char *const env[]) {
    static int (*real)(const char *, char *const[], char *const[]);
    if (!real) real = (int (*)(const char *, char *const[], char *const[]))dlsym(RTLD_NEXT, "execve");
    const char *self = getenv("SELF_EXE");
    return real(self && strcmp(path, "/proc/self/exe") == 0 ? self : path, argv, env);
}

/* The command under test: the moment it runs it sends its CLOCK_MONOTONIC time and its pid to a
 * datagram socket outside the watched tree.
 *
 *   stamp SOCKET end      stamps and ends
 *   stamp SOCKET serve    stamps and stays until a signal ends it
 */
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (argc < 3) return 2;
    int64_t message[2] = {(int64_t)now.tv_sec * 1000000000 + now.tv_nsec, getpid()};
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strncpy(to.sun_path, argv[1], sizeof to.sun_path - 1);
    int s = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (s < 0 || sendto(s, message, sizeof message, 0, (struct sockaddr *)&to, sizeof to) < 0) return 1;
    close(s);
    if (strcmp(argv[2], "serve") == 0)
        for (;;) pause();
    return 0;
}

/* suite: lists the tests. suite NAME: runs one. */
#include "suite.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static pid_t mock = -1;
static pid_t runner;
void (*after_receive)(void);

void check_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not true: %s (errno %d, %s)\n", file, line, what, errno, strerror(errno));
    if (getpid() == runner)
        mock_kill();
    _exit(1);
}

void mock_start(void)
{
    int ready[2];
    char byte;
    CHECK(pipe(ready) == 0);
    mock = fork();
    if (mock == 0) {
        unsetenv("LD_PRELOAD");
        dup2(ready[1], STDOUT_FILENO);
        close(ready[0]);
        close(ready[1]);
        execl(getenv("XFRM_BRIDGE_MOCK"), "mock", getenv("XFRM_BRIDGE_DIR"), NULL);
        _exit(127);
    }
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
}

void mock_kill(void)
{
    if (mock > 0) {
        kill(mock, SIGKILL);
        waitpid(mock, NULL, 0);
    }
    mock = -1;
}

void mock_start_to_end(void)
{
    setenv("MOCK_ENDS", "1", 1);
    mock_start();
    unsetenv("MOCK_ENDS");
}

void mock_await_end(void)
{
    CHECK(waitpid(mock, NULL, 0) == mock);
    mock = -1;
}

void mock_stop(void)
{
    CHECK(kill(mock, SIGSTOP) == 0 && waitpid(mock, NULL, WUNTRACED) == mock);
}

void mock_go_on(void)
{
    CHECK(kill(mock, SIGCONT) == 0);
}

static const char *read_log(void)
{
    static char content[65536];
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/log", getenv("XFRM_BRIDGE_DIR"));
    FILE *log = fopen(path, "r");
    size_t length = log == NULL ? 0 : fread(content, 1, sizeof content - 1, log);
    content[length] = '\0';
    if (log != NULL)
        fclose(log);
    return content;
}

bool log_lacks(const char *text)
{
    return strstr(read_log(), text) == NULL;
}

bool log_shows(const char *text)
{
    for (int i = 0; i < 200 && log_lacks(text); i++)
        poll(NULL, 0, 10);
    if (log_lacks(text))
        fprintf(stderr, "log lacks \"%s\":\n%s", text, read_log());
    return !log_lacks(text);
}

int open_netlink(int type)
{
    int fd = socket(AF_NETLINK, type, NETLINK_XFRM);
    CHECK(fd >= 0);
    return fd;
}

void bind_netlink(int fd, uint32_t port, uint32_t groups)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_pid = port, .nl_groups = groups};
    CHECK(bind(fd, (struct sockaddr *) &address, sizeof address) == 0);
}

uint32_t port_of(int fd)
{
    struct sockaddr_nl address = {0};
    socklen_t length = sizeof address;
    CHECK(getsockname(fd, (struct sockaddr *) &address, &length) == 0);
    CHECK(length == sizeof address && address.nl_family == AF_NETLINK);
    return address.nl_pid;
}

ssize_t request(int fd, int type, uint32_t argument)
{
    struct {
        struct nlmsghdr header;
        uint32_t argument;
    } message = {{.nlmsg_len = sizeof message, .nlmsg_type = (uint16_t) type, .nlmsg_flags = NLM_F_REQUEST}, argument};
    return send(fd, &message, sizeof message, 0);
}

struct mock_client tell(int fd)
{
    struct {
        struct nlmsghdr header;
        struct mock_client client;
    } answer;
    CHECK(request(fd, MOCK_TELL, 0) > 0);
    CHECK(recv(fd, &answer, sizeof answer, 0) == sizeof answer);
    CHECK(answer.header.nlmsg_type == MOCK_TELL);
    return answer.client;
}

int open_udp(unsigned long *cookie, int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct stat status;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(bind(fd, (struct sockaddr *) &address, sizeof address) == 0);
    CHECK(getsockname(fd, (struct sockaddr *) &address, &length) == 0 && fstat(fd, &status) == 0);
    *cookie = status.st_ino;
    *port = ntohs(address.sin_port);
    return fd;
}

int main(int argc, char **argv)
{
    const struct test *lists[] = {netlink_tests, restart_tests, registry_tests, process_tests, caller_tests};
    runner = getpid();
    signal(SIGPIPE, SIG_DFL); /* no test may depend on a parent that ignores it */
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        for (const struct test *test = lists[i]; test->name != NULL; test++) {
            if (argc == 1) {
                puts(test->name);
            } else if (strcmp(argv[1], test->name) == 0) {
                mock_start();
                test->run();
                mock_kill();
                return 0;
            }
        }
    }
    return argc == 1 ? 0 : 2;
}

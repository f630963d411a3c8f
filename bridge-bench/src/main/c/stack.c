// stack.c - datagrams for stack.sh.
//
//     stack send HOST PORT BYTES COUNT [SECONDS]   sends as fast as it can until either is reached; prints: datagrams a
//                                                  second, and nanoseconds of processor for each, the kernel's included
//     stack sink HOST PORT                         takes in; on SIGUSR1 prints how many since the last
//     stack encap PORT                             asks for ESP in UDP at a port, as an IKE daemon does

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define UDP_ENCAP 100
#define UDP_ENCAP_ESPINUDP 2

static volatile unsigned long received;

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

static struct sockaddr_in address(const char *host, const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    inet_pton(AF_INET, host, &to.sin_addr);
    return to;
}

static int bound(struct sockaddr_in at)
{
    int socket_fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(socket_fd, (struct sockaddr *) &at, sizeof at) < 0) {
        perror("bind");
        exit(1);
    }
    return socket_fd;
}

static void report(int signal)
{
    (void) signal;
    char text[32];
    int length = snprintf(text, sizeof text, "%lu\n", received);
    received = 0;
    (void) !write(1, text, length);
}

static void take_in(int socket_fd)
{
    char datagram[65536];
    int buffer = 16 << 20; // Else what is lost here, where trains arrive, is most of what is lost.
    setsockopt(socket_fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    struct sigaction action = {.sa_handler = report, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    for (;;)
        if (recv(socket_fd, datagram, sizeof datagram, 0) >= 0)
            received++;
}

static void send_all(struct sockaddr_in to, int bytes, long most, double limit)
{
    static char datagram[65536];
    int socket_fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (connect(socket_fd, (struct sockaddr *) &to, sizeof to) < 0)
        return perror("connect");
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), begin = seconds(CLOCK_MONOTONIC), took = 0;
    long sent = 0;
    while (sent < most && took < limit) {
        for (int i = 0; i < 100; i++)
            (void) !send(socket_fd, datagram, bytes, 0);
        sent += 100;
        took = seconds(CLOCK_MONOTONIC) - begin;
    }
    printf("%.0f %.0f\n", sent / took, (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) / sent * 1e9);
}

int main(int count, char **arguments)
{
    if (count >= 6 && !strcmp(arguments[1], "send")) {
        send_all(address(arguments[2], arguments[3]), atoi(arguments[4]), atol(arguments[5]),
                count > 6 ? atof(arguments[6]) : 1e9);
    } else if (count == 4 && !strcmp(arguments[1], "sink")) {
        take_in(bound(address(arguments[2], arguments[3])));
    } else if (count == 3 && !strcmp(arguments[1], "encap")) {
        int type = UDP_ENCAP_ESPINUDP, socket_fd = bound(address("0.0.0.0", arguments[2]));
        if (setsockopt(socket_fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof type) < 0) {
            perror("UDP_ENCAP");
            return 1;
        }
        pause();
    } else {
        fprintf(stderr, "what stack.sh gives\n");
        return 2;
    }
    return 0;
}

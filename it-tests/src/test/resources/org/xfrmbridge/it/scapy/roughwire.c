/*
 * roughwire LEFT RIGHT SEED: passes frames between two devices. Of those with ESP, bare or in UDP, it loses 0.1 %,
 * sends 1 % twice, and holds 5 % back until up to 16 more have passed. SIGTERM ends it: it sends what it holds, and
 * says of each direction how many came, were lost, were sent again and were held back, and how many it had no room for
 * to see.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

enum { MAX_FRAME = 2048, MOST_HELD = 64, HOLD = 16, QUIET_MS = 10, BUFFER = 64 << 20 };

struct frame {
    ssize_t bytes;
    long due;
    unsigned char data[MAX_FRAME];
};

struct direction {
    int from, to;
    long came, lost, again, held_back;
    int held;
    struct frame waiting[MOST_HELD];
};

static volatile sig_atomic_t ended;

static void end(int signal)
{
    (void) signal;
    ended = 1;
}

static int open_device(const char *name)
{
    int one = 1, bytes = BUFFER;
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int fd = socket(AF_PACKET, SOCK_RAW, 0);

    address.sll_ifindex = if_nametoindex(name);
    if (fd < 0 || !address.sll_ifindex || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes))
            || setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes))
            || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one))
            || bind(fd, (struct sockaddr *) &address, sizeof(address)))
        err(1, "%s", name);
    return fd;
}

/* ESP over IPv4, or a datagram of port 4500 that begins with an SPI. */
static int has_esp(const struct frame *f)
{
    const unsigned char *ip = f->data + 14;
    uint32_t spi;

    if (f->bytes < 14 + 20 + 8 + 8 || f->data[12] != 8 || f->data[13] != 0 || ip[0] != 0x45)
        return 0;
    if (ip[9] == 50)
        return 1;
    memcpy(&spi, ip + 28, sizeof(spi));
    return ip[9] == 17 && ip[22] == 4500 >> 8 && ip[23] == (4500 & 255) && spi != 0;
}

static int send_frame(struct direction *d, const struct frame *f)
{
    return send(d->to, f->data, f->bytes, 0) == f->bytes;
}

static void send_due(struct direction *d, long until)
{
    for (int i = 0; i < d->held;) {
        if (d->waiting[i].due > until) {
            i++;
            continue;
        }
        d->lost += !send_frame(d, &d->waiting[i]);
        d->waiting[i] = d->waiting[--d->held];
    }
}

static void pass(struct direction *d, struct frame *f)
{
    int chance;

    if (!has_esp(f)) {
        send_frame(d, f);
        return;
    }
    d->came++;
    chance = random() % 1000;
    if (chance == 0) {
        d->lost++;
    } else if (chance <= 50 && d->held < MOST_HELD) {
        f->due = d->came + 1 + random() % HOLD;
        d->waiting[d->held++] = *f;
        d->held_back++;
    } else if (!send_frame(d, f)) {
        d->lost++;
    } else if (chance <= 60 && send_frame(d, f)) {
        d->again++;
    }
    send_due(d, d->came);
}

static void take(struct direction *d)
{
    static struct frame f;

    for (int i = 0; i < 64 && (f.bytes = recv(d->from, f.data, MAX_FRAME, MSG_DONTWAIT | MSG_TRUNC)) > 0; i++) {
        if (f.bytes > MAX_FRAME)
            errx(1, "a frame of %zd bytes", f.bytes);
        pass(d, &f);
    }
}

static long dropped(int fd)
{
    struct tpacket_stats stats;
    socklen_t bytes = sizeof(stats);

    if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes))
        err(1, "PACKET_STATISTICS");
    return stats.tp_drops;
}

int main(int argc, char **argv)
{
    static struct direction d[2];
    struct pollfd ready[2];

    if (argc != 4)
        errx(2, "roughwire LEFT RIGHT SEED");
    for (int i = 0; i < 2; i++) {
        d[i].from = d[1 - i].to = open_device(argv[1 + i]);
        ready[i] = (struct pollfd) {.fd = d[i].from, .events = POLLIN};
    }
    srandom(strtoul(argv[3], NULL, 10));
    signal(SIGTERM, end);
    printf("open\n");
    fflush(stdout);
    while (!ended) {
        int happened = poll(ready, 2, QUIET_MS);

        for (int i = 0; i < 2; i++) {
            if (happened > 0)
                take(&d[i]);
            else
                send_due(&d[i], d[i].came + HOLD);
        }
    }
    for (int i = 0; i < 2; i++) {
        send_due(&d[i], d[i].came + HOLD);
        printf("from %s came %ld lost %ld again %ld held %ld unseen %ld\n", argv[1 + i], d[i].came, d[i].lost,
                d[i].again, d[i].held_back, dropped(d[i].from));
    }
    return 0;
}

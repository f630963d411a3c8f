/*
 * Replays a script of datagrams on the NETLINK_XFRM and PF_KEY sockets of the kernel it runs on, and writes down what
 * came back.
 *
 *   replay SCRIPT RECORDING
 *
 * Both files are records (Recording.java): a kind, a 32-bit length in the machine's order, and that many bytes.
 *   S   a sequence begins: its number, and which options the client sets (1 NETLINK_CAP_ACK, 2 NETLINK_EXT_ACK), and
 *       whether there are PF_KEY sockets in it (4): the client's, one that registered for ESP, and one that never says
 *       anything
 *   >   the client sends this datagram
 *   k   the client sends this to its PF_KEY socket; a policy's id LAST_INDEX is replaced by the last one it was told
 *   r   the same, but nothing that comes back is written down: makes the tables empty for the next sequence
 *   <   the client has received this, on the socket it asked; four bytes are the errno of the call that sent the
 *       message
 *   w   the client does nothing for a time (milliseconds, 32 bits)
 *   !   a member of all groups has received this; four bytes with the sender's nl_groups come first, or 0x100 for the
 *       client's PF_KEY socket, 0x101 for the registered one, 0x102 for the silent one
 *   .   the end
 * The recording holds the records of the script and, behind each > and w, those that came back.
 *
 * As the first process of a virtual machine it mounts what it needs, loads the modules named in /modules, replays
 * /script to the disk /dev/vda, and powers off.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/pfkeyv2.h>
#include <linux/xfrm.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CLIENT_PORT 4711
#define LISTENER_PORT 4712
#define ALL_GROUPS 0xff
/* What a kernel fills per datagram of a dump depends on the largest buffer it has seen: a page without the socket
 * buffer's own part keeps it at its least. */
#define DUMP_BYTES 3776

#define LAST_INDEX 0x6e1d0a5cu
enum { PFKEY_CLIENT, PFKEY_REGISTERED, PFKEY_PLAIN, PFKEY_SOCKETS };
#define PFKEY_FIRST 0x100

static unsigned char datagram[1 << 17];
static int pfkey[PFKEY_SOCKETS] = {-1, -1, -1};
static uint32_t last_index;
static FILE *script, *recording;

static void check(int failed, const char *what)
{
    if (!failed)
        return;
    perror(what);
    exit(1);
}

static int open_socket(uint32_t port, uint32_t groups)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_pid = port, .nl_groups = groups};
    int bytes = 8 << 20, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);

    check(fd < 0, "socket(NETLINK_XFRM)");
    check(bind(fd, (struct sockaddr *) &address, sizeof address), "bind");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    return fd;
}

static void set_option(int fd, int option, int on)
{
    check(setsockopt(fd, SOL_NETLINK, option, &on, sizeof on), "setsockopt");
}

static void put(int kind, const void *bytes, uint32_t length)
{
    fputc(kind, recording);
    fwrite(&length, sizeof length, 1, recording);
    fwrite(bytes, 1, length, recording);
}

static void take_replies(int client, int wanted)
{
    ssize_t length;

    while ((length = recv(client, datagram, DUMP_BYTES, MSG_DONTWAIT | MSG_TRUNC)) >= 0) {
        check(length > DUMP_BYTES, "a reply is too long");
        if (wanted)
            put('<', datagram, length);
    }
}

static void take_events(int listener, int wanted)
{
    for (;;) {
        char control[CMSG_SPACE(sizeof(struct nl_pktinfo))];
        /* the groups come first in a record, so the datagram is read behind it */
        struct iovec place = {datagram + 4, sizeof datagram - 4};
        struct sockaddr_nl sender = {0};
        struct msghdr message = {.msg_name = &sender,
                .msg_namelen = sizeof sender,
                .msg_iov = &place,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof control};
        ssize_t length = recvmsg(listener, &message, MSG_DONTWAIT);
        struct cmsghdr *info = CMSG_FIRSTHDR(&message);

        if (length < 0 && errno == ENOBUFS)
            check(1, "events were lost");
        if (length < 0)
            return;
        memcpy(datagram, &sender.nl_groups, 4);
        if (info && info->cmsg_type == NETLINK_PKTINFO) {
            uint32_t group;

            memcpy(&group, CMSG_DATA(info), sizeof group);
            errno = EPROTO;
            check(sender.nl_groups != 1u << (group - 1), "the sender's groups");
        }
        if (wanted)
            put('!', datagram, length + 4);
    }
}

/* Closed and opened again, as nothing takes a registration back. */
static void renew_pfkey(int wanted)
{
    struct sadb_msg registration = {PF_KEY_V2, SADB_REGISTER, 0, SADB_SATYPE_ESP, sizeof registration / 8, 0, 1, 1};
    int bytes = 8 << 20;

    for (int i = PFKEY_SOCKETS - 1; i >= 0; i--) {
        if (pfkey[i] >= 0)
            close(pfkey[i]);
        pfkey[i] = wanted ? socket(AF_KEY, SOCK_RAW | SOCK_CLOEXEC, PF_KEY_V2) : -1;
        check(wanted && pfkey[i] < 0, "socket(PF_KEY)");
        if (wanted)
            setsockopt(pfkey[i], SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    }
    last_index = 0;
    if (!wanted)
        return;
    check(send(pfkey[PFKEY_REGISTERED], &registration, sizeof registration, 0) < 0, "SADB_REGISTER");
    check(recv(pfkey[PFKEY_REGISTERED], datagram, sizeof datagram, 0) < 0, "SADB_REGISTER");
}

/* From a policy extension that is as long as it says. */
static void note_index(const unsigned char *message, size_t length)
{
    for (size_t at = sizeof(struct sadb_msg); at + sizeof(struct sadb_ext) <= length;) {
        struct sadb_ext extension;

        memcpy(&extension, message + at, sizeof extension);
        size_t bytes = extension.sadb_ext_len * 8u;
        if (!bytes || bytes > length - at)
            return;
        if (extension.sadb_ext_type == SADB_X_EXT_POLICY && bytes >= sizeof(struct sadb_x_policy))
            memcpy(&last_index, message + at + offsetof(struct sadb_x_policy, sadb_x_policy_id), sizeof last_index);
        at += bytes;
    }
}

static void fill_index(uint32_t length)
{
    for (uint32_t at = 0; at + 4 <= length; at += 4) {
        uint32_t word;

        memcpy(&word, datagram + at, sizeof word);
        if (word == LAST_INDEX)
            memcpy(datagram + at, &last_index, sizeof last_index);
    }
}

/* What one of the sockets has received: as answers, or as events. */
static void take_pfkey(int which, int kind)
{
    uint32_t heard_by = PFKEY_FIRST + which;
    ssize_t length;

    while ((length = recv(pfkey[which], datagram + 4, sizeof datagram - 4, MSG_DONTWAIT)) >= 0) {
        memcpy(datagram, &heard_by, sizeof heard_by);
        if (kind == '<') {
            note_index(datagram + 4, length);
            put('<', datagram + 4, length);
        } else {
            put('!', datagram, length + 4);
        }
    }
}

static void ask_pfkey(uint32_t length)
{
    fill_index(length);
    if (send(pfkey[PFKEY_CLIENT], datagram, length, 0) < 0) {
        uint32_t error = errno;
        put('<', &error, sizeof error);
    }
    take_pfkey(PFKEY_CLIENT, '<');
}

/* What goes with a state may go only when the kernel's garbage collector runs. */
static void await_empty(int client)
{
    struct {
        struct nlmsghdr header;
        uint32_t flags;
    } request = {{sizeof request, XFRM_MSG_GETSADINFO, NLM_F_REQUEST, 1, 0}, 0};

    for (int tries = 0; tries < 1000; tries++) {
        uint32_t count;

        check(send(client, &request, sizeof request, 0) < 0, "send");
        check(recv(client, datagram, DUMP_BYTES, 0) < 28, "GETSADINFO");
        memcpy(&count, datagram + 24, sizeof count);
        if (!count)
            return;
        usleep(1000);
    }
    fprintf(stderr, "states are left behind\n");
}

static int next_record(uint32_t *length)
{
    int kind = fgetc(script);

    if (kind == EOF)
        return 0;
    check(fread(length, sizeof *length, 1, script) != 1 || *length > sizeof datagram, "script");
    check(fread(datagram, 1, *length, script) != *length, "script");
    return kind;
}

static void replay(const char *from, const char *to)
{
    int kind, client = open_socket(CLIENT_PORT, 0), listener = open_socket(LISTENER_PORT, ALL_GROUPS);
    uint32_t length, with_pfkey = 0;

    set_option(listener, NETLINK_PKTINFO, 1);
    script = fopen(from, "r");
    check(!script, from);
    recording = fopen(to, "w");
    check(!recording, to);
    setvbuf(recording, NULL, _IOFBF, 1 << 20);
    while ((kind = next_record(&length))) {
        if (kind != 'r')
            put(kind, datagram, length);
        if (kind == 'S') {
            int cap_ack = datagram[4] & 1, ext_ack = datagram[4] >> 1 & 1;

            with_pfkey = datagram[4] & 4;
            await_empty(client);
            renew_pfkey(with_pfkey);
            set_option(client, NETLINK_CAP_ACK, cap_ack);
            set_option(client, NETLINK_EXT_ACK, ext_ack);
        } else if (kind == '>' || kind == 'r') {
            /* an empty datagram is refused by the kernel itself */
            check(send(client, datagram, length, 0) < 0 && length > 0, "send");
            take_replies(client, kind == '>');
            take_events(listener, kind == '>');
            for (int i = 0; kind == '>' && with_pfkey && i < PFKEY_SOCKETS; i++)
                take_pfkey(i, '!');
        } else if (kind == 'k') {
            ask_pfkey(length);
            take_events(listener, 1);
            for (int i = PFKEY_REGISTERED; i < PFKEY_SOCKETS; i++)
                take_pfkey(i, '!');
        } else if (kind == 'w') {
            uint32_t ms;

            memcpy(&ms, datagram, sizeof ms);
            usleep(ms * 1000);
            take_events(listener, 1);
        }
    }
    put('.', "", 0);
    check(fclose(recording), to);
}

static void load_modules(void)
{
    char path[4096];
    FILE *list = fopen("/modules", "r");

    while (list && fgets(path, sizeof path, list)) {
        path[strcspn(path, "\n")] = 0;
        int module = open(path, O_RDONLY | O_CLOEXEC);
        int compressed = strstr(path, ".xz") ? MODULE_INIT_COMPRESSED_FILE : 0;
        if (module < 0 || (syscall(SYS_finit_module, module, "", compressed) && errno != EEXIST))
            perror(path);
        close(module);
    }
}

static void power_off(void)
{
    sync();
    reboot(RB_POWER_OFF);
}

static void run_as_init(void)
{
    int console;

    mount("dev", "/dev", "devtmpfs", 0, NULL);
    mount("proc", "/proc", "proc", 0, NULL);
    console = open("/dev/ttyS0", O_RDWR);
    dup2(console, 1);
    dup2(console, 2);
    atexit(power_off);
    load_modules();
    /* each unknown algorithm would look for a module in vain */
    console = open("/proc/sys/kernel/modprobe", O_WRONLY);
    check(console < 0 || write(console, "\n", 1) < 0, "modprobe");
    replay("/script", "/dev/vda");
    puts("replayed");
    exit(0);
}

int main(int count, char **arguments)
{
    if (getpid() == 1)
        run_as_init();
    if (count != 3) {
        fprintf(stderr, "usage: replay SCRIPT RECORDING\n");
        return 2;
    }
    replay(arguments[1], arguments[2]);
    return 0;
}

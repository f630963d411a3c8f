/* Replays a script of netlink datagrams on the NETLINK_XFRM of the kernel it runs on, and writes down what came back.
 *
 *   replay SCRIPT RECORDING
 *
 * Both files are records (Recording.java): a kind, a 32-bit length in the machine's order, and that many bytes.
 *   S   a sequence begins: its number, and which options the client sets (1 NETLINK_CAP_ACK, 2 NETLINK_EXT_ACK)
 *   >   the client sends this datagram
 *   r   the same, but nothing that comes back is written down: makes the tables empty for the next sequence
 *   <   the client has received this
 *   !   a member of all groups has received this; four bytes with the group's number come first
 *   .   the end
 * The recording holds the records of the script and, behind each >, those that came back.
 *
 * As the first process of a virtual machine it mounts what it needs, loads the modules named in /modules, replays
 * /script to the disk /dev/vda, and powers off.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
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

static unsigned char datagram[1 << 17];
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
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_pid = port, .nl_groups = groups };
	int bytes = 8 << 20, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);

	check(fd < 0, "socket(NETLINK_XFRM)");
	check(bind(fd, (struct sockaddr *)&address, sizeof address), "bind");
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
		/* the group comes first in a record, so the datagram is read behind it */
		struct iovec place = { datagram + 4, sizeof datagram - 4 };
		struct msghdr message = { .msg_iov = &place, .msg_iovlen = 1, .msg_control = control,
					  .msg_controllen = sizeof control };
		ssize_t length = recvmsg(listener, &message, MSG_DONTWAIT);
		struct cmsghdr *info = CMSG_FIRSTHDR(&message);

		if (length < 0 && errno == ENOBUFS)
			check(1, "events were lost");
		if (length < 0)
			return;
		memset(datagram, 0, 4);
		if (info && info->cmsg_type == NETLINK_PKTINFO)
			memcpy(datagram, CMSG_DATA(info), 4);
		if (wanted)
			put('!', datagram, length + 4);
	}
}

/* What goes with a state may go only when the kernel's garbage collector runs. */
static void await_empty(int client)
{
	struct {
		struct nlmsghdr header;
		uint32_t flags;
	} request = { { sizeof request, XFRM_MSG_GETSADINFO, NLM_F_REQUEST, 1, 0 }, 0 };

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
	uint32_t length;

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

			await_empty(client);
			set_option(client, NETLINK_CAP_ACK, cap_ack);
			set_option(client, NETLINK_EXT_ACK, ext_ack);
		} else if (kind == '>' || kind == 'r') {
			/* an empty datagram is refused by the kernel itself */
			check(send(client, datagram, length, 0) < 0 && length > 0, "send");
			take_replies(client, kind == '>');
			take_events(listener, kind == '>');
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

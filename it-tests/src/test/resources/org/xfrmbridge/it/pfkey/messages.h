/* PF_KEY messages in the making, and as text: one at a time, as the client is one thread. */
#include <arpa/inet.h>
#include <linux/ipsec.h>
#include <linux/pfkeyv2.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HERE "192.0.2.1"
#define THERE "192.0.2.2"
#define MY_PID 4711
enum { ROOM = 65536, CHOSEN_FROM = 0x2000 };

static unsigned char message[ROOM], answer[ROOM];
static size_t filled;
static uint32_t number, last_spi, last_id;

static void check(int failed, const char *what)
{
    if (!failed)
        return;
    perror(what);
    exit(1);
}

static void begin(int type, int satype)
{
    struct sadb_msg head = {PF_KEY_V2, type, 0, satype, 0, 0, ++number, MY_PID};

    memset(message, 0, sizeof message);
    memcpy(message, &head, sizeof head);
    filled = sizeof head;
}

/* An extension: its header's length and number are filled in, and padding follows. */
static void put(int type, const void *extension, size_t bytes)
{
    struct sadb_ext head = {(bytes + 7) / 8, type};

    memcpy(message + filled, extension, bytes);
    memcpy(message + filled, &head, sizeof head);
    filled += head.sadb_ext_len * 8;
}

static void put_address(int type, const char *text, int bits, int proto)
{
    struct {
        struct sadb_address head;
        struct sockaddr_in address;
    } extension = {{0, 0, proto, bits, 0}, {.sin_family = AF_INET}};

    inet_pton(AF_INET, text, &extension.address.sin_addr);
    put(type, &extension, sizeof extension);
}

static void put_hosts(const char *from, const char *to)
{
    put_address(SADB_EXT_ADDRESS_SRC, from, 32, 0);
    put_address(SADB_EXT_ADDRESS_DST, to, 32, 0);
}

static void put_sa(uint32_t spi)
{
    struct sadb_sa sa = {0, 0, htonl(spi), 4, SADB_SASTATE_MATURE, SADB_AALG_SHA1HMAC, SADB_X_EALG_AESCBC, 0};

    put(SADB_EXT_SA, &sa, sizeof sa);
}

static void put_keys(int byte)
{
    unsigned char key[sizeof(struct sadb_key) + 20];
    struct sadb_key head = {.sadb_key_bits = 160};

    memset(key, byte, sizeof key);
    memcpy(key, &head, sizeof head);
    put(SADB_EXT_KEY_AUTH, key, sizeof key);
    head.sadb_key_bits = 128;
    memcpy(key, &head, sizeof head);
    put(SADB_EXT_KEY_ENCRYPT, key, sizeof head + 16);
}

static void put_sa2(int mode, uint32_t reqid)
{
    struct sadb_x_sa2 sa2 = {.sadb_x_sa2_mode = mode, .sadb_x_sa2_reqid = reqid};

    put(SADB_X_EXT_SA2, &sa2, sizeof sa2);
}

static void put_lifetimes(void)
{
    struct sadb_lifetime limit = {.sadb_lifetime_addtime = 28800};

    put(SADB_EXT_LIFETIME_HARD, &limit, sizeof limit);
    limit.sadb_lifetime_addtime = 23040;
    put(SADB_EXT_LIFETIME_SOFT, &limit, sizeof limit);
}

static void put_nat(void)
{
    struct sadb_x_nat_t_type type = {.sadb_x_nat_t_type_type = UDP_ENCAP_ESPINUDP};
    struct sadb_x_nat_t_port port = {.sadb_x_nat_t_port_port = htons(4500)};

    put(SADB_X_EXT_NAT_T_TYPE, &type, sizeof type);
    put(SADB_X_EXT_NAT_T_SPORT, &port, sizeof port);
    put(SADB_X_EXT_NAT_T_DPORT, &port, sizeof port);
}

/* A tunnel between the two hosts, as racoon and "unique" of setkey ask for it. */
static void put_policy(int direction, uint32_t id, int tunnel)
{
    struct {
        struct sadb_x_policy policy;
        struct sadb_x_ipsecrequest request;
        struct sockaddr_in ends[2];
    } extension = {
            {.sadb_x_policy_type = IPSEC_POLICY_IPSEC, .sadb_x_policy_dir = direction, .sadb_x_policy_id = id},
            {.sadb_x_ipsecrequest_len = sizeof extension - sizeof extension.policy,
                    .sadb_x_ipsecrequest_proto = IPPROTO_ESP,
                    .sadb_x_ipsecrequest_mode = IPSEC_MODE_TUNNEL,
                    .sadb_x_ipsecrequest_level = IPSEC_LEVEL_UNIQUE,
                    .sadb_x_ipsecrequest_reqid = direction},
            {{.sin_family = AF_INET}, {.sin_family = AF_INET}},
    };
    int out = direction == IPSEC_DIR_OUTBOUND;

    inet_pton(AF_INET, out ? HERE : THERE, &extension.ends[0].sin_addr);
    inet_pton(AF_INET, out ? THERE : HERE, &extension.ends[1].sin_addr);
    put(SADB_X_EXT_POLICY, &extension, tunnel ? sizeof extension : sizeof extension.policy);
}

static void put_nets(int direction)
{
    int out = direction == IPSEC_DIR_OUTBOUND;

    put_address(SADB_EXT_ADDRESS_SRC, out ? "10.1.0.0" : "10.2.0.0", 16, 255);
    put_address(SADB_EXT_ADDRESS_DST, out ? "10.2.0.0" : "10.1.0.0", 16, 255);
}

static void put_range(uint32_t from, uint32_t to)
{
    struct sadb_spirange range = {.sadb_spirange_min = from, .sadb_spirange_max = to};

    put(SADB_EXT_SPIRANGE, &range, sizeof range);
}

static void hide(unsigned char *extension, int at, size_t bytes)
{
    memset(extension + at, 0, bytes);
}

/* Times, SPIs and indexes that were chosen, and the algorithms a kernel happens to have. */
static void print_extension(unsigned char *extension, size_t bytes, int type)
{
    if (type == SADB_EXT_SA) {
        memcpy(&last_spi, extension + 4, 4);
        last_spi = ntohl(last_spi);
        if (last_spi >= CHOSEN_FROM)
            hide(extension, 4, 4);
    }
    if (type == SADB_EXT_LIFETIME_CURRENT)
        hide(extension, 16, 16);
    if (type == SADB_X_EXT_POLICY) {
        memcpy(&last_id, extension + 8, 4);
        hide(extension, 8, 4);
    }
    printf(" [%d ", type);
    if (type == SADB_EXT_SUPPORTED_AUTH || type == SADB_EXT_SUPPORTED_ENCRYPT)
        printf("...");
    else
        for (size_t i = 4; i < bytes; i++)
            printf("%02x", extension[i]);
    printf("]");
}

static void print(size_t length)
{
    struct sadb_msg head;

    memcpy(&head, answer, sizeof head);
    printf("  type %d errno %d satype %d seq %d pid %d", head.sadb_msg_type, head.sadb_msg_errno, head.sadb_msg_satype,
            head.sadb_msg_seq, head.sadb_msg_pid);
    for (size_t at = sizeof head; at < length;) {
        struct sadb_ext extension;

        memcpy(&extension, answer + at, sizeof extension);
        check(!extension.sadb_ext_len, "an extension without length");
        print_extension(answer + at, extension.sadb_ext_len * 8, extension.sadb_ext_type);
        at += extension.sadb_ext_len * 8;
    }
    printf("\n");
}

static void hear(int fd, const char *who)
{
    ssize_t length;

    while ((length = recv(fd, answer, sizeof answer, MSG_DONTWAIT)) >= (ssize_t) sizeof(struct sadb_msg)) {
        printf("%s", who);
        print(length);
    }
}

static void ask(int fd, const char *what)
{
    struct sadb_msg head;

    memcpy(&head, message, sizeof head);
    head.sadb_msg_len = filled / 8;
    memcpy(message, &head, sizeof head);
    printf("%s\n", what);
    check(send(fd, message, filled, 0) < 0, what);
    hear(fd, " ");
}

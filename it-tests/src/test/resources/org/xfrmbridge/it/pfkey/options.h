/* Socket policies in all forms, on sockets of all kinds: what setsockopt() says to each, 0 or an errno. */
#include <errno.h>
#include <linux/xfrm.h>
#include <stddef.h>
#include <unistd.h>

static const struct socket_kind {
    const char *name;
    int domain, type, protocol;
} socket_kinds[] = {
        {"inet dgram", AF_INET, SOCK_DGRAM, 0},
        {"inet stream", AF_INET, SOCK_STREAM, 0},
        {"inet raw", AF_INET, SOCK_RAW, IPPROTO_UDP},
        {"inet6 dgram", AF_INET6, SOCK_DGRAM, 0},
        {"inet6 stream", AF_INET6, SOCK_STREAM, 0},
        {"inet6 raw", AF_INET6, SOCK_RAW, IPPROTO_UDP},
        {"unix dgram", AF_UNIX, SOCK_DGRAM, 0},
};

static const struct policy_option {
    const char *name;
    int level, number;
} policy_options[] = {
        {"IP_XFRM_POLICY", IPPROTO_IP, IP_XFRM_POLICY},
        {"IPV6_XFRM_POLICY", IPPROTO_IPV6, IPV6_XFRM_POLICY},
        {"IP_IPSEC_POLICY", IPPROTO_IP, IP_IPSEC_POLICY},
        {"IPV6_IPSEC_POLICY", IPPROTO_IPV6, IPV6_IPSEC_POLICY},
};

struct xfrm_value {
    struct xfrm_userpolicy_info info;
    struct xfrm_user_tmpl templates[7];
};
#define AT(field) offsetof(struct xfrm_value, field)

/*
 * A kernel asks its key managers in turn, and says what the last one said: of a bad netlink policy EINVAL, or
 * EOPNOTSUPP if PF_KEY was asked behind it. That counts as EINVAL.
 */
static void set(int fd, const struct policy_option *option, const void *value, socklen_t length)
{
    int error = setsockopt(fd, option->level, option->number, value, length) ? errno : 0, domain = 0;
    socklen_t room = sizeof domain;

    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &room);
    if (error == EOPNOTSUPP
            && ((domain == AF_INET && option->number == IP_XFRM_POLICY)
                    || (domain == AF_INET6 && option->number == IPV6_XFRM_POLICY)))
        error = EINVAL;
    printf(" %d", error);
}

static void set_changed(int fd, const struct policy_option *option, size_t at, int byte)
{
    struct xfrm_value value = {.info = {.sel.family = AF_INET, .dir = XFRM_POLICY_OUT}};

    value.templates[0] = (struct xfrm_user_tmpl) {
            .id.proto = IPPROTO_ESP, .family = AF_INET, .aalgos = ~0u, .ealgos = ~0u, .calgos = ~0u};
    ((unsigned char *) &value)[at] = byte;
    set(fd, option, &value, sizeof value.info + sizeof *value.templates);
}

/* Each field of a netlink policy and its template that is checked, wrong; then lengths. */
static void set_xfrm(int fd, const struct policy_option *option)
{
    static const struct xfrm_value none;
    static const int changes[][2] = {
            {AT(info.dir), XFRM_POLICY_OUT},
            {AT(info.dir), XFRM_POLICY_FWD},
            {AT(info.dir), 3},
            {AT(info.action), XFRM_POLICY_BLOCK},
            {AT(info.action), 2},
            {AT(info.flags), 0xff},
            {AT(info.share), XFRM_SHARE_UNIQUE},
            {AT(info.share), 4},
            {AT(info.index), 1},
            {AT(info.sel.family), 0},
            {AT(info.sel.family), AF_INET6},
            {AT(info.sel.family), AF_UNIX},
            {AT(info.sel.prefixlen_d), 32},
            {AT(info.sel.prefixlen_d), 33},
            {AT(info.sel.prefixlen_s), 129},
            {AT(templates[0].id.proto), IPPROTO_AH},
            {AT(templates[0].id.proto), IPPROTO_UDP},
            {AT(templates[0].id.proto), 0},
            {AT(templates[0].family), 0},
            {AT(templates[0].family), AF_INET6},
            {AT(templates[0].mode), XFRM_MODE_TUNNEL},
            {AT(templates[0].mode), 9},
            {AT(templates[0].share), 9},
            {AT(templates[0].optional), 9},
    };
    static const socklen_t lengths[] = {0, 1, sizeof none.info - 1, sizeof none.info, sizeof none.info + 1,
            sizeof none.info + 6 * sizeof *none.templates, sizeof none};
    struct xfrm_value value = {.info = {.sel.family = AF_INET}};
    static char page[4097];

    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        set_changed(fd, option, changes[i][0], changes[i][1]);
    printf(" lengths");
    for (int i = 0; i < 7; i++)
        value.templates[i] = (struct xfrm_user_tmpl) {.id.proto = IPPROTO_ESP, .family = AF_INET};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        set(fd, option, &value, lengths[i]);
    set(fd, option, page, sizeof page - 1);
    set(fd, option, page, sizeof page);
    set(fd, option, NULL, sizeof value.info);
}

static void set_ipsec(int fd, const struct policy_option *option)
{
    static const int changes[][2] = {
            {0, 2},
            {6, 0},
            {6, 1},
            {6, 3},
            {4, IPSEC_POLICY_NONE},
            {4, IPSEC_POLICY_DISCARD},
            {4, IPSEC_POLICY_ENTRUST},
            {4, 5},
            {2, 9},
            {0, 1},
            {0, 3},
            {0, 0},
            {5, 1},
            {7, 1},
            {8, 9},
    };
    static const socklen_t lengths[] = {
            0, 1, sizeof(struct sadb_x_policy) - 1, sizeof(struct sadb_x_policy) + 1, 4096, 4097};
    static struct {
        struct sadb_x_policy policy;
        char room[4096];
    } value;
    const struct sadb_x_policy good = {2, SADB_X_EXT_POLICY, IPSEC_POLICY_BYPASS, IPSEC_DIR_OUTBOUND, 0, 0, 0};

    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        value.policy = good;
        ((unsigned char *) &value)[changes[i][0]] = changes[i][1];
        set(fd, option, &value, sizeof value.policy);
    }
    printf(" lengths");
    value.policy = good;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        set(fd, option, &value, lengths[i]);
    set(fd, option, NULL, sizeof value.policy);
}

static void try_options(void)
{
    for (size_t kind = 0; kind < sizeof socket_kinds / sizeof *socket_kinds; kind++) {
        for (int i = 0; i < 4; i++) {
            const struct policy_option *option = &policy_options[i];
            int fd = socket(socket_kinds[kind].domain, socket_kinds[kind].type, socket_kinds[kind].protocol);

            check(fd < 0, "socket");
            printf("%s %s", socket_kinds[kind].name, option->name);
            if (i < 2)
                set_xfrm(fd, option);
            else
                set_ipsec(fd, option);
            printf(" none");
            set(fd, option, NULL, 0);
            printf("\n");
            close(fd);
        }
    }
}

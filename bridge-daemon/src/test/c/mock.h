/* What the tests and the mock bridge say to each other beyond netlink and PF_KEY. */
#ifndef XFRM_BRIDGE_MOCK_H
#define XFRM_BRIDGE_MOCK_H

#include <stdint.h>

/* Netlink message types of the mock. */
enum {
    MOCK_TELL = 0x700,     /* answered with a struct mock_client */
    MOCK_FLOOD = 0x701,    /* u32 n: answered with n bytes */
    MOCK_OVERRUN = 0x702,  /* answered with the OVERRUN frame */
    MOCK_ANNOUNCE = 0x703, /* u32 group: MOCK_EVENT to each member of it */
    MOCK_EVENT = 0x704,
    MOCK_HANG_UP = 0x705, /* ends this connection and no other */
    MOCK_DELAY = 0x706,   /* u32 n: acknowledged after n milliseconds */
};

/* PF_KEY: answered with the header and the mask of SA types for which REGISTER frames came. */
enum { MOCK_SADB_TELL = 12 };

struct mock_client {
    uint32_t port, groups, options, room, buffer;
    uint32_t connections; /* to netlink.sock so far, of all clients */
};

#endif
